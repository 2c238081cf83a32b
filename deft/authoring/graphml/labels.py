"""What a person sees of a node or edge in a graph editor: its words, its place, its colour."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lxml import etree

from deft.authoring import layout
from deft.authoring.graphml import keepsakes
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, NodeKind

YED = "http://www.yworks.com/xml/graphml"
Point = tuple[float, float]
COLOURS: dict[NodeKind, tuple[int, int, int]] = {
    NodeKind.TASK: (153, 193, 241),
    NodeKind.ENTRY: (143, 240, 164),
    NodeKind.EXIT: (249, 240, 107),
    NodeKind.METATASK: (220, 138, 221),
}


def of_edges(metatask: MetaTask) -> list[str]:
    """The kind of data on each edge; of edges between the same tasks each says something else."""
    used: set[tuple[str, str, str]] = set()
    found = []
    for edge in metatask.edges:
        label = next(text for text in _candidates(edge) if (edge.source, edge.target, text) not in used)
        used.add((edge.source, edge.target, label))
        found.append(label)
    return found


def _candidates(edge: Edge) -> list[str]:
    named = edge.text("dataset")
    both = f"{edge.type} {named}" if named else edge.type
    return [edge.type, both, f"{both} {edge.id}"]


def positions(metatask: MetaTask) -> dict[str, Point]:
    """The centre of every node, y downwards: where another tool left it, else by our own layout."""
    stored = stored_positions(metatask)
    if len(stored) == metatask.graph.number_of_nodes():
        return stored
    return {**layout.positions(metatask), **stored}


def stored_positions(metatask: MetaTask) -> dict[str, Point]:
    """The centres that other tools left, y downwards: in the keys x and y, else in a drawing of yEd."""
    ids, drawings = keepsakes.ids(metatask.foreign, "node"), _drawings(metatask)
    found: dict[str, Point] = {}
    for node in metatask.nodes:
        if node.foreign.fragments:
            point = _plain(dict(node.foreign.fragments), ids) or _drawn(drawings.get(node.name))
            if point:
                found[node.name] = point
    return found


def drawn_names(metatask: MetaTask) -> dict[str, str]:
    """The first label of each node in a drawing of yEd."""
    found = {name: drawing.find(f".//{{{YED}}}NodeLabel") for name, drawing in _drawings(metatask).items()}
    return {name: (label.text or "").strip() for name, label in found.items() if label is not None}


def _drawings(metatask: MetaTask) -> dict[str, etree._Element]:
    """The drawing of each node that has one."""
    key = keepsakes.ids(metatask.foreign, "node").get("nodegraphics")
    return {
        node.name: etree.fromstring(text)
        for node in metatask.nodes
        for slot, text in node.foreign.fragments
        if key and slot == f"<{key}"
    }


def _plain(held: Mapping[str, str], ids: Mapping[str, str]) -> Point | None:
    """The keys x and y, whose y goes upwards: so do Gephi and NetworkX."""
    try:
        x, y = float(held[f"={ids['x']}"]), float(held[f"={ids['y']}"])
    except (KeyError, ValueError):
        return None
    return (x, -y) if math.isfinite(x) and math.isfinite(y) else None


def _drawn(drawing: etree._Element | None) -> Point | None:
    geometry = None if drawing is None else drawing.find(f".//{{{YED}}}Geometry")
    if geometry is None:
        return None
    try:
        x, y, width, height = (float(geometry.get(name) or 0) for name in ("x", "y", "width", "height"))
    except ValueError:
        return None
    centre = x + width / 2, y + height / 2
    return centre if all(map(math.isfinite, centre)) else None
