"""Kinds: what can be promised, one noun a file. Each turns its documents into compiled, plain data."""
