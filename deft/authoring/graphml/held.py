"""An element of a document as it was read: nothing of it is understood yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from deft.authoring.graphml.declarations import Holder
from deft.authoring.graphml.foreign import Whole
from deft.authoring.graphml.spool import Piece


class Item(NamedTuple):
    """A child: data, with the key it names and its text (None where it holds elements), or something foreign.

    `whole` is the element itself, where it is more than data with a key and a text.
    """

    is_data: bool
    key: str | None
    text: str | None
    whole: Whole | None
    line: int


@dataclass(slots=True)
class Held:
    """A node, an edge or a graph: XML attributes and children in their order."""

    kind: Holder
    line: int
    attributes: list[tuple[str, str]] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    inner: Held | None = None  # the graph in a node
    members: int = 0  # nodes in a graph that is in a node

    @property
    def piece(self) -> Piece:
        """All of it as plain values; `unpacked` is the way back."""
        items = [tuple(item) for item in self.items]
        inner = self.inner.piece if self.inner else None
        return (self.kind, self.line, self.attributes, items, inner, self.members)


def unpacked(piece: Piece) -> Held:
    """What a piece was made of."""
    kind, line, attributes, items, inner, members = piece
    held = [Item(*item) for item in items]
    return Held(kind, line, attributes, held, unpacked(inner) if inner else None, members)
