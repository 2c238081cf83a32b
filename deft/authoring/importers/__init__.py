"""Graphs written by other programs, as Meta-Tasks."""
