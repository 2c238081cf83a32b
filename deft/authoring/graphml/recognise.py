"""A document that was on a trip through another tool, seen beside the Meta-Task it came from.

Tools renumber ids, drop what they do not know, fill what is absent, and shorten numbers. `recognise` gives
the tasks and edges of the document the names and ids of the stored ones, and takes back what the tool did
to them; what is left to differ was done by a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count

from deft.authoring import slugs
from deft.authoring.graphml import keepsakes, labels, pairing, respelled
from deft.authoring.graphml.restoring import Restored, Restoring
from deft.base.errors import Finding
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, Task

__all__ = ["GRAPH", "Recognised", "Restored", "edge_subject", "recognise"]

GRAPH = "the graph"  # the subject of what belongs to no task and no edge
_NAMING = ("id", "name", "shared name", "label")  # keys in which tools keep what a node was called


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was read, with the names and ids of the stored Meta-Task and in its order; what is new comes last.

    `restored` is what a tool had lost or bent; `findings` (warnings) are for a person to look at.
    """

    metatask: MetaTask
    restored: tuple[Restored, ...]
    findings: tuple[Finding, ...]


def recognise(stored: MetaTask, read: MetaTask) -> Recognised:
    """Find the tasks and edges of `stored` in `read`, both filled; neither is changed."""
    trip = _Trip(stored, read)
    made = trip.metatask()
    return Recognised(made, tuple(trip.values.restored), tuple(trip.findings))


class _Trip:
    """One comparison, and what it found."""

    def __init__(self, stored: MetaTask, read: MetaTask) -> None:
        self.findings: list[Finding] = []
        self._stored, self._read = stored, read
        self._names = self._known_names()
        self._nodes = {self._names[node.name]: node for node in read.nodes}
        self._edges = pairing.pairs(stored, read, self._names)
        self.values = Restoring(stored, read, self._pairs())

    def _pairs(self) -> Iterator[tuple[Task | Edge, Task | Edge]]:
        """The tasks and edges that both have."""
        graph = self._stored.graph
        yield from ((self._stored.task(name), node) for name, node in self._nodes.items() if name in graph)
        yield from ((one, other) for one, other in self._edges if one and other)

    def metatask(self) -> MetaTask:
        """What was read, restored."""
        stored = self._stored
        made = MetaTask(
            stored.name,
            project=stored.project,
            settings=self._graph_settings(),
            foreign=self.values.foreign("graph", GRAPH, stored.foreign, self._read.foreign),
            origin=stored.origin,
            folder=stored.folder,
            written=stored.written,
        )
        known = (node.name for node in stored.nodes if node.name in self._nodes)
        for name in dict.fromkeys(chain(known, self._nodes)):
            made.add(self._node(name, self._nodes[name]))
        for edge in self._restored_edges():
            made.join(edge)
        return made

    def _graph_settings(self) -> Mapping[str, Value]:
        before, after = self._stored.settings, self._read.settings
        if after or not before:
            return self.values.settings("graph", GRAPH, before, after)
        for key in before:
            self.values.note(GRAPH, key, respelled.LOST)
        message = f"the document has none of the {len(before)} values of the graph; the stored ones stand"
        self.findings.append(_warning("graph-lost", message, subject=GRAPH))
        return before

    # --- tasks ---------------------------------------------------------------------------------------------

    def _known_names(self) -> dict[str, str]:
        """The name in the stored Meta-Task of each node that was read; new ones keep theirs."""
        own = {node.name: node.name for node in self._read.nodes}
        silent = {node.name for node in self._read.nodes if _is_silent(node)}
        for what, said in _other_names(self._read, silent):
            unknown = {node: text for node, text in said.items() if own[node] not in self._stored.graph}
            found = self._by(unknown, set(own.values()))
            if found:
                own |= found
                message = f"{len(found)} nodes do not say their task; they are known by their {what}"
                self.findings.append(_warning("no-task-key", message, "keep the column `task`"))
        return own

    def _by(self, said: Mapping[str, str], used: set[str]) -> dict[str, str]:
        """The stored name of each node by a text that is its name or its id, where no other node has it."""
        ids = {node.id: node.name for node in self._stored.nodes if node.id}
        found: dict[str, str] = {}
        for node, text in said.items():
            name = text if text in self._stored.graph else ids.get(text, "")
            if name and name not in used:
                found[node] = name
                used.add(name)
        return found

    def _node(self, name: str, node: Task) -> Task:
        if name not in self._stored.graph:
            return replace(node, name=name)
        before = self._stored.task(name)
        return replace(
            node,
            name=name,
            id=before.id,
            settings=self.values.settings("node", name, before.settings, node.settings),
            foreign=self.values.foreign("node", name, before.foreign, node.foreign),
        )

    # --- edges ---------------------------------------------------------------------------------------------

    def _restored_edges(self) -> Iterator[Edge]:
        there = {(one.source, one.target) for one, other in self._edges if one and other}
        taken = {one.id for one, _ in self._edges if one}
        free = (id for n in count() if (id := f"e{n}") not in taken)
        for before, after in self._edges:
            if before and after:
                yield self._edge(before, after)
            elif before and self.values.by_gephi and (before.source, before.target) in there:
                self._note_merged(before)
                yield before
            elif after:
                id = after.id if after.id and after.id not in taken else next(free)
                taken.add(id)
                ends = self._names[after.source], self._names[after.target]
                yield replace(after, source=ends[0], target=ends[1], id=id)

    def _edge(self, before: Edge, after: Edge) -> Edge:
        subject = edge_subject(before)
        return replace(
            before,
            settings=self.values.settings("edge", subject, before.settings, after.settings),
            line=after.line,
            foreign=self.values.foreign("edge", subject, before.foreign, after.foreign),
        )

    def _note_merged(self, edge: Edge) -> None:
        subject = edge_subject(edge)
        self.values.note(subject, "", respelled.MERGED)
        message = f"the edge {subject} ({edge.type}) was merged into another one of the same tasks"
        hint = "import it without merging parallel edges; to remove it, use another editor"
        self.findings.append(_warning("merged-edge", message, hint, subject))


def edge_subject(edge: Edge) -> str:
    """An edge as `Restored` and findings name it."""
    return f"{edge.source} -> {edge.target} {edge.id}"


def _is_silent(node: Task) -> bool:
    """True where its name seems to be no more than its id."""
    return node.name == node.id or slugs.slug(node.id) in node.name


def _other_names(read: MetaTask, silent: set[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """What else may say which task a silent node is: (what it is, the text by node), most telling first."""
    ids = keepsakes.ids(read.foreign, "node")
    nodes = [node for node in read.nodes if node.name in silent]
    for name in _NAMING:
        slot = f"={ids.get(name)}"
        said = {node.name: dict(node.foreign.fragments).get(slot, "") for node in nodes}
        yield f"key {name!r}", {node: text for node, text in said.items() if text}
    drawn = labels.drawn_names(read)
    yield "label in the drawing", {node: text for node, text in drawn.items() if node in silent}
    if len(nodes) == read.graph.number_of_nodes():  # else a new node may have been given the id of an old one
        yield "id", {node.name: node.id for node in nodes}


def _warning(code: str, message: str, hint: str | None = None, subject: str | None = None) -> Finding:
    return Finding(code, message, None, subject, hint, severity="warning")
