"""One GraphML element -> one piece: its settings by the profile, and what is foreign as fragments."""

from __future__ import annotations

from typing import NamedTuple, cast

from lxml import etree

from deft.authoring.graphml import foreign
from deft.authoring.graphml.assemble import Piece
from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.declarations import SCOPES, Column, Declarations, Holder
from deft.authoring.graphml.limits import Limits, refusal
from deft.model.keys import Scope

# Attributes of GraphML itself; parse.* are hints of the writer that are never believed.
_OWN: dict[Holder, frozenset[str]] = {
    "graphml": frozenset(),
    "graph": frozenset({"edgedefault"}),
    "node": frozenset({"id"}),
    "edge": frozenset({"id", "source", "target", "directed"}),
}
_HINT = "parse."
_SCHEMA = "{http://www.w3.org/2001/XMLSchema-instance}"
_UNDIRECTED = frozenset({"false", "0"})


class _Late(NamedTuple):
    """A data element whose key was not declared yet."""

    holder: Holder
    piece: Piece
    key: str
    text: str
    markup: str  # the canonical element, where it is more than text
    line: int


class Elements:
    """What was read so far."""

    def __init__(self, namespace: str, declared: Declarations, found: Collector, limits: Limits) -> None:
        self.namespace, self.declared, self.found, self.limits = namespace, declared, found, limits
        self.nodes: list[Piece] = []
        self.edges: list[Piece] = []
        self.late: list[_Late] = []
        self.kept = 0  # fragments so far
        self.graph = Piece("", 0)
        names = ("data", "default", "graph", "node", "edge", "hyperedge", "key", "locator")
        self.data = f"{{{namespace}}}data" if namespace else "data"
        self.tags = {f"{{{namespace}}}{name}" if namespace else name: name for name in names}

    def key(self, element: etree._Element) -> None:
        """Declare a key."""
        line = line_of(element)
        id = element.get("id")
        if not id:
            self.found.error("no-id", "a <key> has no id", line)
            return
        default = next((child for child in element if self.tags.get(str(child.tag)) == "default"), None)
        text = None if default is None or len(default) else default.text or ""
        markup = self._canonical(element)
        scope, name = element.get("for") or "all", element.get("attr.name") or ""
        self.declared.add(id, scope, name, default=text, text=markup, line=line)

    def fill(self, element: etree._Element, holder: Holder, piece: Piece) -> None:
        """Take the attributes and children of a node, an edge or the graph."""
        names = element.keys()
        if len(names) > len(_OWN[holder]) or not _OWN[holder].issuperset(names):
            self._attributes(element, holder, piece)
        if holder == "edge" and element.get("directed", "true") in _UNDIRECTED:
            self.found.error("undirected-edge", f"the edge {piece.id!r} is undirected", piece.line)
        self._children(element, holder, piece)

    def _children(self, element: etree._Element, holder: Holder, piece: Piece) -> None:
        # The common case in place: a document of 100,000 nodes has a million data elements.
        table, settings = self.declared.tables[holder], piece.settings
        data, longest = self.data, self.limits.text
        for child in element:
            items = child.items()
            if child.tag == data and len(items) == 1 and not len(child):
                column = table.get(items[0][1])  # type: ignore[arg-type]
                text = child.text or ""
                if column is not None and column.name not in settings and len(text) <= longest:
                    value = text if column.free else column.exact.get(text)
                    if value is not None:
                        settings[column.name] = value
                        continue
            self.child(child, holder, piece)

    def child(self, child: etree._Element, holder: Holder, piece: Piece) -> None:
        """Take one child: data by its key, anything else as foreign."""
        kind = self.tags.get(str(child.tag))
        if kind == "data":
            items = child.items()
            if len(items) == 1 and not len(child):
                name, key = items[0]
                column = self.declared.tables[holder].get(str(key))
                if column is not None and name == "key":
                    self._value(column, child.text or "", piece, child)
                    return
            self._unusual(child, holder, piece)
        elif kind is None:
            self._keep(piece, "<", self._canonical(child))
        elif kind == "locator":
            message = "it refers to another document, which is never followed"
            self.found.error("locator", message, line_of(child))

    def root(self, root: etree._Element) -> None:
        """Take what stands on <graphml> itself; the graph's piece keeps it in slots with a slash."""
        piece = Piece("", line_of(root))
        self._attributes(root, "graphml", piece)
        for child in root:
            if self.tags.get(str(child.tag)) not in ("key", "graph"):
                self.child(child, "graphml", piece)
        self.graph.foreign += [("/" + slot, text) for slot, text in piece.foreign]

    def settle(self) -> None:
        """Take the data whose keys came later, then the defaults; to be called once, at the end."""
        for late in self.late:
            column = self.declared.tables[late.holder].get(late.key)
            if column is None:
                hint = f'declare it: <key id="{late.key}" for="{late.holder}" .../>'
                self.found.error("undeclared-key", f"the key {late.key!r} is not declared for {late.holder}s",
                                 late.line, subject=late.key, hint=hint)  # fmt: skip
            elif late.markup:
                self._markup(column, late.markup, late.text, late.piece, late.line)
            else:
                self._value(column, late.text, late.piece, late.line)
        for scope in SCOPES:
            self._defaults(scope)

    def _defaults(self, scope: Scope) -> None:
        pieces = {"graph": [self.graph], "node": self.nodes, "edge": self.edges}[scope]
        for column, default in self.declared.defaults(scope):
            assert column.key is not None
            for piece in pieces:
                if column.key.name not in piece.settings:
                    self._value(column, default, piece, piece.line)

    def _value(self, column: Column, text: str, piece: Piece, where: etree._Element | int) -> None:
        """A plain text under a declared key; `where` is asked for its line only in case of a fault."""
        if len(text) > self.limits.text:
            raise refusal("text-too-long", f"the value of {column.id!r} is too long", line_of(where))
        key = column.key
        if key is None:
            if not column.dropped:
                column.used = True
                self._keep(piece, "=" + column.id, text)
            return
        settings = piece.settings
        if key.name in settings:
            message = f"{piece.id or 'the graph'} has {key.name!r} twice"
            self.found.error("duplicate-value", message, line_of(where), subject=piece.id)
        elif column.free:
            settings[key.name] = text
        else:
            self._typed(column, text, piece, where)

    def _typed(self, column: Column, text: str, piece: Piece, where: etree._Element | int) -> None:
        assert column.key is not None
        name = column.key.name
        try:
            value, coerced = column.value(text)
        except ValueError as fault:
            shown = text if len(text) <= 40 else text[:40] + "…"
            message = f"{piece.id or 'the graph'}: {name} = {shown!r} {fault}"
            self.found.error("bad-value", message, line_of(where), subject=piece.id)
            return
        if coerced:
            code = "empty-value" if value is None else "coerced"
            message = f"{piece.id or 'the graph'}: {name} {coerced}"
            self.found.warning(code, message, line_of(where), subject=name)
        if value is not None:
            piece.settings[name] = value

    def _unusual(self, child: etree._Element, holder: Holder, piece: Piece) -> None:
        """Data with markup, with further attributes, or with a key that is not declared (yet)."""
        key, line = child.get("key"), line_of(child)
        if key is None:
            self.found.error("no-key", "a <data> names no key", line)
            return
        markup = self._canonical(child) if len(child) or len(child.keys()) > 1 else ""
        text = "" if len(child) else child.text or ""
        column = self.declared.tables[holder].get(key)
        if column is None:
            self._count()
            self.late.append(_Late(holder, piece, key, text, markup, line))
        else:
            self._markup(column, markup, text, piece, line)

    def _markup(self, column: Column, markup: str, text: str, piece: Piece, line: int) -> None:
        if column.key is None:
            if not column.dropped:
                column.used = True
                self._keep(piece, "<" + column.id, markup)
        elif markup.count("<") > 2:  # more than its own two tags
            message = f"{piece.id or 'the graph'}: {column.key.name} holds elements, not a text"
            self.found.error("bad-value", message, line, subject=piece.id)
        else:
            self._value(column, text, piece, line)

    def _attributes(self, element: etree._Element, holder: Holder, piece: Piece) -> None:
        if len(element.keys()) > self.limits.attributes:
            raise refusal("too-many-attributes", "an element has too many attributes", line_of(element))
        for name, value in sorted((str(name), str(value)) for name, value in element.items()):
            if name not in _OWN[holder] and not name.startswith((_HINT, _SCHEMA)):
                self._keep(piece, "@" + name, value)

    def _keep(self, piece: Piece, slot: str, text: str) -> None:
        self._count()
        piece.foreign.append((slot, text))

    def _count(self) -> None:
        self.kept += 1
        if self.kept > self.limits.fragments:
            raise refusal("too-many-fragments", f"it has more than {self.limits.fragments:,} foreign pieces")

    def _canonical(self, element: etree._Element) -> str:
        try:
            markup = foreign.canonical(element, self.namespace, self.limits.depth)
        except foreign.TooDeep:
            raise refusal("too-deep", "elements are nested too deep", line_of(element)) from None
        if len(markup) > self.limits.text:
            raise refusal("text-too-long", "a foreign element is too long", line_of(element))
        return markup


def line_of(where: etree._Element | int) -> int:
    """The line an element began on, or that line itself."""
    return where if isinstance(where, int) else cast("int | None", where.sourceline) or 0
