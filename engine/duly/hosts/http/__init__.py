"""HTTP: events in, decisions and views out, and the webhooks of other systems."""
