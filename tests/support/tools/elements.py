"""A GraphML document as tables, which is how most tools hold it, and as text again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

GRAPHML = "http://graphml.graphdrawing.org/xmlns"


@dataclass(slots=True)
class Column:
    """A declared key."""

    id: str
    scope: str
    name: str
    type: str


@dataclass(slots=True)
class Row:
    """A node or edge: its XML attributes, texts by key id, and data elements with markup in them."""

    attributes: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, etree._Element] = field(default_factory=dict)


@dataclass(slots=True)
class Tables:
    """All of a document that tools look at."""

    columns: list[Column]
    graph: Row
    nodes: list[Row]
    edges: list[Row]

    def of(self, scope: str) -> list[Column]:
        """The columns of nodes or edges."""
        return [column for column in self.columns if column.scope == scope]


def read(document: bytes) -> Tables:
    """The tables of a document."""
    root = etree.fromstring(document)
    graph = next(_children(root, "graph"))
    columns = [_column(key) for key in _children(root, "key")]
    return Tables(
        columns, _row(graph), [_row(one) for one in _children(graph, "node")],
        [_row(one) for one in _children(graph, "edge")],
    )  # fmt: skip


def _column(key: etree._Element) -> Column:
    drawn = key.get("yfiles.type")
    type = "yfiles" if drawn else key.get("attr.type") or "string"
    return Column(str(key.get("id")), key.get("for") or "all", drawn or key.get("attr.name") or "", type)


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element.iterchildren("{*}" + name))


def _row(element: etree._Element) -> Row:
    made = Row({str(name): str(value) for name, value in element.items()})
    for data in _children(element, "data"):
        if len(data):
            made.blocks[str(data.get("key"))] = data
        else:
            made.texts[str(data.get("key"))] = data.text or ""
    return made


class Document:
    """A document in the making."""

    def __init__(self, *, namespace: bool = True, comment: str = "", spaced: bool = False) -> None:
        self._root = etree.Element("graphml", {"xmlns": GRAPHML} if namespace else {})
        self._spaced = spaced
        if comment:
            self._root.append(etree.Comment(comment))

    def key(self, id: str, scope: str, **attributes: str) -> None:
        """Declare a key; attributes without a value are left out."""
        given = {name.replace("_", "."): value for name, value in attributes.items() if value}
        etree.SubElement(self._root, "key", {"id": id, "for": scope, **given})

    def element(self, parent: etree._Element | None, name: str, **attributes: str) -> etree._Element:
        """A graph, node or edge."""
        return etree.SubElement(self._root if parent is None else parent, name, attributes)

    def data(self, holder: etree._Element, key: str, text: str) -> None:
        """A value; `spaced` documents say that its blanks count."""
        made = etree.SubElement(holder, "data", {"key": key})
        if self._spaced:
            made.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        made.text = text or None

    def bytes(self) -> bytes:
        """As a file."""
        etree.indent(self._root, "  ")
        text = etree.tostring(self._root, xml_declaration=True, encoding="UTF-8")
        # Children were made without a namespace: they are in that of the root, as a reader sees it.
        return text.replace(b' xmlns=""', b"")


def values(row: Row, columns: list[Column]) -> Mapping[str, str]:
    """The texts of a row under keys that are declared for it."""
    known = {column.id for column in columns}
    return {id: text for id, text in row.texts.items() if id in known}
