"""How the annex joins the faces: commands as values, a frozen request in, rows or text out.

An entry point of the group `deft.commands` names a `Command` or a `Group`. The face makes the command of
it, resolves the selection, checks permission, hands a `Request` to `run` and prints the `Answer`. The
annex owns no click, no HTML and no permission. `run` is written "module:function", so that listing the
commands imports nothing heavy.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from deft.base.clock import Clock
from deft.base.config import Settings

if TYPE_CHECKING:  # for speed alone: `deft --help` reads these values and needs no database
    from sqlalchemy.engine import Engine

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command, named with its dashes: a flag, or a value of the given type."""

    name: str
    help: str
    type: Literal["text", "integer", "number", "flag"] = "text"
    default: Value = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the annex.

    `takes` is what stands on the command line: a selection of tasks (`META` or `META/TASK`), a job's id, or
    nothing. `verb` is what `access` checks. `run` is "module:function" of `(Request) -> Answer`.
    """

    name: str
    help: str
    run: str
    verb: str
    takes: Literal["selection", "job", "nothing"] = "selection"
    options: tuple[Option, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Several commands under one word, such as `deft jedi run`."""

    name: str
    help: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What a face hands to the annex. `subject` is the job's id where the command takes one."""

    actor: str
    engine: Engine
    clock: Clock
    settings: Settings
    task_ids: tuple[int, ...] = ()
    subject: str | None = None
    options: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an answer: the key in its rows, the heading, how to align and format it."""

    key: str
    heading: str
    kind: Literal["text", "integer", "number", "seconds", "bytes", "time", "state", "percent"] = "text"


@dataclass(frozen=True, slots=True)
class Answer:
    """Text chunks, then rows with a description of their columns; `exit_code` 0 unless it says no.

    `facts` are for a program that asks, and are not printed.
    """

    columns: tuple[Column, ...] = ()
    rows: Iterable[Mapping[str, Any]] = ()
    text: Iterable[str] = ()
    exit_code: int = 0
    facts: Mapping[str, Value] = field(default_factory=dict)


def find(group: str, name: str) -> Command | None:
    """A command of the annex by its two words; None where no annex is installed that has it."""
    from importlib.metadata import entry_points  # noqa: PLC0415  few commands look for others

    for point in entry_points(group="deft.commands", name=group):
        found = point.load()
        if isinstance(found, Group):
            return next((command for command in found.commands if command.name == name), None)
    return None


def function(path: str) -> Callable[..., Any]:
    """Import what "module:function" names."""
    module, _, name = path.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
