"""Boost.Graph and graph-tool, which write alike.

As files that they wrote tell: everything is numbered anew (key0, n0, e0); a property has a value on every
node or edge, so what was absent becomes empty, false or zero; truth values are 1 and 0; Boost writes six
digits of a number, graph-tool all.
"""

from __future__ import annotations

from tests.support.tools import elements
from tests.support.tools.elements import Column, Document, Row

_EMPTY = {"boolean": "0", "int": "0", "long": "0", "float": "0", "double": "0", "string": ""}


def trip(document: bytes, *, digits: int = 6) -> bytes:
    """Read and written by Boost; by graph-tool with 17 digits."""
    tables = elements.read(document)
    tables.columns = [column for column in tables.columns if column.type in _EMPTY]
    made = Document()
    keys = {(c.scope, c.id): f"key{number}" for number, c in enumerate(tables.columns)}
    for column in tables.columns:
        made.key(keys[column.scope, column.id], column.scope, attr_name=column.name, attr_type=column.type)
    graph = made.element(None, "graph", id="G", edgedefault="directed")
    graph.set("parse.nodeids", "canonical")
    graph.set("parse.edgeids", "canonical")
    graph.set("parse.order", "nodesfirst")

    def fill(holder: object, row: Row, columns: list[Column]) -> None:
        for column in columns:
            text = row.texts.get(column.id, _EMPTY[column.type])
            made.data(holder, keys[column.scope, column.id], _told(column.type, text, digits))  # type: ignore[arg-type]

    fill(graph, tables.graph, tables.of("graph"))
    called = {row.attributes["id"]: f"n{number}" for number, row in enumerate(tables.nodes)}
    for row in tables.nodes:
        fill(made.element(graph, "node", id=called[row.attributes["id"]]), row, tables.of("node"))
    for number, row in enumerate(tables.edges):
        ends = {name: called[row.attributes[name]] for name in ("source", "target")}
        fill(made.element(graph, "edge", id=f"e{number}", **ends), row, tables.of("edge"))
    return made.bytes()


def _told(type: str, text: str, digits: int) -> str:
    if type == "boolean":
        return str(int(text in ("true", "1")))
    return f"{float(text):.{digits}g}" if type in ("float", "double") else text
