"""The `<key>` elements of a document: which attribute of the profile each one means, and what is foreign.

A data element finds its key by (id, scope), then by (id, all). The key's name is attr.name, else its id
without the prefix of the scope; the profile's names are matched without regard to case.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, NamedTuple

from deft.authoring.graphml import collector
from deft.model import keys
from deft.model.keys import Key, Scope, Value

Holder = Literal["graph", "node", "edge", "graphml"]
SCOPES: tuple[Scope, ...] = ("graph", "node", "edge")
_HOLDERS: tuple[Holder, ...] = ("graph", "node", "edge", "graphml")
_FOR = frozenset({"all", "graphml", "graph", "node", "edge", "hyperedge", "port", "endpoint"})
_DIGITS = 19  # as many can be too large
_KINDS = {"int": "a whole number", "double": "a number", "boolean": "true or false"}
_REMEMBERED = 1000  # parsed texts of a key that are kept: most values come again and again
_SHORT = 40  # characters of a text that is kept so, or shown
_IGRAPH = {"graph": "g_", "node": "v_", "edge": "e_", "graphml": " "}  # before the names of its keys
_NEAR = 0.9  # how alike two names must be to be told


class Declared(NamedTuple):
    """What a `<key>` says; `markup` is the whole of it, canonical."""

    id: str
    scope: str
    name: str
    type: str
    default: str | None
    markup: str
    line: int


@dataclass(slots=True)
class Column:
    """A declared key as one scope sees it. `key` None: foreign, or (with `dropped`) exported state."""

    id: str
    key: Key | None
    line: int = 0
    dropped: bool = False
    default: str | None = None
    free: bool = False  # any text is a value
    is_filled_in: bool = False  # by a tool that knows no absent values
    used: bool = False
    exact: dict[str, Value] = field(default_factory=dict)  # texts that were parsed without coercion
    bent: dict[str, Value] = field(default_factory=dict)  # texts that were coerced
    again: int = 0  # how often such a text came since
    name: str = ""  # the profile's name; empty for what is foreign
    is_integer: bool = False
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if self.key is None:
            return
        self.name = self.key.name
        self.is_integer = self.key.kind == "int"
        self.low = self.low if self.key.low is None else self.key.low
        self.high = self.high if self.key.high is None else self.key.high

    def value(self, text: str) -> tuple[Value | None, str]:
        """(value, what was coerced); None where the text counts as absent. Raises ValueError."""
        assert self.key is not None
        if self.free:
            return (text, "") if text or not self.is_filled_in else (None, "is empty, as igraph fills it in")
        value, coerced = _parse(self.key, text)
        if not coerced:
            _remember(self.exact, text, value)
        return value, coerced

    @property
    def expected(self) -> str:
        """What a value of it may be, in words."""
        key = self.key
        if key is None or key.kind == "string":
            return "one of " + ", ".join(key.choices) if key and key.choices else "a text"
        low = "" if key.low is None else f" from {key.low:g}"
        high = "" if key.high is None else f" to {key.high:,.15g}"
        return f"{_KINDS[key.kind]}{low}{high}"

    def told(self, text: str, value: Value | None) -> None:
        """That this text is coerced was told: it need not be told again."""
        _remember(self.bent, text, value)

    def plain(self, text: str) -> Value | None:
        """The value of a text that is spelled as its type has it; None where there is more to say."""
        if self.is_integer and text.isdecimal() and text.isascii() and text[0] != "0" and len(text) < _DIGITS:
            number = int(text)
            return number if self.low <= number <= self.high else None
        try:
            value, coerced = self.value(text)
        except ValueError:
            return None
        return None if coerced else value


def _remember(known: dict[str, Value], text: str, value: Value | None) -> None:
    if value is not None and len(text) <= _SHORT and len(known) < _REMEMBERED:
        known[text] = value


def shown(text: str) -> str:
    """A text from a document as a message may show it."""
    return repr(text if len(text) <= _SHORT else text[:_SHORT] + "…")


def _parse(key: Key, text: str) -> tuple[Value | None, str]:
    if "${" in text:  # filled, and then parsed, by instantiation
        return text, ""
    word = text.strip()
    if not word:
        return None, "is empty: left out"
    if key.kind in ("int", "double"):
        return _number(key, word)
    value = keys.parse(key, word)
    if key.kind == "string" or word in "01" or keys.render(value) == word:
        return value, ""
    return value, f"was {word!r}: read as {keys.render(value)}"


def _number(key: Key, word: str) -> tuple[Value | None, str]:
    if not word.isascii() or "_" in word:  # Python would take these
        raise ValueError("is no number")
    if word.lower() in ("nan", "-nan"):
        return None, "is not a number: left out"
    value = keys.parse(key, word)
    exact = key.kind == "double" or keys.render(value) == word
    return value, "" if exact else f"was {word!r}: read as {keys.render(value)}"


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
        self._declared: dict[tuple[str, str], Declared] = {}
        self.tables: dict[Holder, dict[str, Column]] = {"graph": {}, "node": {}, "edge": {}, "graphml": {}}

    def __len__(self) -> int:
        return len(self._declared)

    def add(self, new: Declared) -> None:
        """Take one key."""
        id, scope, line = new.id, new.scope, new.line
        if scope not in _FOR:
            message = f"the key {shown(id)} is for {shown(scope)}, which is no part of GraphML"
            self._found.error("bad-key", message, line, subject=id)
            return
        first = self._declared.setdefault((id, scope), new)
        if first is not new:
            self._again(first, new)
            return
        for holder in self._holders(scope):
            column = self._column(new, holder)
            if scope == "all":
                self.tables[holder].setdefault(id, column)
            else:
                self.tables[holder][id] = column

    def _again(self, first: Declared, new: Declared) -> None:
        message = f"the key {shown(new.id)} is declared twice for {new.scope}"
        hint = f"the first is in line {first.line}"
        if (first.name, first.type) == (new.name, new.type):
            self._found.warning("same-key", f"{message}: the first one is taken", new.line, subject=new.id,
                                hint=hint)  # fmt: skip
        else:
            self._found.error("duplicate-key", message, new.line, subject=new.id, hint=hint)

    def elsewhere(self, id: str, holder: Holder) -> Column | None:
        """The foreign key of that id that is declared for other elements only; used here, it is kept."""
        others = [table[id] for other, table in self.tables.items() if other != holder and id in table]
        if not others or any(column.key is not None or column.dropped for column in others):
            return None
        column = self.tables[holder][id] = Column(id, None)
        return column

    @staticmethod
    def _holders(scope: str) -> tuple[Holder, ...]:
        if scope == "all":
            return _HOLDERS
        return tuple(holder for holder in _HOLDERS if holder == scope)

    def _column(self, new: Declared, holder: Holder) -> Column:
        id, line = new.id, new.line
        if holder == "graphml":
            return Column(id, None, line)
        prefix = keys.PREFIX[holder]
        own = new.name or (id[len(prefix) :] if id.lower().startswith(prefix) else id)
        if own.lower().startswith(keys.STATE):
            return Column(id, None, line, dropped=True)
        key = named(holder, own)
        if key is None:
            self._refuse_reserved(id, own, line)
            self._tell_near(holder, own, line)
            return Column(id, None, line)
        free = key.kind == "string" and not key.choices
        is_igraphs = id == _IGRAPH[holder] + new.name
        return Column(id, key, line, default=new.default, free=free, is_filled_in=is_igraphs)

    def _refuse_reserved(self, id: str, name: str, line: int) -> None:
        for scope, prefix in keys.PREFIX.items():
            meant = named(scope, id[len(prefix) :]) if id.lower().startswith(prefix) else None
            if meant is not None:
                message = f"the key id {id!r} belongs to DEFT's {meant.name!r}, but its name is {shown(name)}"
                self._found.error("reserved-key", message, line, subject=id)

    def _tell_near(self, scope: Scope, name: str, line: int) -> None:
        """A slip in a name would else go unseen: what is not known is kept, and does nothing."""
        lower = name.lower()
        if len(name) > _SHORT or lower in keys.DISPLAY:
            return
        known = keys.names(scope)
        near = get_close_matches(lower, known, 1, _NEAR)
        if not near and "." in lower:  # resources.mem
            group = lower.partition(".")[0] + "."
            near = get_close_matches(lower, [one for one in known if one.startswith(group)], 1, 0)
        if near:
            message = f"the {scope} key {name!r} is none of DEFT's: it is kept, and does nothing"
            self._found.warning("near-name", message, line, subject=name, hint=f"near: {near[0]}")

    def bent(self) -> Iterator[Column]:
        """The keys of whose values some were coerced again and again."""
        for scope in SCOPES:
            yield from (column for column in self.tables[scope].values() if column.again)

    def defaults(self, scope: Scope) -> Iterator[tuple[Column, str]]:
        """The profile's keys with a default, and that default."""
        for column in self.tables[scope].values():
            if column.key is not None and column.default is not None:
                yield column, column.default

    def foreign(self) -> list[tuple[str, str]]:
        """The declarations to keep, as fragments: keys that are foreign in every scope, or used as such."""
        declared = sorted((id, scope, one.markup) for (id, scope), one in self._declared.items())
        return [(f"#{id}", text) for id, scope, text in declared if self._is_foreign(id, scope)]

    def _is_foreign(self, id: str, scope: str) -> bool:
        columns = [table[id] for holder in self._holders(scope) if id in (table := self.tables[holder])]
        if all(column.key is None and not column.dropped for column in columns):
            return True
        return any(column.key is None and column.used for column in columns)
