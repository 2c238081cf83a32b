"""What other tools wrote and we only keep, as far as it must be told apart: for the eye, or else. Pure.

A fragment is (slot, text); `deft.authoring.graphml.foreign` says what the slots are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from deft.model.tasks import Foreign

# Labels, positions and colours, by the names that graph editors give them.
_EYE = "label x y z size r g b color colour shape nodegraphics edgegraphics"
FOR_THE_EYE = frozenset(_EYE.split())
_NAME = re.compile(r'\b(?:attr\.name|yfiles\.type)="([^"]*)"')
_FOR = re.compile(r'\bfor="([^"]*)"')


def names(graph: Foreign) -> dict[str, str]:
    """The names of the foreign keys of a document by their ids; of two with one id, that of nodes."""
    found: dict[str, str] = {}
    for slot, text in graph.fragments:
        if slot.startswith("#"):
            said, scope = _NAME.search(text), _FOR.search(text)
            name = (said[1] if said else _bare(slot[1:])).lower()
            if slot[1:] not in found or (scope and scope[1] == "node"):
                found[slot[1:]] = name
    return found


def layout(piece: Foreign, names: Mapping[str, str]) -> dict[str, str]:
    """What is for the eye, by name."""
    return {
        name: text
        for slot, text in piece.fragments
        if slot[0] in "=<" and (name := _name(slot, names)) in FOR_THE_EYE
    }


def rest(piece: Foreign, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is not, under the names of the keys; declarations say nothing by themselves."""
    return sorted(
        (slot[0] + _name(slot, names), text)
        for slot, text in piece.fragments
        if slot[0] != "#" and not (slot[0] in "=<" and _name(slot, names) in FOR_THE_EYE)
    )


def _name(slot: str, names: Mapping[str, str]) -> str:
    return names.get(slot[1:], _bare(slot[1:]))


def _bare(id: str) -> str:
    """`n.x` is x."""
    return id[2:] if id[:2] in ("n.", "e.", "g.") else id
