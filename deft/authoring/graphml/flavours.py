"""The same Meta-Task for the eyes of one tool: `deft export --for NAME`.

A flavour adds foreign pieces that the tool shows, or leaves out those it cannot read; the keys of the
profile stay what they are, so every flavour imports as the same Meta-Task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from deft.authoring.graphml import flavours_yed, fresh, keepsakes, labels, plain_data
from deft.model import graph
from deft.model.graph import MetaTask
from deft.model.tasks import Foreign

Fragment = tuple[str, str]
_GEPHI_NODE = ("label", "x", "y", "size", "r", "g", "b")
_TYPES = {"label": "string", "x": "float", "y": "float", "size": "float", "weight": "double"}
_SIZE = 10.0


def flavoured(metatask: MetaTask, name: str) -> MetaTask:
    """The Meta-Task as the flavour of that name shows it. Raises KeyError."""
    return FLAVOURS[name](metatask)


def _plain(metatask: MetaTask) -> MetaTask:
    return metatask


# --- Gephi -------------------------------------------------------------------------------------------------


def _gephi(metatask: MetaTask) -> MetaTask:
    """Labels, places, sizes and colours as Gephi reads them, and a kind for each edge.

    Gephi makes one edge of parallel ones unless their kinds differ; the kind is the XML attribute `label`.
    """
    keys = _Keys(metatask.foreign)
    of_nodes = [keys.take(name, "node", _TYPES.get(name, "int")) for name in _GEPHI_NODE]
    edge_label = keys.take("Edge Label", "edge", "string", id="edgelabel")
    weight = keys.take("weight", "edge", "double")
    centres = labels.positions(metatask)
    nodes = []
    for node in metatask.nodes:
        x, y = centres[node.name]
        shown = (node.name, x, -y, _SIZE, *labels.COLOURS[node.kind])
        pieces = [(f"={id}", str(value)) for id, value in zip(of_nodes, shown, strict=True)]
        nodes.append(replace(node, foreign=_added(node.foreign, pieces)))
    edges = [
        replace(edge, foreign=_added(edge.foreign, [
            ("@label", label), (f"={edge_label}", label), (f"={weight}", "1.0"),
        ]))
        for edge, label in zip(metatask.edges, labels.of_edges(metatask), strict=True)
    ]  # fmt: skip
    made = graph.copy_with(metatask, nodes, edges)
    made.foreign = keys.pieces
    return made


# --- yEd ---------------------------------------------------------------------------------------------------


def _yed(metatask: MetaTask) -> MetaTask:
    """A shape with label and place for every node, a line with a label for every edge."""
    keys = _Keys(metatask.foreign)
    of_node = keys.take_graphics("nodegraphics", "node")
    of_edge = keys.take_graphics("edgegraphics", "edge")
    centres = labels.positions(metatask)
    nodes = [
        replace(node, foreign=_added(node.foreign, [
            flavours_yed.node_block(of_node, node, centres[node.name])
        ]))
        for node in metatask.nodes
    ]  # fmt: skip
    edges = [
        replace(edge, foreign=_added(edge.foreign, [flavours_yed.edge_block(of_edge, label)]))
        for edge, label in zip(metatask.edges, labels.of_edges(metatask), strict=True)
    ]
    made = graph.copy_with(metatask, nodes, edges)
    made.foreign = keys.pieces
    return made


# --- NetworkX ----------------------------------------------------------------------------------------------


def _networkx(metatask: MetaTask) -> MetaTask:
    """Only plain data, each value of its key's type: `networkx.read_graphml` gives every value as it is."""
    known = plain_data.Plain(metatask)
    ids = _apart([edge.id for edge in metatask.edges])
    nodes = [replace(node, foreign=known.of("node", node.foreign)) for node in metatask.nodes]
    edges = [
        replace(edge, id=id, foreign=known.of("edge", edge.foreign))
        for edge, id in zip(metatask.edges, ids, strict=True)
    ]
    made = graph.copy_with(metatask, nodes, edges)
    made.foreign = known.of_graph(metatask.foreign)
    return made


def _apart(ids: Sequence[str]) -> list[str]:
    """NetworkX makes a number of an id where it can; ids that would become the same one get others."""
    numbers = [_number(id) for id in ids]
    times = Counter(number for number in numbers if number is not None)
    free = (id for n in count() if (id := f"e{n}") not in ids)
    clash = (number is not None and times[number] > 1 for number in numbers)
    return [next(free) if clashes else id for id, clashes in zip(ids, clash, strict=True)]


def _number(id: str) -> int | None:
    try:
        return int(id)
    except ValueError:
        return None


FLAVOURS: dict[str, Callable[[MetaTask], MetaTask]] = {
    "plain": _plain,
    "gephi": _gephi,
    "yed": _yed,
    "networkx": _networkx,
}


# --- pieces ------------------------------------------------------------------------------------------------


class _Keys:
    """The foreign keys of a document, with those that a flavour adds."""

    def __init__(self, pieces: Foreign) -> None:
        self._fragments = list(pieces.fragments)
        self._known = {(key.name, key.scope): key.id for key in keepsakes.declared(pieces)}
        self._ids = {id.lower() for id in self._known.values()}

    def take(self, name: str, scope: str, type: str, *, id: str = "") -> str:
        """The id of the key of that name, declared where it is not yet."""
        return self._taken(name, scope, id or name, f'attr.name="{name}" attr.type="{type}"')

    def take_graphics(self, type: str, scope: str) -> str:
        """The same for a key of yEd's own."""
        return self._taken(type, scope, type, "", f' yfiles.type="{type}"')

    def _taken(self, name: str, scope: str, id: str, before: str, after: str = "") -> str:
        for holder in (scope, "all"):
            if (name.lower(), holder) in self._known:
                return self._known[name.lower(), holder]
        free = fresh.id(id, lambda one: one.lower() in self._ids)
        self._ids.add(free.lower())
        opening = f"{before} " if before else ""
        self._fragments.append((f"#{free}", f'<key {opening}for="{scope}" id="{free}"{after}/>'))
        return free

    @property
    def pieces(self) -> Foreign:
        """The document's pieces with all declarations, in the order in which they would be read."""
        declared = sorted(one for one in self._fragments if one[0].startswith("#"))
        return Foreign((*(one for one in self._fragments if not one[0].startswith("#")), *declared))


def _added(pieces: Foreign, more: Sequence[Fragment]) -> Foreign:
    """What an element holds already stays as it is; attributes come first, by name."""
    held = dict(pieces.fragments)
    found = (*pieces.fragments, *(one for one in more if one[0] not in held))
    attributes = sorted(one for one in found if one[0].startswith("@"))
    return Foreign((*attributes, *(one for one in found if not one[0].startswith("@"))))
