"""The command line of Duly."""
