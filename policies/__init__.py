"""The policy packs that Duly ships, as package data."""
