"""GraphML in: one pass over the file, every fault in one list.

`read` streams the document, keeps a small piece for each node and edge, and hands them to `assemble`. What
a document may hold is in `limits`, `prologue` and `declarations`; what is kept unread in `foreign`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from deft.authoring.graphml import assemble, prologue
from deft.authoring.graphml.assemble import Piece
from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.declarations import Declarations
from deft.authoring.graphml.elements import Elements, line_of
from deft.authoring.graphml.limits import CLI, CappedReader, Limits, refusal
from deft.base.errors import BadInput, Finding, NotFound
from deft.base.garbage import no_collection
from deft.model.graph import MetaTask

_EVENTS = ("key", "graph", "node", "edge", "hyperedge")


@dataclass(frozen=True, slots=True)
class Reading:
    """A Meta-Task, and what was dropped or coerced on the way."""

    metatask: MetaTask
    findings: tuple[Finding, ...]


def read(path: Path, *, limits: Limits = CLI, strict: bool = False) -> Reading:
    """The Meta-Task of a GraphML file (gzip is known by its content).

    Raises BadInput with every fault found, NotFound where there is no such file.
    """
    try:
        with _opened(path) as stream:
            return read_stream(stream, origin=path, limits=limits, strict=strict)
    except BadInput as fault:
        raise BadInput(fault.args[0].replace("the document", str(path), 1), fault.findings) from None
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except OSError as fault:
        finding = Finding("unreadable", f"it cannot be read: {fault.strerror or fault}")
        raise BadInput(f"{path} is refused:", [finding]) from None


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except ValueError as fault:  # a path with a NUL
        raise OSError(str(fault)) from None


def read_stream(stream: BinaryIO, *, origin: Path, limits: Limits = CLI, strict: bool = False) -> Reading:
    """The same for an open binary stream; `origin` gives the folder, and a name where there is none."""
    found = Collector(strict=strict)
    reader = CappedReader(stream, limits)
    document = _Document(prologue.check(reader), found, limits)
    with no_collection():
        try:
            document.parse(reader)
        except BadInput as fault:  # a limit: what was found before it is told too
            raise BadInput(fault.args[0], (*found.errors, *fault.findings)) from None
        return Reading(document.metatask(origin), found.warnings)


class _Document:
    """The state of one pass."""

    def __init__(self, namespace: str, found: Collector, limits: Limits) -> None:
        self._found = found
        self._limits = limits
        self._tag = {name: f"{{{namespace}}}{name}" if namespace else name for name in _EVENTS}
        self.elements = Elements(namespace, Declarations(found), found, limits)
        self._graph: etree._Element | None = None
        self._refused: set[int] = set()  # the lines of other graphs, told once each
        self._rare = 0  # keys and graphs: they stay in memory until the end

    def parse(self, reader: CappedReader) -> None:
        """Take every element as it ends, and let go of it."""
        root: etree._Element | None = None
        handlers = {
            self._tag["node"]: self._node,
            self._tag["edge"]: self._edge,
            self._tag["key"]: self._key,
            self._tag["graph"]: self._graph_end,
            self._tag["hyperedge"]: self._hyperedge,
        }
        for element in _ended(reader, tuple(handlers)):
            reader.quiet = 0
            handlers[str(element.tag)](element)
            root = element
        if root is not None:
            self.elements.root(root.getroottree().getroot())
        if self._graph is None:
            self._found.error("no-graph", "it has no <graph>", hint='add <graph edgedefault="directed">')
        self.elements.settle()

    def metatask(self, origin: Path) -> MetaTask:
        """What it all makes. Raises BadInput with every finding."""
        read = self.elements
        read.graph.foreign += read.declared.foreign()
        return assemble.metatask(
            read.graph, read.nodes, read.edges, self._found, origin=origin, id_length=self._limits.id
        )

    def _key(self, element: etree._Element) -> None:
        self._count_rare("keys")
        parent = element.getparent()
        if parent is not None and parent.getparent() is None:
            self.elements.key(element)

    def _node(self, element: etree._Element) -> None:
        if not self._belongs(element):
            return
        elements = self.elements
        if len(elements.nodes) >= self._limits.nodes:
            raise refusal("too-many-nodes", f"it has more than {self._limits.nodes:,} nodes")
        piece = Piece(element.get("id") or "", line_of(element))
        elements.nodes.append(piece)
        elements.fill(element, "node", piece)
        element.clear(keep_tail=True)  # type: ignore[call-arg]

    def _edge(self, element: etree._Element) -> None:
        if not self._belongs(element):
            return
        elements = self.elements
        if len(elements.edges) >= self._limits.edges:
            raise refusal("too-many-edges", f"it has more than {self._limits.edges:,} edges")
        piece = Piece(element.get("id") or "", line_of(element))
        piece.source, piece.target = element.get("source"), element.get("target")
        elements.edges.append(piece)
        elements.fill(element, "edge", piece)
        element.clear(keep_tail=True)  # type: ignore[call-arg]

    def _hyperedge(self, element: etree._Element) -> None:
        if self._belongs(element):
            element.clear(keep_tail=True)  # type: ignore[call-arg]
        self._found.error("hyperedge", "hyperedges join no two tasks", line_of(element),
                          hint="draw one edge for each producer and consumer")  # fmt: skip

    def _count_rare(self, what: str) -> None:
        self._rare += 1
        if self._rare > self._limits.keys:
            raise refusal(f"too-many-{what}", f"it has more than {self._limits.keys:,} {what}")

    def _graph_end(self, element: etree._Element) -> None:
        self._count_rare("graphs")
        if self._is_graph(element):
            self.elements.fill(element, "graph", self.elements.graph)

    def _belongs(self, element: etree._Element) -> bool:
        """True where it stands in the one graph; what stood before it there is taken and let go."""
        graph = element.getparent()
        if graph is None:
            return False
        if not self._is_graph(graph):
            _drop(element, graph)
            return False
        while (before := graph[0]) is not element:
            self.elements.child(before, "graph", self.elements.graph)
            del graph[0]
        return True

    def _is_graph(self, element: etree._Element) -> bool:
        if element is self._graph:
            return True
        if self._graph is None and self._is_top(element):
            self._graph = element
            self.elements.graph.line = line_of(element)
            self._directed(element)
            return True
        if line_of(element) not in self._refused and element.tag == self._tag["graph"]:
            self._refused.add(line_of(element))
            self._refuse(element)
        return False

    def _is_top(self, element: etree._Element) -> bool:
        root = element.getparent()
        return element.tag == self._tag["graph"] and root is not None and root.getparent() is None

    def _refuse(self, element: etree._Element) -> None:
        if self._is_top(element):
            self._found.error("two-graphs", "it has more than one <graph>", line_of(element),
                              hint="one file holds one Meta-Task")  # fmt: skip
        else:
            self._found.error("nested-graph", "a node or edge holds a <graph> of its own", line_of(element),
                              hint="ungroup the nodes; use a node of kind metatask for a part")  # fmt: skip

    def _directed(self, element: etree._Element) -> None:
        direction = element.get("edgedefault")
        if direction is None:
            self._found.warning("no-edgedefault", "the graph does not say edgedefault: read as directed",
                                line_of(element), subject="edgedefault")  # fmt: skip
        elif direction != "directed":
            self._found.error("undirected", f"edgedefault is {direction!r}", line_of(element),
                              hint='a Meta-Task is directed: write edgedefault="directed"')  # fmt: skip


def _drop(element: etree._Element, parent: etree._Element) -> None:
    """Let go of an element that is not wanted, and of all before it."""
    element.clear(keep_tail=True)  # type: ignore[call-arg]
    while parent[0] is not element:
        del parent[0]


def _ended(reader: CappedReader, tags: tuple[str, ...]) -> Iterator[etree._Element]:
    """The elements of these tags as they end. Never give the parser a path: it would unpack gzip unseen."""
    events = etree.iterparse(
        reader,
        events=("end",),
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for _, element in events:
            yield element
    except etree.XMLSyntaxError as fault:
        # Of an entity that nobody declared the exception says nothing, the parser's log does.
        told = [(one.message, one.line) for one in events.error_log] or [(str(fault.msg), fault.lineno)]
        what, line = told[0]
        if what.startswith("Entity "):
            hint = "GraphML needs no entities; write the sign itself, or &amp; for &"
            raise refusal("entity", f"it is not well-formed: {what}", line, hint) from None
        code = "too-deep" if "depth" in what.lower() else "not-xml"
        raise refusal(code, f"it is not well-formed: {what}", line) from None
    finally:
        with contextlib.suppress(AttributeError):
            del events.root
