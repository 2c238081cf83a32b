"""JSON from outside: read whole, within limits, and nothing in it that JSON does not say clearly.

Findings tell a place by its JSON pointer, such as /workflow/tasks/3/name (RFC 6901).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from deft.authoring.graphml.limits import MIB, CappedReader, Limits, refusal
from deft.base.errors import BadInput, Finding, NotFound

LARGEST = 128 * MIB  # it is held in memory whole
MOST_VALUES = 8_000_000  # of which each takes up to 200 bytes there
HEAD = 65536  # bytes that tell a format
_MOST = 20  # places that are told of one kind of fault
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?|[\[{}\]]')


def read(path: Path, limits: Limits) -> Any:
    """The document in a file, unpacked where it is gzip. Raises NotFound, BadInput with all findings."""
    try:
        content = _content(path, limits)
        # An upper bound that costs nothing: every value but one follows one of these.
        values = sum(map(content.count, (b",", b"[", b"{", b":")))
        if values > (most := min(MOST_VALUES, limits.fragments)):
            raise refusal("too-many-values", f"it has more than {most:,} values")
        return parse(content)
    except BadInput as fault:
        raise BadInput(f"{path} is refused:", fault.findings) from None


def parse(content: bytes) -> Any:
    """The document in these bytes. Raises BadInput with all findings."""
    seen = _Seen()
    try:
        document = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=seen.take, parse_constant=seen.constant
        )
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise refusal("not-utf-8", "it is no text in UTF-8", line) from None
    except json.JSONDecodeError as fault:
        raise refusal("not-json", f"it is no JSON: {fault.msg}, column {fault.colno}", fault.lineno) from None
    except RecursionError:
        raise refusal("too-deep", "its lists and objects are nested too deep") from None
    except ValueError as fault:  # a number of more digits than Python takes
        raise refusal("not-json", f"it is no JSON that can be read: {fault}") from None
    if seen.twice or seen.strange:
        raise BadInput("it is refused:", list(islice(_told(document, seen), _MOST)))
    return document


def head(path: Path) -> bytes:
    """The first bytes of a file, unpacked where it is gzip. Raises NotFound, BadInput."""
    with _opened(path) as stream:
        return CappedReader(stream, Limits()).read(HEAD)


def top_keys(content: bytes) -> set[str]:
    """The keys of the outermost object, as far as these first bytes of a file show them."""
    text = content.decode("utf-8-sig", "ignore")
    if not text.lstrip().startswith("{"):
        return set()
    found, depth = set(), 0
    for token in _TOKEN.finditer(text):
        if token[0] in ("{", "["):
            depth += 1
        elif token[0] in ("}", "]"):
            depth -= 1
        elif depth == 1 and token[2]:
            found.add(token[1])
    return found


def step(at: str, key: str | int) -> str:
    """The pointer to a member of what `at` points to."""
    return f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}"


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except (OSError, ValueError) as fault:  # ValueError: a path with a NUL
        why = getattr(fault, "strerror", None) or fault
        raise BadInput(f"{path} is refused:", [Finding("unreadable", f"it cannot be read: {why}")]) from None


def _content(path: Path, limits: Limits) -> bytes:
    most = min(limits.bytes, LARGEST)
    # What an element of XML may take says nothing here: the bytes of all of it are counted.
    capped = replace(limits, bytes=most, element=most)
    with _opened(path) as stream:
        try:
            reader = CappedReader(stream, capped)
            return b"".join(iter(reader.read, b""))
        except OSError as fault:
            raise refusal("unreadable", f"it cannot be read: {fault.strerror}") from None


class _NoNumber:
    """NaN or Infinity in the place where it was found."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Seen:
    """What the parser met that must not be there; where it stands is looked up only then."""

    def __init__(self) -> None:
        self.twice: dict[int, tuple[dict[str, Any], str]] = {}  # by id of the object, which is kept alive
        self.strange = 0

    def take(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """An object of these members."""
        made = dict(pairs)
        if len(made) != len(pairs):
            names = [name for name, _ in pairs]
            self.twice[id(made)] = (made, next(name for name in names if names.count(name) > 1))
        return made

    def constant(self, name: str) -> _NoNumber:
        """A word that Python's parser takes for a number."""
        self.strange += 1
        return _NoNumber(name)


def _told(document: Any, seen: _Seen) -> Iterator[Finding]:
    for at, value in _walk(document):
        if isinstance(value, _NoNumber):
            yield Finding("not-finite", f"{at} is {value.name}, which is no number of JSON", subject=at)
        elif id(value) in seen.twice:
            name = seen.twice[id(value)][1]
            message = f"{at or '/'} has the key {name!r} more than once: which one is meant?"
            yield Finding("duplicate-key", message, subject=at)


def _walk(document: Any) -> Iterator[tuple[str, Any]]:
    # A stack, not recursion: it may be as deep as the parser goes.
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        at, value = waiting.pop()
        yield at, value
        members: Any = ()
        if isinstance(value, dict):
            members = value.items()
        elif isinstance(value, list):
            members = enumerate(value)
        waiting += reversed([(step(at, key), member) for key, member in members])
