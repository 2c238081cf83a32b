"""List the files of an external dataset: paths, globs, `@file` lists and `!glob`. Reads the disk only.

`!glob` leaves out what globs and lists name; a path that is named in full stays (`deft augment` does so).
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LONGEST = 1000
MAGIC = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True)
class File:
    """One file found; `content` tells one content from another."""

    path: str
    bytes: int
    events: int
    content: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Files in the order of their paths, and in plain words what was wrong."""

    files: tuple[File, ...]
    reason: str | None = None


def list_files(sources: Sequence[str]) -> Listing:
    """What the sources name now."""
    excluded = [re.compile(_translate(source[1:])) for source in sources if source.startswith("!")]
    faults: list[str] = []
    events: dict[str, int] = {}
    for source in sources:
        if not source.startswith("!"):
            for path, number in _named(source, faults):
                events[path] = max(number, events.get(path, 0))
    named = set(sources)  # what is named in full is meant, whatever is left out of globs and lists
    wanted = sorted(
        path for path in events if path in named or not any(one.fullmatch(path) for one in excluded)
    )
    files = tuple(file for path in wanted if (file := look(path, events[path], faults)) is not None)
    return Listing(files, _reason(sources, files, faults))


def _reason(sources: Sequence[str], files: Sequence[File], faults: list[str]) -> str | None:
    if faults:
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
        return "; ".join(faults[:3]) + more
    return None if files else f"nothing matches {', '.join(sources)}"


def look(path: str, events: int, faults: list[str]) -> File | None:
    """One file as it is on disk; a folder counts as a file of no size."""
    if _unfit(path):
        faults.append(f"{path!a} is no usable name: not UTF-8, too long, or with a line break")
        return None
    try:
        found = os.stat(path)
        if not os.access(path, os.R_OK):
            faults.append(f"{path} is not readable")
            return None
    except (OSError, ValueError) as fault:
        faults.append(f"{path}: {getattr(fault, 'strerror', None) or fault}")
        return None
    size = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
    return File(path, size, events, f"{size}-{found.st_mtime_ns}")


def _unfit(path: str) -> bool:
    """A name that a database, or a list with a name a line, cannot hold."""
    return len(path) > LONGEST or "\n" in path or path.encode("utf-8", "replace").decode() != path


def _named(source: str, faults: list[str]) -> Iterator[tuple[str, int]]:
    """The paths of one source, each with its number of events (0: not said)."""
    if source.startswith("@"):
        yield from _from_list(source[1:], faults)
    elif MAGIC.search(source) and not os.path.lexists(source):
        yield from ((path, 0) for path in glob.iglob(source, recursive=True) if not os.path.isdir(path))
    else:
        yield source, 0


def _from_list(path: str, faults: list[str]) -> Iterator[tuple[str, int]]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            lines = stream.read().splitlines()
    except OSError as fault:
        faults.append(f"the list {path}: {fault.strerror}")
        return
    base = os.path.dirname(path)
    for line in lines:
        name, *fields = line.rstrip().split("\t")
        if name and not name.startswith("#"):
            events = fields[1] if len(fields) > 1 and fields[1].isdigit() else "0"
            yield os.path.join(base, name), int(events)


def _translate(pattern: str) -> str:
    """A glob as a regular expression: `*` and `?` stay within a folder, `**` crosses them."""
    return "".join(_pieces(pattern))


_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|[^*?[]+|\[")


def _pieces(pattern: str) -> Iterable[str]:
    simple = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    for token in _TOKEN.findall(pattern):
        if token in simple:
            yield simple[token]
        elif token.startswith("[") and len(token) > 2:
            yield "[^" + token[2:] if token.startswith("[!") else token
        else:
            yield re.escape(token)
