"""Machines: what the kinds do at run time, as pure functions of events, compiled policy and calendars."""
