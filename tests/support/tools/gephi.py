"""Gephi: its table of nodes, its table of edges, and nothing else.

As its importer and exporter are written: data of the graph is lost; ids of columns become lower case, and of
two that are then equal the second is lost; labels, places, sizes, colours and weights are read as such, as
32-bit numbers, and every node gets them; blank values are dropped; columns of unknown types, too; a second
edge of one id is dropped; parallel edges of one kind (the XML attribute `label`) become one, their weights
added, unless that is switched off.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from decimal import Decimal

from tests.support.tools import elements
from tests.support.tools.elements import Column, Document, Row

_NODE = {"label": "label", "d3": "label", "x": "x", "xpos": "x", "y": "y", "ypos": "y", "z": "z",
         "size": "size", "r": "r", "g": "g", "b": "b"}  # fmt: skip
_EDGE = {"label": "label", "edgelabel": "label", "d7": "label", "weight": "weight", "Edge Weight": "weight",
         "id": "id", "edgeid": "id", "r": "r", "g": "g", "b": "b"}  # fmt: skip
_TYPES = {"boolean", "int", "long", "float", "double", "string"}
_WHOLE = {"int": 2**31, "long": 2**63}
_FLOATS = ("x", "y", "size")
_DEFAULTS = {"size": "10.0", "r": "153", "g": "153", "b": "153"}


def trip(document: bytes, *, merge: bool = True) -> bytes:
    """Opened in Gephi and exported; `merge` is its setting for parallel edges."""
    tables = elements.read(document)
    nodes, edges = _Table(tables.of("node"), _NODE), _Table(tables.of("edge"), _EDGE)
    made = Document()
    _keys(made, nodes.columns, edges.columns)
    graph = made.element(None, "graph", edgedefault="directed")
    for number, row in enumerate(tables.nodes):
        shown, cells = nodes.read(row)
        node = made.element(graph, "node", id=row.attributes["id"])
        made.data(node, "label", shown.get("label") or row.attributes["id"])
        for id, text in cells.items():
            made.data(node, id, text)
        seen = {"x": f"{number * 7.25}", "y": f"{number * -3.1}", **_DEFAULTS, **shown}
        for name in ("size", "r", "g", "b", "x", "y"):
            made.data(node, name, single(seen[name]) if name in _FLOATS else seen[name])
    for attributes, told, filled in _edges(tables.edges, edges, merge=merge):
        edge = made.element(graph, "edge", **attributes)
        if "label" in told:
            made.data(edge, "edgelabel", told["label"])
        made.data(edge, "weight", told["weight"])
        for id, text in filled.items():
            made.data(edge, id, text)
    return made.bytes()


_Edge = tuple[dict[str, str], dict[str, str], dict[str, str]]


def _edges(rows: list[Row], table: _Table, *, merge: bool) -> list[_Edge]:
    """(XML attributes, what is seen, cells) of each edge that is left."""
    kept: dict[tuple[str, ...], _Edge] = {}
    used: set[str] = set()
    for number, row in enumerate(rows):
        id, source, target = (row.attributes.get(name, "") for name in ("id", "source", "target"))
        if id and id in used:
            continue
        used.add(id)
        shown, cells = table.read(row)
        # A weight is read as 32 bits and kept as 64.
        shown["weight"] = repr(_float32(float(shown.get("weight", "1").replace(",", "."))))
        kind = row.attributes.get("label", "")
        attributes = {"id": id or str(number), "source": source, "target": target}
        attributes |= {"label": kind} if kind else {}
        place = (source, target, kind) if merge else (str(number),)
        if place in kept:
            first = kept[place][1]
            first["weight"] = repr(float(first["weight"]) + float(shown["weight"]))
        else:
            kept[place] = (attributes, shown, cells)
    return list(kept.values())


def _keys(made: Document, nodes: Mapping[str, Column], edges: Mapping[str, Column]) -> None:
    made.key("label", "node", attr_name="label", attr_type="string")
    made.key("edgelabel", "edge", attr_name="Edge Label", attr_type="string")
    made.key("weight", "edge", attr_name="weight", attr_type="double")
    for name in ("r", "g", "b"):
        made.key(name, "node", attr_name=name, attr_type="int")
    for name in ("x", "y", "size"):
        made.key(name, "node", attr_name=name, attr_type="float")
    for scope, columns in (("node", nodes), ("edge", edges)):
        for id, column in columns.items():
            made.key(id, scope, attr_name=column.name or column.id, attr_type=column.type)


class _Table:
    """The columns of nodes or edges."""

    def __init__(self, declared: list[Column], properties: Mapping[str, str]) -> None:
        self.columns: dict[str, Column] = {}
        self._seen: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        for column in declared:
            seen = properties.get(column.id) or properties.get(column.name)
            if seen:
                self._seen[column.id] = seen
            elif column.type in _TYPES and column.id.lower() not in self.columns:
                self.columns[column.id.lower()] = column
                self._ids[column.id] = column.id.lower()

    def read(self, row: Row) -> tuple[dict[str, str], dict[str, str]]:
        """What is seen of it, and its cells by the ids of columns."""
        texts = {key: text for key, text in row.texts.items() if text.strip()}
        shown = {self._seen[key]: text for key, text in texts.items() if key in self._seen}
        cells = {
            self._ids[key]: told
            for key, text in texts.items()
            if key in self._ids and (told := _told(self.columns[self._ids[key]].type, text)) is not None
        }
        return shown, cells


def _told(type: str, text: str) -> str | None:
    """A value as Java reads and writes it; None where it is none of that type."""
    try:
        if type in _WHOLE:
            return str(int(text)) if -_WHOLE[type] <= int(text) < _WHOLE[type] else None
        if type == "boolean":
            return str(text.lower() == "true").lower()
        if type == "float":
            return single(text)
        return _java(float(text)) if type == "double" else text
    except ValueError:
        return None


def single(text: str) -> str:
    """A 32-bit number in its shortest form."""
    number = _float32(float(text.replace(",", ".")))
    shortest = (float(f"{number:.{digits}g}") for digits in range(1, 10))
    return _java(next(one for one in shortest if _float32(one) == number))


def _float32(number: float) -> float:
    found: float = struct.unpack("f", struct.pack("f", number))[0]
    return found


def _java(number: float) -> str:
    """A number as Java writes it: 1.0E7 from there on, and below a thousandth."""
    if not number or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    rest = "".join(map(str, digits[1:])) or "0"
    return f"{'-' * sign}{digits[0]}.{rest}E{len(digits) - 1 + int(exponent)}"
