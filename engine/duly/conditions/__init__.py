"""Conditions: what a `when:` says, and the interpreters that decide whether it holds."""
