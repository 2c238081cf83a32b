"""A Meta-Task as a plain NetworkX graph, and back: attributes are the profile's keys with typed values.

Always a MultiDiGraph, since two tasks may share several datasets. Nodes are called by their tasks, edges are
keyed by their ids.

    graph   name, project, and the keys of the graph
    node    task, metatask, kind, and the keys of nodes
    edge    the keys of edges

`task` and `metatask` repeat what nodes and graph are called, for tools that call them anew.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import networkx as nx

from deft.model import keys
from deft.model.graph import DEFAULT_PROJECT, MetaTask
from deft.model.keys import Scope, Value
from deft.model.tasks import Edge, NodeKind, Task

_SAID = {
    "graph": ("name", "project", "deft.version"),
    "node": ("task", "metatask", "kind"),
    "edge": (),
}  # what is no setting


def to_networkx(metatask: MetaTask) -> nx.MultiDiGraph[str]:
    """A graph of its own; `from_networkx` reads it back."""
    plain: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    plain.graph.update(metatask.settings, name=metatask.name, project=metatask.project)
    belongs = metatask.full_name
    for node in metatask.nodes:
        own = {"task": node.name, "metatask": belongs, "kind": node.kind.value}
        plain.add_node(node.name, **{**node.settings, **own})
    for edge in metatask.edges:
        plain.add_edge(edge.source, edge.target, key=edge.id, **edge.settings)
    return plain


def from_networkx(graph: nx.DiGraph[Any], name: str | None = None) -> MetaTask:
    """A Meta-Task of any directed NetworkX graph whose attributes are keys of the profile.

    Other attributes are left out, None and NaN count as absent. A node is the task of its attribute `task`,
    else it is called as it is. Raises ValueError for an undirected graph, for a value that a key does not
    allow, for two nodes of one task.
    """
    if not graph.is_directed():
        raise ValueError("a Meta-Task is a directed graph; this one is undirected")
    settings = _settings("graph", graph.graph, "the graph")
    called = {node: str(data.get("task") or node) for node, data in graph.nodes(data=True)}
    made = _head(graph, settings, name)
    for node, data in graph.nodes(data=True):
        found = _settings("node", data, called[node])
        kind = NodeKind(str(found.get("kind", "task")))
        made.add(Task(called[node], kind, _without(found, "node"), id=str(node)))
    for (source, target, data), id in zip(graph.edges(data=True), edge_ids(graph), strict=True):
        found = _settings("edge", data, f"{source} -> {target}")
        made.join(Edge(called[source], called[target], found, id=id))
    return made


def _head(graph: nx.DiGraph[Any], settings: Mapping[str, Value], name: str | None) -> MetaTask:
    """The Meta-Task without its nodes: called as the graph says, else as its nodes do."""
    belongs = next((str(said) for _, said in graph.nodes(data="metatask") if said), "")
    project, _, own = belongs.rpartition("/")
    return MetaTask(
        name or str(settings.get("name") or own or "metatask"),
        project=str(settings.get("project") or project or DEFAULT_PROJECT),
        settings=_without(settings, "graph"),
    )


def edge_ids(graph: nx.DiGraph[Any]) -> list[str]:
    """The ids of its edges, in their order: their keys where all differ and somebody gave them."""
    if isinstance(graph, nx.MultiDiGraph):
        named = [str(key) for _, _, key in graph.edges(keys=True)]
        if len(set(named)) == len(named) and not _is_counted(graph):
            return named
    return [f"e{number}" for number in range(graph.number_of_edges())]


def _is_counted(graph: nx.MultiDiGraph[Any]) -> bool:
    """True where the keys are those that NetworkX gives itself: from 0 on, for each pair of nodes."""
    keyed: Iterator[Iterable[Any]] = (found for _, to in graph.adjacency() for found in to.values())
    return all(key == number for found in keyed for number, key in enumerate(found))


def _without(settings: Mapping[str, Value], scope: Scope) -> dict[str, Value]:
    return {name: value for name, value in settings.items() if name not in _SAID[scope]}


def _settings(scope: Scope, data: Mapping[Any, Any], subject: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in data.items():
        key = keys.find(scope, str(name))
        if key is None or is_absent(value):
            continue
        try:
            found[key.name] = keys.parse(key, _text(value))
        except ValueError as fault:
            raise ValueError(f"{subject}: {name} = {value!r} {fault}") from None
    return found


def is_absent(value: object) -> bool:
    """True for what stands for no value: None, and NaN as tables have it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, list | dict) else keys.render(value)
