"""The foreign pieces of a Meta-Task that are plain data of a plain type, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

from deft.authoring.graphml import foreign, fresh, keepsakes
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Foreign

_PARSERS: dict[str, Callable[[str], Value]] = {
    "string": str,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": lambda text: {"true": True, "false": False, "1": True, "0": False}[text.lower()],
}


@dataclass(slots=True)
class _Kept:
    """A key that stays: under an id that no other key has, as a type that each of its values has."""

    id: str
    name: str
    scope: str
    type: str

    @property
    def declaration(self) -> str:
        name, id = foreign.attribute(self.name), foreign.attribute(self.id)
        return f'<key attr.name="{name}" attr.type="{self.type}" for="{self.scope}" id="{id}"/>'


class Plain:
    """Which foreign keys of a document can stay."""

    def __init__(self, metatask: MetaTask) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        used: set[str] = set()
        for key in keepsakes.declared(metatask.foreign):
            if not key.graphics:
                id = fresh.id(key.id, used.__contains__)
                used.add(id)
                type = key.type if key.type in _PARSERS else "string"
                self._kept[key.id, key.scope] = _Kept(id, key.spelled, key.scope, type)
        self._widen("graph", [metatask.foreign])
        self._widen("node", (node.foreign for node in metatask.nodes))
        self._widen("edge", (edge.foreign for edge in metatask.edges))

    def _widen(self, scope: str, held: Iterable[Foreign]) -> None:
        for slot, text in chain.from_iterable(one.fragments for one in held if one.fragments):
            key = self._key(scope, slot)
            if key and not _is(key.type, text):
                key.type = "string"

    def _key(self, scope: str, slot: str) -> _Kept | None:
        if not slot.startswith("="):
            return None
        return self._kept.get((slot[1:], scope)) or self._kept.get((slot[1:], "all"))

    def of(self, scope: str, pieces: Foreign) -> Foreign:
        """The plain data among the pieces of an element."""
        if not pieces.fragments:
            return pieces
        found = ((self._key(scope, slot), text) for slot, text in pieces.fragments)
        return Foreign(tuple((f"={key.id}", text) for key, text in found if key))

    def values(self, scope: str, pieces: Foreign) -> dict[str, Value]:
        """The same as typed values by their names."""
        found = ((self._key(scope, slot), text) for slot, text in pieces.fragments)
        return {key.name: _PARSERS[key.type](text) for key, text in found if key}

    def of_graph(self, pieces: Foreign) -> Foreign:
        """The same for the graph, with the declarations."""
        declared = sorted((f"#{key.id}", key.declaration) for key in self._kept.values())
        return Foreign((*self.of("graph", pieces).fragments, *declared))


def _is(type: str, text: str) -> bool:
    try:
        _PARSERS[type](text)
    except (ValueError, KeyError):
        return False
    return True
