"""Read what a command was given: a GraphML file, the name of a template, or a PyUtilib workflow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deft.authoring.graphml import reader
from deft.authoring.graphml.reader import Reading
from deft.authoring.pyutilib import convert
from deft.authoring.templates import search
from deft.wire import pyutilib_command


def read(source: str, folders: Sequence[Path], *, strict: bool = False) -> Reading:
    """The Meta-Task as it is written there; `folders` are searched for templates.

    Raises BadInput with all findings, NotFound for what does not exist.
    """
    if is_workflow(source):
        return Reading(convert.read(source, Path.cwd()), ())
    path, _ = search.open_source(source, *folders)
    return reader.read(path, strict=strict)


def is_workflow(source: str) -> bool:
    """True for `pyutilib:MODULE:FACTORY`."""
    return pyutilib_command.is_one(source)


def of_workflow(named: str) -> str:
    """MODULE:FACTORY as the source of a command."""
    return named if is_workflow(named) else pyutilib_command.PREFIX + named
