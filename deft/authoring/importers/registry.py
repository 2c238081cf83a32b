"""Which importers there are: entry points of the group `deft.importers`, loaded when one is needed.

An entry point names an `Importer`; its own name is what `--from` takes. One that cannot be loaded, or fails
in its own code, is told by name and does not stand in the way of others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from deft.authoring.graphml.limits import CLI, Limits
from deft.authoring.graphml.reader import Reading
from deft.base.errors import BadInput, DeftError, Finding, NotFound

GROUP = "deft.importers"


@dataclass(frozen=True, slots=True)
class Options:
    """What an importer is told beside the source. `given`: the values of its own options, by name."""

    strict: bool = False
    limits: Limits = CLI
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of an importer, given as `--set name=value`: one of `values`, the first one by default."""

    name: str
    values: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True)
class Importer:
    """One format. `read` takes a source (a path, for most) and gives its Meta-Task with what was noticed.

    `claims` says by the first bytes of a file (unpacked) whether it looks like this format; None where a
    source is no file, or no bytes tell. `read` raises BadInput with all findings, NotFound.
    """

    help: str
    read: Callable[[str, Options], Reading]
    claims: Callable[[bytes], bool] | None = None
    choices: tuple[Choice, ...] = ()


def names() -> list[str]:
    """What `--from` takes; nothing is loaded."""
    return sorted(_points())


def find(name: str) -> Importer:
    """The importer of that name. Raises NotFound with near names, BadInput where it cannot be loaded."""
    points = _points().get(name, ())
    if not points:
        known = names()
        near = get_close_matches(name, known, 3)
        hint = f"near: {', '.join(near)}" if near else f"there are: {', '.join(known) or 'none'}"
        raise NotFound(f"there is no importer {name!r} ({hint})")
    if len(points) > 1:
        both = ", ".join(map(_origin, points))
        raise _broken(f"several packages have an importer {name!r}: {both}", "uninstall all but one")
    return _loaded(points[0])


@dataclass(frozen=True, slots=True)
class Asked:
    """What importers say of a file: those that take it for theirs, that could, and that are broken."""

    claimed: tuple[str, ...]
    readers: tuple[str, ...]
    broken: tuple[str, ...]


def ask(head: bytes) -> Asked:
    """Show the first bytes of a file to every importer of files."""
    claimed, readers, broken = [], [], []
    for name in names():
        try:
            importer = find(name)
            if importer.claims is not None:
                readers.append(name)
                claimed += [name] if importer.claims(head) else []
        except Exception:  # an importer of somebody else: whatever it does, the others are asked
            broken.append(name)
    return Asked(tuple(claimed), tuple(readers), tuple(broken))


def read(name: str, source: str, options: Options) -> Reading:
    """What an importer makes of a source. Raises NotFound, BadInput with all findings."""
    importer = find(name)
    try:
        reading: object = importer.read(source, options)
    except DeftError:
        raise
    except Exception as fault:  # a fault in code of somebody else is no fault of DEFT
        what = f"{type(fault).__name__}: {fault}"
        raise _broken(f"the importer {name!r} failed on {source}: {what}", _report(name)) from fault
    if not isinstance(reading, Reading):
        kind = type(reading).__name__
        raise _broken(f"the importer {name!r} gave a {kind}, no Reading", _report(name))
    return reading


def _report(name: str) -> str:
    return f"report it to {_origin(_points()[name][0])}"


@cache
def _points() -> dict[str, tuple[EntryPoint, ...]]:
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=GROUP):
        others = found.get(point.name, ())
        if point.value not in {other.value for other in others}:  # a package that is installed twice
            found[point.name] = (*others, point)
    return found


def _loaded(point: EntryPoint) -> Importer:
    try:
        found = point.load()
    except Exception as fault:  # importing code of somebody else may raise anything
        what = f"{type(fault).__name__}: {fault}"
        message = f"the importer {point.name!r} of {_origin(point)} cannot be loaded: {what}"
        raise _broken(message, "install it again, or remove it") from fault
    if not isinstance(found, Importer):
        kind = type(found).__name__
        message = f"the importer {point.name!r} of {_origin(point)} is a {kind}, no Importer"
        raise _broken(message, f"its entry point is {point.value}")
    return found


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value


def _broken(message: str, hint: str) -> BadInput:
    return BadInput("nothing was imported:", [Finding("broken-importer", message, hint=hint)])
