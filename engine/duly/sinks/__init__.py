"""Sinks: where actions go."""
