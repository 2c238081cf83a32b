"""yEd: a drawing with tables of custom properties.

As files that it saved tell: nodes and edges are numbered anew (n0, e0), keys too (d0); custom properties keep
their names and types, values are marked as text whose blanks count; every node and edge has a block of yEd's
own; a description of the graph, and url and description of nodes and edges, are declared. Data without a name
or of the root is kept; other XML attributes are lost.
"""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from tests.support.tools import elements
from tests.support.tools.elements import Column, Document, Row, Tables

_Y = "http://www.yworks.com/xml/graphml"
_BLOCKS = {"node": ("nodegraphics", "ShapeNode"), "edge": ("edgegraphics", "PolyLineEdge")}


def trip(document: bytes, *, moved: float = 0.0) -> bytes:
    """Opened in yEd and saved; `moved`: with every node dragged so far to the right."""
    tables = elements.read(document)
    made = Document(comment="Created by yEd 3.23.2", spaced=True)
    ids = _keys(made, tables)
    graph = made.element(None, "graph", edgedefault="directed", id="G")
    _fill(made, graph, tables.graph, "graph", ids)
    called = {row.attributes["id"]: f"n{number}" for number, row in enumerate(tables.nodes)}
    for row in tables.nodes:
        node = made.element(graph, "node", id=called[row.attributes["id"]])
        _fill(made, node, row, "node", ids)
        _block(node, row, "node", ids, tables, moved)
    for number, row in enumerate(tables.edges):
        ends = {name: called[row.attributes[name]] for name in ("source", "target")}
        edge = made.element(graph, "edge", id=f"e{number}", **ends)
        _fill(made, edge, row, "edge", ids)
        _block(edge, row, "edge", ids, tables, 0.0)
    return made.bytes()


def _keys(made: Document, tables: Tables) -> dict[tuple[str, str], str]:
    """Declare all keys; the new ids by scope and old id, and by scope and type of yEd's own."""
    own = [Column("", scope, type, "yfiles") for scope, (type, _) in _BLOCKS.items()]
    plain = [Column("", "graph", "Description", "string")]
    plain += [
        Column("", scope, name, "string") for scope in ("node", "edge") for name in ("url", "description")
    ]
    declared = {(c.scope, c.name.lower()) for c in tables.columns}
    added = [c for c in (*plain, *own) if (c.scope, c.name.lower()) not in declared]
    ids: dict[tuple[str, str], str] = {}
    for number, column in enumerate([*added, *tables.columns]):
        id = f"d{number}"
        if column.type == "yfiles":
            made.key(id, column.scope, yfiles_type=column.name)
            ids[column.scope, column.name] = id
        else:
            made.key(id, column.scope, attr_name=column.name, attr_type=column.type)
        if column.id:
            ids[column.scope, column.id] = id
    return ids


def _fill(
    made: Document, holder: etree._Element, row: Row, scope: str, ids: dict[tuple[str, str], str]
) -> None:
    for key, text in row.texts.items():
        made.data(holder, ids[scope, key], text)


def _block(
    holder: etree._Element, row: Row, scope: str, ids: dict[tuple[str, str], str], tables: Tables,
    moved: float,
) -> None:  # fmt: skip
    type, shape = _BLOCKS[scope]
    data = etree.SubElement(holder, "data", {"key": ids[scope, type]})
    mine = {c.id for c in tables.columns if c.name == type}
    drawn = next((block for key, block in row.blocks.items() if key in mine), None)
    block = deepcopy(drawn[0]) if drawn is not None else etree.Element(f"{{{_Y}}}{shape}", nsmap={"y": _Y})
    if drawn is None and scope == "node":
        etree.SubElement(block, f"{{{_Y}}}Geometry", height="30.0", width="30.0", x="0.0", y="0.0")
    for geometry in block.iter(f"{{{_Y}}}Geometry"):
        geometry.set("x", repr(float(geometry.get("x") or 0) + moved))
    data.append(block)
