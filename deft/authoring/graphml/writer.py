"""GraphML out: the same Meta-Task gives the same bytes.

Keys first (ours by id, then foreign ones), the graph's data, nodes, edges; data by name, then what is
foreign as it came. What this writes reads back as an equal Meta-Task, and writes the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, islice
from typing import BinaryIO

from deft.authoring.graphml import foreign, spelling
from deft.authoring.graphml.prologue import GRAPHML
from deft.authoring.graphml.spelling import Constants, Speller, attribute, content
from deft.model import keys
from deft.model.graph import MetaTask
from deft.model.keys import Scope, Value
from deft.model.tasks import NodeKind

State = Mapping[tuple[Scope, str], Mapping[str, Value]]  # (scope, task name or edge id) -> state.* values

_BATCH = 2000  # elements a write


def write(metatask: MetaTask, stream: BinaryIO, *, state: State | None = None) -> None:
    """Write the Meta-Task as UTF-8; `state` adds keys that an import ignores.

    Raises BadInput for a text that XML cannot hold and for a setting that is no key of the profile.
    """
    lines = _document(metatask, state or {})
    while batch := "".join(islice(lines, _BATCH)):
        stream.write(batch.encode())


def _document(metatask: MetaTask, state: State) -> Iterator[str]:
    nodes, edges = _Nodes(metatask, state), _Edges(metatask, state)
    graph = _graph_settings(metatask, state)
    of_graph = Speller("graph", [graph], "    ")
    declarations = chain(of_graph.declarations, nodes.speller.declarations, edges.speller.declarations)
    kept = metatask.foreign.fragments
    root = [(slot[1:], text) for slot, text in kept if slot.startswith("/")]
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="{GRAPHML}"{_attributes(root)}>\n'
    yield from sorted(declarations)
    yield from (f"  {text}\n" for slot, text in kept if slot.startswith("#"))
    yield f'  <graph edgedefault="directed"{_attributes(kept)}>\n'
    yield of_graph.shapes[0].data(graph)
    yield _children(kept, "    ")
    yield from nodes.lines()
    yield from edges.lines(nodes.ids)
    yield "  </graph>\n"
    yield _children(root, "  ")
    yield "</graphml>\n"


def _graph_settings(metatask: MetaTask, state: State) -> Mapping[str, Value]:
    own: dict[str, Value] = {
        "deft.version": keys.VERSION, "name": metatask.name, "project": metatask.project
    }  # fmt: skip
    return {**metatask.settings, **own, **state.get(("graph", ""), {})}


class _Nodes:
    """The nodes, ready to be written: their ids are unique, their settings what stands on the element."""

    def __init__(self, metatask: MetaTask, state: State) -> None:
        self._nodes = list(metatask.nodes)
        ids = spelling.all_of(attribute, _unique([node.id or node.name for node in self._nodes], "n"))
        self.ids = dict(zip((node.name for node in self._nodes), ids, strict=True))
        self._state = state
        belongs = metatask.full_name
        own: dict[NodeKind, Constants] = {
            kind: (("kind", kind.value), ("metatask", belongs)) for kind in NodeKind
        }
        constants = [own[node.kind] for node in self._nodes]
        self.speller = Speller("node", self._held(), "      ", constants, "task")

    def _held(self) -> Iterator[Mapping[str, Value]]:
        """The settings of each; with the state made twice, since a million of them take much room."""
        if not self._state:
            return (node.settings for node in self._nodes)
        return ({**n.settings, **self._state.get(("node", n.name), {})} for n in self._nodes)

    def lines(self) -> Iterator[str]:
        """One element each."""
        ids, names = self.ids, spelling.all_of(content, [node.name for node in self._nodes])
        shapes = self.speller.shapes
        for node, name, settings, shape in zip(self._nodes, names, self._held(), shapes, strict=True):
            opening, data = f'    <node id="{ids[node.name]}"', shape.data(settings, name)
            if kept := node.foreign.fragments:
                opening += _attributes(kept)
                data += _children(kept)
            yield f"{opening}>\n{data}    </node>\n"


class _Edges:
    """The edges likewise."""

    def __init__(self, metatask: MetaTask, state: State) -> None:
        self._edges = list(metatask.edges)
        self._state = state
        self.speller = Speller("edge", self._held(), "      ")

    def _held(self) -> Iterator[Mapping[str, Value]]:
        """The settings of each, likewise."""
        if not self._state:
            return (edge.settings for edge in self._edges)
        return ({**e.settings, **self._state.get(("edge", e.id), {})} for e in self._edges)

    def lines(self, ends: Mapping[str, str]) -> Iterator[str]:
        """One element each; `ends` are the ids of nodes by name."""
        ids = spelling.all_of(attribute, _unique([edge.id for edge in self._edges], "e"))
        shapes = self.speller.shapes
        for id, edge, settings, shape in zip(ids, self._edges, self._held(), shapes, strict=True):
            opening = f'    <edge id="{id}" source="{ends[edge.source]}" target="{ends[edge.target]}"'
            data = shape.data(settings)
            if kept := edge.foreign.fragments:
                opening += _attributes(kept)
                data += _children(kept)
            yield f"{opening}>\n{data}    </edge>\n" if data else f"{opening}/>\n"


def _unique(wanted: Sequence[str], prefix: str) -> Sequence[str]:
    """An id for each: the wanted one where it is still free, else the next free number."""
    asked = set(wanted)
    if len(asked) == len(wanted) and "" not in asked:
        return wanted
    free = (id for n in count() if (id := f"{prefix}{n}") not in asked)
    used: set[str] = set()
    given = []
    for id in wanted:
        given.append(id if id and id not in used else next(free))
        used.add(given[-1])
    return given


def _children(fragments: Iterable[tuple[str, str]], indent: str = "      ") -> str:
    """The foreign children, a line each."""
    lines = []
    for slot, text in fragments:
        if slot.startswith("="):
            lines.append(f'{indent}<data key="{attribute(slot[1:])}">{content(text)}</data>\n')
        elif slot.startswith("<"):
            lines.append(f"{indent}{text}\n")
    return "".join(lines)


def _attributes(fragments: Iterable[tuple[str, str]]) -> str:
    """The foreign attributes; one of another namespace brings a prefix of its own."""
    spelled = []
    for number, (slot, text) in enumerate(pair for pair in fragments if pair[0].startswith("@")):
        namespace, _, name = slot[1:].rpartition("}")
        if namespace[1:] == foreign.XML:
            name = f"xml:{name}"
        elif namespace:
            spelled.append(f' xmlns:a{number}="{attribute(namespace[1:])}"')
            name = f"a{number}:{name}"
        spelled.append(f' {name}="{attribute(text)}"')
    return "".join(spelled)
