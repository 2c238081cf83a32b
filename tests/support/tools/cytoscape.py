"""Cytoscape: a network with columns.

As its writer and a file of it tell: nodes are called by numbers of its own, edges by nothing; keys are called
by their columns, so one id may stand for nodes, edges and the network at once; what the network itself holds
is declared and not written; blank texts are no values; lists are written as Java shows them.
"""

from __future__ import annotations

from itertools import count

from tests.support.tools import elements
from tests.support.tools.elements import Document, Row, Tables

_OWN = {
    "node": (("SUID", "long"), ("shared name", "string"), ("name", "string"), ("selected", "boolean")),
    "edge": (("SUID", "long"), ("shared name", "string"), ("interaction", "string"), ("name", "string")),
    "graph": (("SUID", "long"), ("name", "string"), ("__Annotations", "string")),
}


def trip(document: bytes, *, namespace: bool = True) -> bytes:
    """Opened in Cytoscape and exported; older ones write no namespace."""
    tables = elements.read(document)
    made = Document(namespace=namespace)
    names = _keys(made, tables)
    numbers = count(62)
    graph = made.element(None, "graph", edgedefault="directed", id="network")
    called: dict[str, str] = {}
    for row in tables.nodes:
        own = str(next(numbers))
        called[row.attributes["id"]] = own
        node = made.element(graph, "node", id=own)
        told = {
            "SUID": own,
            "shared name": row.attributes["id"],
            "name": row.attributes["id"],
            "selected": "false",
        }
        for key, text in {**told, **_cells(row, "node", names)}.items():
            made.data(node, key, text)
    for row in tables.edges:
        ends = {name: called[row.attributes[name]] for name in ("source", "target")}
        edge = made.element(graph, "edge", **ends)
        said = f"{row.attributes['source']} (interacts with) {row.attributes['target']}"
        told = {"SUID": str(next(numbers)), "shared name": said, "interaction": "interacts with"}
        for key, text in {**told, **_cells(row, "edge", names)}.items():
            made.data(edge, key, text)
    return made.bytes()


def _keys(made: Document, tables: Tables) -> dict[tuple[str, str], str]:
    """Declare all columns; their names by scope and old id."""
    for scope, own in _OWN.items():
        for name, type in own:
            made.key(name, scope, attr_name=name, attr_type=type)
    names: dict[tuple[str, str], str] = {}
    for column in tables.columns:
        known = {name.lower() for name, _ in _OWN.get(column.scope, ())}
        if column.type != "yfiles" and column.name.lower() not in known:
            made.key(column.name, column.scope, attr_name=column.name, attr_type=column.type)
            names[column.scope, column.id] = column.name
    return names


def _cells(row: Row, scope: str, names: dict[tuple[str, str], str]) -> dict[str, str]:
    found = ((names.get((scope, key)), text) for key, text in row.texts.items())
    return {name: text for name, text in found if name and text.strip()}
