"""NetworkX's node-link JSON in: what `networkx.node_link_data` writes, under `edges` or, as it did, `links`.

Attributes with names of the profile are settings; other plain values become labels (`attr.x`), lists and
objects labels that end in `.json`. An edge's own `source` gets lost where its ends are called `source` and
`target`, as by default; ends that are called `from` and `to` leave room for it.
"""

from __future__ import annotations

import json
import os.path
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import networkx as nx

from deft.authoring.graphml import assemble
from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.limits import Limits
from deft.authoring.graphml.reader import Reading
from deft.authoring.importers import ending, jsonfile, names
from deft.authoring.importers.fields import Fields, Object
from deft.authoring.importers.jsonfile import step
from deft.authoring.importers.registry import Importer, Options
from deft.base.garbage import no_collection
from deft.model import exchange, keys
from deft.model.keys import Scope, Value

EDGES = ("edges", "links")
ENDS = (("source", "target"), ("from", "to"))
_HEAD = ("directed", "multigraph", "graph", "nodes", *EDGES)
_FOR_THE_EYE = keys.DISPLAY | {"color", "size", "weight", "shape", "pos"}
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


@no_collection()
def read(source: str, options: Options) -> Reading:
    """The Meta-Task of a node-link file. Raises BadInput with all findings, NotFound."""
    path, found = Path(source), Collector(strict=options.strict)
    making = _Making(Fields(found, options.limits.text), options.limits)
    plain = making.plain(jsonfile.read(path, options.limits))
    found.close(source)
    made = exchange.from_networkx(plain)
    made.name = made.name if "name" in plain.graph else assemble.slug(path.name.split(".")[0])
    made.origin, made.folder = str(path), os.path.dirname(os.path.abspath(path))
    return ending.reading(made, found, source)


class _Making:
    """A NetworkX graph whose attributes are keys of the profile, with values that they allow."""

    def __init__(self, fields: Fields, limits: Limits) -> None:
        self._fields, self._limits = fields, limits
        self._plain: nx.MultiDiGraph[str] = nx.MultiDiGraph()

    def plain(self, document: Any) -> nx.MultiDiGraph[str]:
        """The graph; what is wrong with the document is among the findings."""
        if not isinstance(document, dict):
            self._fields.wrong("bad-type", "the document is no object of JSON", "")
            return self._plain
        self._check_direction(document)
        self._plain.graph.update(self._settings("graph", self._graph_data(document), "/graph", ()))
        called = self._nodes(document)
        self._edges(document, called)
        for key in document.keys() - set(_HEAD):
            self._dropped(f"{key!r} of the document", key)
        return self._plain

    def _check_direction(self, document: Object) -> None:
        hint = 'a Meta-Task is directed: write "directed": true'
        if document.get("directed") is not True:
            said = json.dumps(document.get("directed"))
            self._fields.wrong("undirected", f"/directed is {said}, not true", "/directed", hint)

    def _graph_data(self, document: Object) -> Object:
        data = document.get("graph")
        if isinstance(data, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in data):
            return {str(name): value for name, value in data}  # as NetworkX 1 wrote it
        return self._fields.object(document, "graph", "")

    # --- nodes ---------------------------------------------------------------------------------------------

    def _nodes(self, document: Object) -> dict[str, str]:
        """Add the nodes; the names of the tasks by the spelled ids."""
        found: dict[str, tuple[Object, str]] = {}
        for number, (node, at) in enumerate(self._fields.objects(document, "nodes", "", needed=True)):
            if number >= self._limits.nodes:
                self._fields.wrong("too-many-nodes", f"it has more than {self._limits.nodes:,} nodes", at)
                break
            id = _spelled(node.get("id", number))
            if id in found:
                message = f"{at}: two nodes have the id {id}"
                self._fields.wrong("duplicate-node", message, at, f"the first is {found[id][1]}")
                continue
            found[id] = (node, at)
        called = self._names(found)
        first: dict[str, str] = {}
        for id, (node, at) in found.items():
            name = called[id]
            if first.setdefault(name, at) != at:
                message = f"{at}: two nodes are the task {name!r}"
                self._fields.wrong("duplicate-task", message, at, f"the first is {first[name]}")
            settings = self._settings("node", node, at, ("id", "task"))
            if name != id and "attr.id" not in settings and "task" not in node:
                settings["attr.id"] = names.literal(id)
            self._plain.add_node(name, **settings)
        return called

    def _names(self, nodes: Mapping[str, tuple[Object, str]]) -> dict[str, str]:
        """Names by ids: what a node says itself (`task`), else one that is made of its id."""
        said = {id: self._fields.text(node, "task", at) for id, (node, at) in nodes.items() if "task" in node}
        ids = {id: self._fields.text({"id": id}, "id", at) for id, (_, at) in nodes.items() if id not in said}
        return names.tasks(ids) | {id: name or "task" for id, name in said.items()}

    # --- edges ---------------------------------------------------------------------------------------------

    def _edges(self, document: Object, called: Mapping[str, str]) -> None:
        present = [key for key in EDGES if key in document] or ["edges"]
        if len(present) > 1:
            self._fields.wrong("two-lists", "it has both /edges and /links: which one is meant?", "/links")
        for number, (edge, at) in enumerate(self._fields.objects(document, present[0], "", needed=True)):
            if number >= self._limits.edges:
                self._fields.wrong("too-many-edges", f"it has more than {self._limits.edges:,} edges", at)
                return
            ends = ENDS[1] if all(key in edge for key in ENDS[1]) else ENDS[0]
            source, target = (self._end(edge, key, at, called) for key in ends)
            settings = self._settings("edge", edge, at, (*ends, "key"))
            if source is None or target is None:
                continue
            if source == target:
                self._fields.wrong("self-loop", f"{at} leads from {source!r} to itself", at)
                continue
            self._plain.add_edge(source, target, **settings)

    def _end(self, edge: Object, key: str, at: str, called: Mapping[str, str]) -> str | None:
        if key not in edge:
            self._fields.wrong("missing-key", f"{at} has no {key!r}", at)
            return None
        id = _spelled(edge[key])
        if id not in called:
            hint = "ends are ids, not places in the list" if isinstance(edge[key], int) else None
            message = f"{step(at, key)} names a node {id[:40]!r} that does not exist"
            self._fields.wrong("dangling-edge", message, at, hint)
        return called.get(id)

    # --- attributes ----------------------------------------------------------------------------------------

    def _settings(self, scope: Scope, data: Object, at: str, but: Iterable[str]) -> dict[str, Value]:
        made: dict[str, Value] = {}
        for name, value in data.items():
            if name in but or value is None:
                continue
            if name in _FOR_THE_EYE or name.startswith(keys.STATE):
                self._dropped(f"{scope} attribute {name!r}", name)
                continue
            key, text = self._key(scope, name, value, at)
            try:
                made[key.name] = keys.parse(key, text)
            except ValueError as fault:
                where = step(at, name)
                self._fields.wrong("bad-value", f"{where} = {text[:80]!r} {fault}", where)
        return made

    def _key(self, scope: Scope, name: str, value: Any, at: str) -> tuple[keys.Key, str]:
        """The key for an attribute, and its text."""
        is_plain = isinstance(value, str | int | float | bool)
        text = keys.render(value) if is_plain else json.dumps(value, ensure_ascii=False)
        text = self._fields.text({name: text}, name, at)
        known = keys.find(scope, name)
        if known is not None and (is_plain or name.endswith(".json")):
            return known, text
        label = f"attr.{_UNFIT.sub('_', name) or 'x'}" if known is None else name
        label += "" if is_plain or label.endswith(".json") else ".json"
        subject = f"{scope} {name}"
        message = f"{step(at, name)}: {name!r} is no key of a {scope}; kept as {label}"
        self._fields.found.warning("kept-as-label", message, subject=subject)
        found = keys.find(scope, label)
        return found or keys.Key(f"attr.{label}", scope, "string", "free"), text

    def _dropped(self, what: str, subject: str) -> None:
        self._fields.found.warning("dropped", f"{what} has no meaning here and is left out", subject=subject)


def _spelled(id: Any) -> str:
    """An id as a text; NetworkX takes lists as well, which come from tuples."""
    return id if isinstance(id, str) else json.dumps(id, ensure_ascii=False)


def _claims(head: bytes) -> bool:
    found = jsonfile.top_keys(head)
    return "nodes" in found or {"directed", "multigraph"} <= found


IMPORTER = Importer("node-link JSON of NetworkX", read, _claims)
