"""Which commands the annex adds, found by entry points; `annexed` makes them, on demand."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points

import click

# Commands under a word of the annex that are orders: DEFT posts them, whoever serves carries them out.
_ORDERS = {"jedi": {"scan": "data"}}


@cache
def _points() -> dict[str, EntryPoint]:
    return {
        point.name: point for point in sorted(entry_points(group="deft.commands"), key=lambda one: one.name)
    }


def names() -> list[str]:
    """The words of the command line that the annex adds."""
    return list(_points())


def lines() -> list[tuple[str, str]]:
    """Its lines in `deft --help`."""
    return [(name, point.load().help) for name, point in _points().items()]


def command(name: str) -> click.Command | None:
    """The click command of one of them, or None."""
    point = _points().get(name)
    if point is None:
        return None
    made: click.Command = importlib.import_module("deft.cli.annexed").build(point.load())
    if isinstance(made, click.Group):
        for order, module in _ORDERS.get(name, {}).items():
            made.add_command(getattr(importlib.import_module(f"deft.cli.{module}"), f"{order}_command"))
    return made
