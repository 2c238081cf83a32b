"""What of a graph its drawing depends on: the nodes in their order, and which of them are joined."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from deft.model.graph import MetaTask

REVISION = 1
"""Of the layout: +1 with every change of it that moves nodes, so that no stored positions outlive it."""


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to be drawn. Links of one source and one `net` carry the same thing, and may run together."""

    source: str
    target: str
    net: str = ""


@dataclass(frozen=True, slots=True)
class Topology:
    """Nodes and links; a link whose ends are not both nodes is not drawn."""

    nodes: tuple[str, ...]
    links: tuple[Link, ...]

    @property
    def key(self) -> str:
        """The same for equal topologies, another one for others: a key to positions that were kept."""
        said = hashlib.sha256(f"deft layout {REVISION}".encode())
        for name in self.nodes:
            said.update(f"\0{name}".encode())
        for link in self.links:
            said.update(f"\1{link.source}\0{link.target}\0{link.net}".encode())
        return said.hexdigest()[:32]


def of(metatask: MetaTask) -> Topology:
    """The topology of a Meta-Task: edges of one dataset and one role are of one net."""
    links = (
        Link(edge.source, edge.target, "/".join((*edge.group, edge.text("role", "primary"))))
        for edge in metatask.edges
    )
    return Topology(tuple(node.name for node in metatask.nodes), tuple(links))
