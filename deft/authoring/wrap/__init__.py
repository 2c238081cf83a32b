"""Batch scripts and lists of commands as Meta-Tasks."""
