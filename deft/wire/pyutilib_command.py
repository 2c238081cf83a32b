"""Commands of the form `pyutilib:MODULE:FACTORY[:TASK] NAME=VALUE …`: read, and spelled out for /bin/sh.

FACTORY is a function of MODULE that returns a PyUtilib workflow; with TASK one of its tasks is meant alone.
`NAME=VALUE` sets an input, `NAME={input.TYPE}` takes it from the JSON files of a dataset, and
`NAME={input.TYPE}:KEY` from that key of them. A Meta-Task keeps such a command as it was written; an order
carries it spelled out, so that JEDI knows nothing of PyUtilib.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from deft.wire import placeholders
from deft.wire.orders import Input, Output

PREFIX = "pyutilib:"
PAYLOAD = "deft.authoring.pyutilib.payload"
FORM = "pyutilib:MODULE:FACTORY[:TASK] NAME=VALUE …"

_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
_TARGET = re.compile(
    r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<factory>[A-Za-z_]\w*)(?::(?P<task>[A-Za-z][\w-]*))?\Z",
    re.ASCII,
)
_FILES = re.compile(r"(?P<place>\{inputs?(?:\.[A-Za-z_][\w-]*)?\})(?::(?P<key>\w+))?\Z")
_AFTER_DOT = re.compile(r"[A-Za-z_][\w-]*\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """What is run: a factory of a module, or (`task`) one task of the workflow that it makes."""

    module: str
    factory: str
    task: str = ""

    def __str__(self) -> str:
        return ":".join(filter(None, (self.module, self.factory, self.task)))


@dataclass(frozen=True, slots=True)
class Word:
    """One `NAME=VALUE`; with `is_files` the value is a placeholder of files, `key` what is taken of them."""

    name: str
    value: str
    is_files: bool = False
    key: str = ""


def is_one(command: str) -> bool:
    """True for a command of this form, well written or not."""
    return command.lstrip().startswith(PREFIX)


def target(text: str) -> Target:
    """Read MODULE:FACTORY[:TASK]. Raises ValueError that ends the sentence "TEXT …"."""
    found = _TARGET.match(text)
    if found is None:
        raise ValueError("is not MODULE:FACTORY or MODULE:FACTORY:TASK")
    return Target(found["module"], found["factory"], found["task"] or "")


def parse(command: str) -> tuple[Target, list[Word]]:
    """Read a command. Raises ValueError that ends the sentence "the command …"."""
    try:
        first, *rest = shlex.split(command)
    except ValueError as fault:
        raise ValueError(f"cannot be read: {str(fault).lower()}") from None
    try:
        called = target(first.removeprefix(PREFIX))
    except ValueError:
        raise ValueError(f"begins with {first!r}, which is not {FORM}") from None
    return called, [_word(text) for text in rest]


def _word(text: str) -> Word:
    name, equals, value = text.partition("=")
    if not equals or not _NAME.match(name):
        raise ValueError(f"has the word {text!r}, which is not NAME=VALUE")
    files = _FILES.match(value)
    return Word(name, files["place"], True, files["key"] or "") if files else Word(name, value)


def fault(command: str) -> str:
    """What is wrong with a command of this form, as the end of the sentence "the command …"; else empty."""
    try:
        parse(command)
    except ValueError as fault:
        return str(fault)
    return ""


def spelled_out(
    command: str, params: Iterable[str], inputs: Sequence[Input], outputs: Sequence[Output]
) -> str:
    """The command for /bin/sh, with placeholders still in it; one that cannot be read stays as it is.

    Parameters are offered to inputs of their name. So is what stands in the files of input datasets, where
    the command itself names none.
    """
    try:
        called, words = parse(command)
    except ValueError:
        return command
    made = ["{python}", "-m", PAYLOAD, "{template}", str(called)]
    made += (f"--param {name}={{param.{name}}}" for name in params if _NAME.match(name))
    if not any(word.is_files for word in words):
        made += _offered([edge for edge in inputs if not edge.synthetic])
    made += map(_said, words)
    made += _written(outputs)
    return " ".join(made)


def _offered(edges: Sequence[Input]) -> Iterator[str]:
    """One primary input goes by a list, since there may be more files than a command line holds."""
    primary = [edge for edge in edges if edge.role == "primary"]
    for edge in edges:
        if primary == [edge]:
            yield f"--offer-list {edge.type} {{inputs_file}}"
        elif _AFTER_DOT.match(edge.type):
            yield f"--offer {edge.type} {{input.{edge.type}}}"


def _said(word: Word) -> str:
    if word.is_files:
        return f"--files {word.name} {word.key or word.name} {word.value}"
    return f"--value {word.name}={placeholders.quote_around(word.value)}"


def _written(outputs: Sequence[Output]) -> Iterator[str]:
    for number, output in enumerate(outputs):
        if number == 0:
            yield f"--output {output.type} {{output}}"
        elif _AFTER_DOT.match(output.type):
            yield f"--output {output.type} {{output.{output.type}}}"
