"""Stores: where a service keeps its journal, its state, its timers and its outbox."""
