"""The JSON Schemas of the policy language and of what goes in and out of the engine."""
