"""The Meta-Task: tasks joined by datasets, kept as a NetworkX MultiDiGraph.

Nodes are keyed by task name and carry `task`; edges are keyed by edge id and carry `edge`. Between two
tasks there may be several datasets, so the graph is always a multigraph. Datasets are not stored: they
follow from the edges (`datasets`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import networkx as nx

from deft.model.keys import Value
from deft.model.tasks import NO_FOREIGN, NOTHING, Dataset, Edge, Foreign, NodeKind, Task
from deft.wire import placeholders

DEFAULT_PROJECT = "default"


class MetaTask:
    """A directed graph of tasks; acyclic once `model.rules` found nothing.

    `settings` are the graph's keys of the profile (without name and project), `origin` the file or template
    it came from, `folder` where its payload files lie (absolute; empty where there are none). `written` is
    the document before it was filled, where there was anything to fill.
    """

    def __init__(
        self,
        name: str,
        *,
        project: str = DEFAULT_PROJECT,
        settings: Mapping[str, Value] = NOTHING,
        foreign: Foreign = NO_FOREIGN,
        origin: str = "",
        folder: str = "",
        written: str = "",
    ) -> None:
        self.name = name
        self.project = project
        self.settings = dict(settings)
        self.foreign = foreign
        self.origin = origin
        self.folder = folder
        self.written = written
        self.graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        self._joined = 0  # how many edges there are; the graph itself would count them one by one
        # Derived; forgotten at every change.
        self._datasets: list[Dataset] | None = None
        self._levels: list[list[str]] | None = None

    @property
    def full_name(self) -> str:
        """`project/name`."""
        return f"{self.project}/{self.name}"

    def add(self, task: Task) -> None:
        """Add a node. Raises ValueError where the name is taken."""
        if task.name in self.graph:
            raise ValueError(f"two tasks are called {task.name!r}")
        self.graph.add_node(task.name, task=task)
        self._datasets = self._levels = None

    def join(self, edge: Edge) -> None:
        """Add an edge between two nodes; one without an id gets the next free `eN`.

        Raises ValueError for an unknown end, KeyError for an id in use between the same two tasks.
        """
        for end in (edge.source, edge.target):
            if end not in self.graph:
                raise ValueError(f"the edge {edge.source} -> {edge.target} names no task {end!r}")
        named = edge if edge.id else replace(edge, id=f"e{self._joined}")
        if self.graph.has_edge(edge.source, edge.target, named.id):
            raise KeyError(named.id)
        self.graph.add_edge(edge.source, edge.target, key=named.id, edge=named)
        self._joined += 1
        self._datasets = self._levels = None

    def task(self, name: str) -> Task:
        """The node of that name. Raises KeyError."""
        found: Task = self.graph.nodes[name]["task"]
        return found

    @property
    def nodes(self) -> Iterator[Task]:
        """Every node, pseudo-tasks too, in the order they were added."""
        return (data["task"] for _, data in self.graph.nodes(data=True))

    @property
    def tasks(self) -> Iterator[Task]:
        """The tasks alone."""
        return (node for node in self.nodes if node.kind is NodeKind.TASK)

    @property
    def edges(self) -> Iterator[Edge]:
        """Every edge, by source in the order of nodes."""
        for _, targets in self.graph.adjacency():  # the graph's own view takes several times as long
            for keyed in targets.values():
                for data in keyed.values():
                    yield data["edge"]

    def inputs(self, name: str) -> list[Edge]:
        """The edges into a node."""
        return [data["edge"] for _, _, data in self.graph.in_edges(name, data=True)]

    def outputs(self, name: str) -> list[Edge]:
        """The edges out of a node."""
        return [data["edge"] for _, _, data in self.graph.out_edges(name, data=True)]

    def depths(self) -> dict[str, int]:
        """The longest path to each node, in edges: a topological level. Raises nx.NetworkXUnfeasible."""
        if self._levels is None:
            self._levels = [list(level) for level in nx.topological_generations(self.graph)]
        return {name: depth for depth, level in enumerate(self._levels) for name in level}

    def cycle(self) -> list[str] | None:
        """One cycle as the names along it, the first again at its end; None where there is none."""
        try:
            self.depths()
        except nx.NetworkXUnfeasible:
            path = [source for source, *_ in nx.find_cycle(self.graph)]
            return [*path, path[0]]
        return None

    def datasets(self) -> list[Dataset]:
        """The datasets: those of edges, the implied outputs, and the synthetic inputs of generators."""
        if self._datasets is None:
            self._datasets = self._derived()
        return self._datasets

    def _derived(self) -> list[Dataset]:
        found = [dataset for node in self.nodes for dataset in self._produced(node)]
        return found + [
            Dataset(
                producer=None,
                type="synthetic",
                synthetic=int(task.settings.get("split.jobs", 1)),
                consumer=task.name,
            )
            for task in self.tasks
            if all(edge.text("role") == "secondary" for edge in self.inputs(task.name))
        ]

    def _produced(self, node: Task) -> list[Dataset]:
        groups: dict[tuple[str, str], list[Edge]] = {}
        for edge in self.outputs(node.name):
            groups.setdefault(edge.group, []).append(edge)
        external = node.kind is NodeKind.ENTRY
        made = [_dataset(None if external else node.name, edges) for edges in groups.values()]
        if node.kind is NodeKind.TASK:
            made += [Dataset(node.name, type) for type in _implied_types(node, {d.type for d in made})]
        return made


def _dataset(producer: str | None, edges: list[Edge]) -> Dataset:
    first = edges[0]
    return Dataset(
        producer=producer,
        type=first.type,
        name=first.text("dataset"),
        format=next((e.text("format") for e in edges if e.text("format")), ""),
        edges=tuple(edges),
        sources=next((e.legal_sources for e in edges if e.legal_sources), ()),
        open=any(bool(e.settings.get("open")) for e in edges),
    )


def _implied_types(task: Task, known: set[str]) -> list[str]:
    """Outputs that the command names and no edge carries; `data` where a task would have none."""
    names = placeholders.used(task.command)
    named = [name.removeprefix("output.") for name in names if name.startswith("output.")]
    implied = [type for type in dict.fromkeys(named) if type not in known]
    return implied or ([] if known else ["data"])


Ends = tuple[str, str, str]
"""Which edge: its source, its target, its id."""


def with_settings(
    metatask: MetaTask, tasks: Mapping[str, Mapping[str, Value]], edges: Mapping[Ends, Mapping[str, Value]]
) -> MetaTask:
    """The same Meta-Task with other settings of some nodes, by name, and of some edges."""
    nodes = (replace(n, settings=tasks[n.name]) if n.name in tasks else n for n in metatask.nodes)
    joined = (
        replace(e, settings=edges[ends]) if (ends := (e.source, e.target, e.id)) in edges else e
        for e in metatask.edges
    )
    return copy_with(metatask, nodes, joined)


def copy_with(metatask: MetaTask, nodes: Iterable[Task], edges: Iterable[Edge]) -> MetaTask:
    """The same Meta-Task with other nodes and edges."""
    made = MetaTask(
        metatask.name,
        project=metatask.project,
        settings=metatask.settings,
        foreign=metatask.foreign,
        origin=metatask.origin,
        folder=metatask.folder,
        written=metatask.written,
    )
    for node in nodes:
        made.add(node)
    for edge in edges:
        made.join(edge)
    return made
