"""Put filled templates in the place of the nodes that stand for them. Pure.

Tasks are named `outer--inner`. An edge into the node goes to the tasks that the template's entries feed, an
edge out of it comes from the tasks that feed its exits (where it has none, from those without an edge out).
Where a template has several, the type of the edge tells which; an edge that says no type means all. What the
dataset is follows from the side that makes it, the policies from the consumer's; the outer edge's own win.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from deft.authoring.templates.copies import JOINT
from deft.base.errors import Finding
from deft.model import graph
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import NO_FOREIGN, Edge, NodeKind, Task
from deft.wire import placeholders

# What an edge says of its dataset; the rest is the consumer's policy.
_FACTS = frozenset({"dataset", "type", "format", "source", "source.json", "open", "rescan_s"})
_OF_THE_NODE = frozenset({"template", "command", "folder"})
_OF_THE_GRAPH = frozenset({"goal", "snapshot"})  # keys that a node may have too
_LONGEST_ID = 200


@dataclass(slots=True)
class Part:
    """A filled template with the names of its place; `taken`: edges that outer edges stand for."""

    node: Task
    nodes: list[Task]
    edges: list[Edge]
    entries: list[Edge] = field(default_factory=list)
    exits: list[Edge] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)

    def left(self) -> tuple[list[Task], list[Edge]]:
        """Its nodes and edges without what outer edges took over."""
        edges = [edge for edge in self.edges if id(edge) not in self.taken]
        joined = {end for edge in edges for end in (edge.source, edge.target)}
        return [node for node in self.nodes if node.kind is NodeKind.TASK or node.name in joined], edges


def part(node: Task, inner: MetaTask, outer: MetaTask) -> Part:
    """The template `inner` in the place of `node`."""
    nodes = [_inside(node, task, inner, outer) for task in inner.nodes]
    kinds = {task.name: task.kind for task in nodes}
    edges = [_moved(node, edge) for edge in inner.edges]
    made = Part(node, nodes, edges)
    made.entries = [edge for edge in edges if kinds[edge.source] is NodeKind.ENTRY]
    made.exits = [edge for edge in edges if kinds[edge.target] is NodeKind.EXIT]
    if NodeKind.EXIT not in kinds.values():
        feeding = {edge.source for edge in edges}
        ends = (name for name, kind in kinds.items() if kind is NodeKind.TASK and name not in feeding)
        made.exits = [Edge(name, "") for name in ends]
    return made


def _name(node: Task, name: str) -> str:
    return f"{node.name}{JOINT}{name}"


def _id(first: str, second: str) -> str:
    """The id of an edge; none (it gets a number) where it would be endless."""
    return made if first and second and len(made := first + JOINT + second) <= _LONGEST_ID else ""


def _moved(node: Task, edge: Edge) -> Edge:
    source, target = _name(node, edge.source), _name(node, edge.target)
    named = _id(node.name, edge.id)
    return replace(edge, source=source, target=target, id=named, line=node.line, foreign=NO_FOREIGN)


def _inside(node: Task, task: Task, inner: MetaTask, outer: MetaTask) -> Task:
    """A node of the template as the outer graph knows it: what its own graph said goes onto the node."""
    settings = dict(task.settings)
    if task.kind is NodeKind.TASK:
        settings = {**_of_graph(inner, task), **_of_node(node), **settings}
        if "template" in placeholders.used(task.command) and inner.folder != outer.folder:
            settings.setdefault("folder", inner.folder)
    return Task(_name(node, task.name), task.kind, settings, line=node.line)


def _of_graph(inner: MetaTask, task: Task) -> dict[str, Value]:
    """Labels, and the parameters that its command names: in the outer graph others may be called so."""
    used = set(placeholders.used(task.command))
    return {
        name: value
        for name, value in inner.settings.items()
        if name in used or name in _OF_THE_GRAPH or name.startswith("attr.")
    }


def _of_node(node: Task) -> dict[str, Value]:
    """What stands on the node itself holds for every task in it that says nothing else."""
    return {
        name: value
        for name, value in node.settings.items()
        if name not in _OF_THE_NODE and not name.startswith("param.")
    }


def splice(outer: MetaTask, parts: Mapping[str, Part], found: list[Finding]) -> MetaTask:
    """The Meta-Task with each part in the place of its node; what is wrong is added to `found`."""
    edges = list(_edges(outer, parts, found))
    nodes: list[Task] = []
    for node in outer.nodes:
        if node.name in parts:
            left, inside = parts[node.name].left()
            nodes += left
            edges += inside
        else:
            nodes.append(node)
    made = graph.copy_with(outer, _once(nodes, found), ())
    for edge in _numbered(_ordered(edges, nodes)):
        made.join(edge)
    return made


def _once(nodes: Sequence[Task], found: list[Finding]) -> Iterator[Task]:
    seen: set[str] = set()
    for node in nodes:
        if node.name in seen:
            message = f"two tasks would be called {node.name!r}"
            found.append(Finding("duplicate-task", message, node.line, node.name, "rename one"))
        else:
            seen.add(node.name)
            yield node


def _ordered(edges: Sequence[Edge], nodes: Sequence[Task]) -> list[Edge]:
    """By source in the order of nodes, as a document that is read again has them."""
    place = {node.name: number for number, node in enumerate(nodes)}
    return sorted(edges, key=lambda edge: place[edge.source])


def _numbered(edges: Sequence[Edge]) -> Iterator[Edge]:
    """The same, with a free number for an id that is missing or was given before."""
    asked = {edge.id for edge in edges}
    free = (id for number in count() if (id := f"e{number}") not in asked)
    used: set[str] = set()
    for edge in edges:
        yield edge if edge.id and edge.id not in used else replace(edge, id=next(free))
        used.add(edge.id)


def _edges(outer: MetaTask, parts: Mapping[str, Part], found: list[Finding]) -> Iterator[Edge]:
    """The edges of the outer graph, at their new ends."""
    for edge in outer.edges:
        left: Sequence[Edge] = [edge]
        if edge.source in parts:
            left = _out_of(parts[edge.source], edge, found)
        if edge.target in parts:
            left = [into for one in left for into in _into(parts[edge.target], one, found)]
        yield from left


def _out_of(from_: Part, edge: Edge, found: list[Finding]) -> list[Edge]:
    matching = _matching(from_, edge, from_.exits, "exit", found)
    asked = _asked(edge)
    wrong = [one for one in matching if asked and _asked(one) and one.type != edge.type]
    if wrong:
        _refuse(from_, edge, from_.exits, "exit", found)
        return []
    return [
        replace(
            edge, source=one.source, id=_id(edge.id, one.id), settings=_merged(edge, facts=one, policies=edge)
        )
        for one in matching
    ]


def _into(to: Part, edge: Edge, found: list[Finding]) -> list[Edge]:
    matching = _matching(to, edge, to.entries, "entry", found)
    return [
        replace(
            edge, target=one.target, id=_id(edge.id, one.id), settings=_merged(edge, facts=edge, policies=one)
        )
        for one in matching
    ]


def _merged(edge: Edge, *, facts: Edge, policies: Edge) -> dict[str, Value]:
    """`facts` tells the dataset, `policies` its use; the outer `edge` wins, and fills what they lack."""
    settings = {**policies.settings, **edge.settings}
    if facts is edge:
        return {
            name: value for name, value in settings.items() if name not in _FACTS or name in edge.settings
        }
    return settings | {name: value for name, value in facts.settings.items() if name in _FACTS}


def _asked(edge: Edge) -> bool:
    """True where it says which type it is."""
    return bool(edge.text("type") or edge.text("format"))


def _matching(place: Part, edge: Edge, ports: Sequence[Edge], what: str, found: list[Finding]) -> list[Edge]:
    """The ports that an edge means; they count as taken. None, and a finding, where it cannot be told."""
    several = len({port.type for port in ports}) > 1
    matching = [port for port in ports if port.type == edge.type] if several else list(ports)
    if not matching and not _asked(edge):
        matching = list(ports)
    if not matching:
        _refuse(place, edge, ports, what, found)
    place.taken.update(map(id, matching))
    return matching


def _refuse(place: Part, edge: Edge, ports: Sequence[Edge], what: str, found: list[Finding]) -> None:
    has = ", ".join(sorted({port.type for port in ports})) or "none"
    message = (
        f"the edge {edge.source} -> {edge.target}: {place.node.name} has no {what} of the type {edge.type}"
    )
    found.append(
        Finding(f"no-{what}", message, edge.line, place.node.name, f"types of its {what} nodes: {has}")
    )
