"""Sources: where events come from besides HTTP."""
