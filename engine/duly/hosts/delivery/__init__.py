"""Delivery: from the outbox into sinks."""
