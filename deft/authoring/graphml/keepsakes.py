"""Foreign pieces of two documents side by side: the same key under another id, values a tool bent.

The pieces are those of `foreign`: a key is known by its name and scope, whatever its id; where both have a
piece the new one stands (unless it is the old one rounded), and what only the old one had comes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from lxml import etree

from deft.authoring.graphml import foreign, fresh, respelled
from deft.model.tasks import Foreign

_ID = {"#": re.compile(r' id="[^"]*"'), "<": re.compile(r' key="[^"]*"')}  # of a declaration, of data


class Declared(NamedTuple):
    """A foreign key; `spelled` is its name as it stands, `graphics` whether it is one of yEd's own."""

    id: str
    spelled: str
    scope: str
    type: str
    graphics: bool

    @property
    def name(self) -> str:
        """By which it is known: without regard to case."""
        return self.spelled.lower()


def declared(pieces: Foreign) -> Iterator[Declared]:
    """The foreign keys that a document declares."""
    for slot, text in pieces.fragments:
        if slot.startswith("#"):
            element = etree.fromstring(text)
            drawn = element.get("yfiles.type") or ""
            name = drawn or element.get("attr.name") or slot[1:]
            scope, type = element.get("for") or "all", element.get("attr.type") or "string"
            yield Declared(slot[1:], name, scope, type, bool(drawn))


def ids(pieces: Foreign, scope: str) -> dict[str, str]:
    """The ids of the foreign keys of a scope by their names in lower case."""
    return {key.name: key.id for key in declared(pieces) if key.scope in (scope, "all")}


class Keepsakes:
    """Puts the foreign pieces of a document that was read into the terms of a stored one."""

    def __init__(self, stored: Foreign, read: Foreign) -> None:
        old, new = list(declared(stored)), list(declared(read))
        known = {(key.name, key.scope): key.id for key in old}
        self.tool = _tool(new)
        # What a tool calls `id` is only the old id again.
        self._repeated = {
            (key.id, key.scope) for key in new if key.name == "id" and ("id", key.scope) not in known
        }
        self._names = {(key.id, key.scope): key.name for key in (*new, *old)}
        self._ids: dict[tuple[str, str], str] = {}
        taken = {(key.id, key.scope) for key in old}
        for key in new:
            id = known.get((key.name, key.scope)) or fresh.id(key.id, partial(_is_taken, key.scope, taken))
            taken.add((id, key.scope))
            self._ids[key.id, key.scope] = id
            self._names[id, key.scope] = key.name

    def merged(self, scope: str, before: Foreign, after: Foreign) -> tuple[Foreign, list[tuple[str, str]]]:
        """What a node, an edge or the graph holds now, and what came back: (name of the key, why)."""
        if before == after:
            return before, []
        old: dict[str, list[str]] = {}
        new: dict[str, list[str]] = {}
        for slot, text in before.fragments:
            old.setdefault(slot, []).append(text)
        for slot, text in self._translated(scope, after):
            new.setdefault(slot, []).append(text)
        back: list[tuple[str, str]] = []
        made = [
            (slot, text) for slot, had in old.items() for text in self._chosen(scope, slot, had, new, back)
        ]
        made += [(slot, text) for slot, texts in new.items() if slot not in old for text in texts]
        return Foreign(tuple(made)), back

    def _chosen(
        self, scope: str, slot: str, had: list[str], new: Mapping[str, list[str]],
        back: list[tuple[str, str]],
    ) -> list[str]:  # fmt: skip
        found = new.get(slot)
        name = self._names.get((slot[1:], scope), slot[1:])
        if found is None:
            back.append((name, respelled.LOST))
            return had
        if slot.startswith("#"):
            return [*had, *(text for text in found if _scope(text) not in map(_scope, had))]
        if slot.startswith("=") and len(had) == len(found) == 1 and had != found:
            why = respelled.how(had[0], found[0])
            if why:
                back.append((name, why))
                return had
        return found

    def _translated(self, scope: str, pieces: Foreign) -> Iterator[tuple[str, str]]:
        """The pieces with the ids of the stored keys."""
        for slot, text in pieces.fragments:
            root = "/" if slot.startswith("/") else ""
            sign, id = slot[len(root)], slot[len(root) + 1 :]
            where = "graphml" if root else _scope(text) if sign == "#" else scope
            key = next((k for k in ((id, where), (id, "all")) if k in self._ids), None)
            if sign == "@" or key is None:
                yield slot, text
            elif key not in self._repeated:
                mine = self._ids[key]
                yield f"{root}{sign}{mine}", text if mine == id else _with_id(sign, text, mine)


def _is_taken(scope: str, taken: set[tuple[str, str]], id: str) -> bool:
    return (id, scope) in taken or (id, "all") in taken


def _scope(declaration: str) -> str:
    return etree.fromstring(declaration).get("for") or "all"


def _with_id(sign: str, text: str, id: str) -> str:
    """A declaration or data element with another key's id."""
    pattern = _ID.get(sign)
    if pattern is None:
        return text
    name = "id" if sign == "#" else "key"
    return pattern.sub(lambda _: f' {name}="{foreign.attribute(id)}"', text, count=1)


def _tool(keys: list[Declared]) -> str:
    """The tool that wrote the document, as far as its own keys tell."""
    ids, names = {key.id for key in keys}, {(key.name, key.scope) for key in keys}
    if "v_id" in ids:
        return "igraph"
    if {"label", "edgelabel", "weight"} <= ids and ("edge label", "edge") in names:
        return "gephi"
    return ""
