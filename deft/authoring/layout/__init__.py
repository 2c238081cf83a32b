"""Positions for drawing: a layered layout of our own, in Python alone, the same at every run."""

from deft.authoring.layout.arranging import Layout, arrange, positions, topology_key

__all__ = ["Layout", "arrange", "positions", "topology_key"]
