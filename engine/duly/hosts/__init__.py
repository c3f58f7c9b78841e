"""Hosts: the places the core runs. They supply time, keep state and timers, and deliver what is decided."""
