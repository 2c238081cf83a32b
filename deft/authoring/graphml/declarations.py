"""The `<key>` elements of a document: which attribute of the profile each one means, and what is foreign.

A data element finds its key by (id, scope), then by (id, all). The key's name is attr.name, else its id
without the prefix of the scope; the profile's names are matched without regard to case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from deft.authoring.graphml import collector
from deft.model import keys
from deft.model.keys import Key, Scope, Value

Holder = Literal["graph", "node", "edge", "graphml"]
SCOPES: tuple[Scope, ...] = ("graph", "node", "edge")
_HOLDERS: tuple[Holder, ...] = ("graph", "node", "edge", "graphml")
_FOR = frozenset({"all", "graphml", "graph", "node", "edge", "hyperedge", "port", "endpoint"})
_REMEMBERED = 1000  # parsed texts of a key that are kept: most values come again and again


@dataclass(slots=True)
class Column:
    """A declared key as one scope sees it. `key` None: foreign, or (with `dropped`) exported state."""

    id: str
    key: Key | None
    dropped: bool = False
    default: str | None = None
    free: bool = False  # any text is a value
    used: bool = False
    exact: dict[str, Value] = field(default_factory=dict)  # texts that were parsed without coercion
    name: str = ""  # the profile's name; empty for what is foreign

    def __post_init__(self) -> None:
        self.name = self.key.name if self.key else ""

    def value(self, text: str) -> tuple[Value | None, str]:
        """(value, what was coerced); None where the text counts as absent. Raises ValueError."""
        assert self.key is not None
        value, coerced = _parse(self.key, text)
        if value is not None and not coerced and len(self.exact) < _REMEMBERED:
            self.exact[text] = value
        return value, coerced


def _parse(key: Key, text: str) -> tuple[Value | None, str]:
    if "${" in text:  # filled, and then parsed, by instantiation
        return text, ""
    word = text.strip()
    if not word:
        return None, "is empty: left out"
    value = keys.parse(key, word)
    exact = key.kind in ("string", "double") or keys.render(value) == word
    if exact or (key.kind == "boolean" and word in "01"):
        return value, ""
    return value, f"was {word!r}: read as {keys.render(value)}"


def named(scope: Scope, name: str) -> Key | None:
    """The key of the profile with that name, whatever its case; a family's member keeps its own."""
    exact = keys.find(scope, name)
    if exact is not None:
        return exact
    lower = name.lower()
    for prefix in keys.FAMILIES[scope]:
        if lower.startswith(prefix):
            return keys.find(scope, prefix + name[len(prefix) :])
    return keys.find(scope, lower)


class Declarations:
    """Every declared key of a document."""

    def __init__(self, found: collector.Collector) -> None:
        self._found = found
        self._lines: dict[tuple[str, str], int] = {}
        self._exact: dict[Holder, dict[str, Column]] = {}
        self._texts: dict[tuple[str, str], str] = {}  # (id, for) -> canonical declaration
        self.tables: dict[Holder, dict[str, Column]] = {"graph": {}, "node": {}, "edge": {}, "graphml": {}}

    def __len__(self) -> int:
        return len(self._lines)

    def add(
        self, id: str, scope: str, name: str, *, default: str | None, text: str, line: int
    ) -> None:  # fmt: skip
        """Take one key; `text` is the whole declaration, canonical."""
        if (id, scope) in self._lines:
            message = f"the key {id!r} is declared twice for {scope}"
            self._found.error("duplicate-key", message, line, subject=id,
                              hint=f"the first is in line {self._lines[id, scope]}")  # fmt: skip
            return
        if scope not in _FOR:
            message = f"the key {id!r} is for {scope!r}, which is no part of GraphML"
            self._found.error("bad-key", message, line, subject=id)
            return
        self._lines[id, scope] = line
        self._texts[id, scope] = text
        for holder in self._holders(scope):
            column = self._column(id, holder, name, default, line)
            if scope == "all":
                self.tables[holder].setdefault(id, column)
            else:
                self.tables[holder][id] = column

    @staticmethod
    def _holders(scope: str) -> tuple[Holder, ...]:
        if scope == "all":
            return _HOLDERS
        return tuple(holder for holder in _HOLDERS if holder == scope)

    def _column(self, id: str, holder: Holder, name: str, default: str | None, line: int) -> Column:
        if holder == "graphml":
            return Column(id, None)
        prefix = keys.PREFIX[holder]
        own = name or (id[len(prefix) :] if id.lower().startswith(prefix) else id)
        if own.lower().startswith(keys.STATE):
            return Column(id, None, dropped=True)
        key = named(holder, own)
        if key is None:
            self._refuse_reserved(id, own, line)
            return Column(id, None)
        return Column(id, key, default=default, free=key.kind == "string" and not key.choices)

    def _refuse_reserved(self, id: str, name: str, line: int) -> None:
        for scope, prefix in keys.PREFIX.items():
            meant = named(scope, id[len(prefix) :]) if id.lower().startswith(prefix) else None
            if meant is not None:
                message = f"the key id {id!r} belongs to DEFT's {meant.name!r}, but its attr.name is {name!r}"
                self._found.error("reserved-key", message, line, subject=id, hint="give it another id")

    def defaults(self, scope: Scope) -> Iterator[tuple[Column, str]]:
        """The profile's keys with a default, and that default."""
        for column in self.tables[scope].values():
            if column.key is not None and column.default is not None:
                yield column, column.default

    def foreign(self) -> list[tuple[str, str]]:
        """The declarations to keep, as fragments: keys that are foreign in every scope, or used as such."""
        declared = sorted(self._texts.items())
        return [(f"#{id}", text) for (id, scope), text in declared if self._is_foreign(id, scope)]

    def _is_foreign(self, id: str, scope: str) -> bool:
        columns = [table[id] for holder in self._holders(scope) if id in (table := self.tables[holder])]
        if all(column.key is None and not column.dropped for column in columns):
            return True
        return any(column.key is None and column.used for column in columns)
