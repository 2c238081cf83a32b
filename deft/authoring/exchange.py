"""A Meta-Task as a NetworkX graph with all that tools left on it, and where it stands; and back.

Beside the keys of the profile (`deft.model.exchange`) a node, an edge or the graph has what other tools wrote
as plain data, under its own name: a label, x and y, a weight. On the way back any attribute that is no key of
the profile is kept so. What is more than plain data, such as the drawings of yEd, stays behind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import networkx as nx

from deft.authoring.graphml import foreign, fresh
from deft.authoring.graphml.plain_data import Plain
from deft.model import exchange, graph, keys
from deft.model.graph import MetaTask
from deft.model.keys import Scope, Value
from deft.model.tasks import NO_FOREIGN, Foreign

State = Mapping[tuple[Scope, str], Mapping[str, Value]]  # (scope, task or edge id) -> state.* values
_PLAIN_ID = re.compile(r"[a-z_][a-z0-9_-]*\Z")
_OWN = frozenset({"node_default", "edge_default"})  # NetworkX's, on every graph that it read


def to_networkx(metatask: MetaTask, state: State | None = None) -> nx.MultiDiGraph[str]:
    """A graph of its own; `state` adds values that the way back leaves out."""
    made, known, told = exchange.to_networkx(metatask), Plain(metatask), state or {}
    _add(made.graph, known.values("graph", metatask.foreign), told.get(("graph", "")))
    for node in metatask.nodes:
        held = known.values("node", node.foreign)
        _add(made.nodes[node.name], held, told.get(("node", node.name)))
    for edge in metatask.edges:
        held = known.values("edge", edge.foreign)
        _add(made.edges[edge.source, edge.target, edge.id], held, told.get(("edge", edge.id)))
    return made


def _add(data: dict[str, Any], held: Mapping[str, Value], told: Mapping[str, Value] | None) -> None:
    for name, value in held.items():
        data.setdefault(name, value)
    data.update(told or {})


def from_networkx(found: nx.DiGraph[Any], name: str | None = None) -> MetaTask:
    """A Meta-Task of any directed NetworkX graph. Raises ValueError as `deft.model.exchange` does."""
    made = exchange.from_networkx(found, name)
    others = _Others(found)
    if not others.declared:
        return made
    nodes = [
        replace(node, foreign=others.of("node", data))
        for node, (_, data) in zip(made.nodes, found.nodes(data=True), strict=True)
    ]
    edges = [
        replace(edge, foreign=others.of("edge", data))
        for edge, (_, _, data) in zip(made.edges, found.edges(data=True), strict=True)
    ]
    kept = graph.copy_with(made, nodes, edges)
    kept.foreign = Foreign((*others.of("graph", found.graph).fragments, *others.declared))
    return kept


class _Others:
    """The attributes of a graph that are no keys of the profile, each with one type for all its values."""

    def __init__(self, found: nx.DiGraph[Any]) -> None:
        self._types: dict[tuple[Scope, str], set[type]] = {}
        self._note("graph", iter([found.graph]))
        self._note("node", (data for _, data in found.nodes(data=True)))
        self._note("edge", (data for _, _, data in found.edges(data=True)))
        self._ids: dict[tuple[Scope, str], str] = {}
        for scope, name in sorted(self._types):
            self._ids[scope, name] = self._id(name)
        self.declared = tuple(sorted(
            (f"#{id}", _declaration(scope, name, id, self._types[scope, name]))
            for (scope, name), id in self._ids.items()
        ))  # fmt: skip

    def _note(self, scope: Scope, elements: Iterator[Mapping[Any, Any]]) -> None:
        for data in elements:
            for name, value in data.items():
                if _is_other(scope, name, value):
                    self._types.setdefault((scope, str(name)), set()).add(type(value))

    def _id(self, name: str) -> str:
        taken = set(self._ids.values())
        return fresh.id(name if _PLAIN_ID.match(name) else "a", taken.__contains__)

    def of(self, scope: Scope, data: Mapping[Any, Any]) -> Foreign:
        """What an element has of them."""
        kept = tuple(
            (f"={self._ids[scope, str(name)]}", _text(value))
            for name, value in data.items()
            if _is_other(scope, name, value)
        )
        return Foreign(kept) if kept else NO_FOREIGN


def _is_other(scope: Scope, name: Any, value: Any) -> bool:
    if exchange.is_absent(value) or str(name) in _OWN or str(name).startswith(keys.STATE):
        return False
    return keys.find(scope, str(name)) is None


def _declaration(scope: Scope, name: str, id: str, types: set[type]) -> str:
    if types == {bool}:
        type = "boolean"
    elif types == {int}:
        type = "long"
    else:
        type = "double" if types <= {int, float} else "string"
    return f'<key attr.name="{foreign.attribute(name)}" attr.type="{type}" for="{scope}" id="{id}"/>'


def _text(value: Any) -> str:
    """Texts, numbers and truth values as they are, structures as JSON, anything else in its own words."""
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, default=str)
    return keys.render(value)
