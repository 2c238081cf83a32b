"""Element by element through a document: any order, any nesting, other tools' markup.

What it reads it hands on as `Held`: a node, an edge or the graph with all it holds. `scan` takes the plain
ones past it, for speed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from deft.authoring.graphml import foreign
from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.declarations import Declared, Holder
from deft.authoring.graphml.foreign import Spelling
from deft.authoring.graphml.held import Held, Item
from deft.authoring.graphml.limits import Limits, refusal
from deft.authoring.graphml.prologue import split

_STRUCTURE = {
    name: name
    for name in ("graphml", "graph", "node", "edge", "hyperedge", "key", "data", "default", "locator")
}


class Sink(Protocol):
    """Who takes what was read."""

    def key(self, key: Declared) -> None:
        """A key was declared."""

    def take(self, held: Held) -> None:
        """A node or an edge ended."""


@dataclass(slots=True)
class _Data:
    """A data element that is open."""

    key: str | None
    attributes: list[tuple[str, str]]
    line: int
    texts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Part:
    """An element that is spelled whole: foreign, data with markup, or a key with its default."""

    kind: str  # what it is of GraphML's own: data, key, or nothing
    spelling: Spelling
    attributes: dict[str, str]
    line: int
    default: list[str] | None = None  # the text of a key's default, while and after it is read
    in_default: bool = False


class Walk:
    """The state of one walk. `root` and `graph` hold what belongs to the document as a whole."""

    def __init__(
        self, namespace: str, bound: Mapping[str, str], found: Collector, limits: Limits, sink: Sink
    ) -> None:
        self._namespace = namespace
        self._bound = bound
        self._found = found
        self._limits = limits
        self._sink = sink
        self._stack: list[Held] = []
        self._data: _Data | None = None
        self._part: _Part | None = None
        self._passed = 0  # depth below which everything is passed over
        self._depth = 0
        self._counts = {"key": 0, "graph": 0, "": 0}
        self.values = 0  # data elements so far
        self._kept = 0  # characters kept for the document as a whole
        self.root = Held("graphml", 0)
        self.graph: Held | None = None

    @property
    def rests(self) -> bool:
        """True between two elements of the graph."""
        is_between = self._data is None and self._part is None and not self._passed
        return is_between and bool(self._stack) and self._stack[-1] is self.graph

    def start(self, name: str, attributes: Sequence[str], line: int) -> None:
        """An element begins. Raises BadInput where a limit is passed."""
        self._depth += 1
        if self._depth > self._limits.depth:
            raise refusal("too-deep", f"elements are nested more than {self._limits.depth} deep", line)
        if len(attributes) > 2 * self._limits.attributes:
            message = f"an element has more than {self._limits.attributes} attributes"
            raise refusal("too-many-attributes", message, line)
        if self._passed:
            return
        namespace, local, _ = split(name)
        own = _STRUCTURE.get(local, "") if namespace == self._namespace else ""
        if self._part is not None:
            self._start_inside(name, attributes, own, self._part)
        elif self._data is not None:
            self._part = self._markup(self._data)
            self._data = None
            self._start_inside(name, attributes, own, self._part)
        else:
            self._start(name, own, foreign.pairs(attributes), line)

    def _start(self, name: str, own: str, attributes: list[tuple[str, str]], line: int) -> None:
        holder = self._stack[-1].kind if self._stack else ""
        if own == "data" and holder:
            self.values += 1
            self._data = _Data(dict(attributes).get("key"), attributes, line)
        elif own == "key" or not own:
            self._part = _Part(own, Spelling(self._namespace, self._bound), dict(attributes), line)
            self._part.spelling.start(name, attributes)
            if own and holder != "graphml":
                self._found.warning("late-key", "a key is declared inside the graph", line, subject="key")
            self._count(own)
        else:
            opens = _OPENS.get((holder, own))
            if opens is None:
                self._refuse(own, holder, line)
            else:
                kind, act = opens
                act(self, Held(kind, line, attributes))

    def _count(self, own: str) -> None:
        """One more key, graph or foreign element. Raises BadInput where they are too many."""
        what, most = (f"{own}s", self._limits.keys) if own else ("fragments", self._limits.fragments)
        self._counts[own] += 1
        if self._counts[own] > most:
            raise refusal(f"too-many-{what}", f"it has more than {most:,} {what}")

    # --- what opens ----------------------------------------------------------------------------------------

    def _open_root(self, held: Held) -> None:
        self.root = held
        self._stack.append(held)

    def _open(self, held: Held) -> None:
        self._stack.append(held)

    def _open_graph(self, held: Held) -> None:
        self._count("graph")
        if self.graph is not None:
            self._found.error("two-graphs", "it has more than one <graph>", held.line,
                              hint="one file holds one Meta-Task")  # fmt: skip
            self._passed = self._depth
            return
        self.graph = held
        direction = dict(held.attributes).get("edgedefault")
        if direction is None:
            message = "the graph does not say edgedefault: read as directed"
            self._found.warning("no-edgedefault", message, held.line, subject="edgedefault")
        elif direction != "directed":
            self._found.error("undirected", f"edgedefault is {direction!r}", held.line,
                              hint='a Meta-Task is directed: write edgedefault="directed"')  # fmt: skip
        self._stack.append(held)

    def _open_inner(self, held: Held) -> None:
        """The graph of a node: that node is a group, and what is in it belongs to the one graph."""
        self._count("graph")
        group = self._stack[-1]
        if group.inner is not None:
            self._found.error("two-graphs", "a node holds more than one <graph>", held.line)
        group.inner = held
        self._stack.append(held)

    def _refuse(self, own: str, holder: str, line: int) -> None:
        self._passed = self._depth
        if own == "hyperedge":
            self._found.error("hyperedge", "hyperedges join no two tasks", line,
                              hint="draw one edge for each producer and consumer")  # fmt: skip
        elif own == "locator":
            self._found.error("locator", "it refers to another document, which is never followed", line)
        elif own == "graph" and holder == "edge":
            self._found.error("nested-graph", "an edge holds a <graph> of its own", line)
        else:
            self._found.error("misplaced", f"a <{own}> stands inside a <{holder}>", line, hint="move it out")

    # --- what is inside and what ends ----------------------------------------------------------------------

    def text(self, content: str) -> None:
        """A piece of text."""
        if self._data is not None:
            self._data.texts.append(content)
        elif self._part is not None:
            part = self._part
            part.spelling.text(content)
            if part.in_default and part.spelling.depth == 2 and part.default is not None:
                part.default.append(content)
            self._check_size(part.spelling.size, part.line)

    def _markup(self, data: _Data) -> _Part:
        """A data element turns out to hold more than text: it is spelled from its start."""
        part = _Part("data", Spelling(self._namespace, self._bound), dict(data.attributes), data.line)
        part.spelling.start("data", data.attributes)
        part.spelling.text("".join(data.texts))
        return part

    def _start_inside(self, name: str, attributes: Sequence[str], own: str, part: _Part) -> None:
        self._count("")
        if part.kind == "key" and part.spelling.depth == 1 and own == "default":
            part.in_default, part.default = True, []
        elif part.in_default:
            part.default = None  # markup is no value
        part.spelling.start(name, foreign.pairs(attributes))
        self._check_size(part.spelling.size, part.line)

    def _check_size(self, size: int, line: int) -> None:
        if size > self._limits.text:
            raise refusal("text-too-long", "a foreign element is too long", line)

    def end(self) -> None:
        """The innermost element ends."""
        depth, self._depth = self._depth, self._depth - 1
        if self._passed:
            if depth == self._passed:
                self._passed = 0
        elif self._part is not None:
            self._part.spelling.end()
            if not self._part.spelling.depth:
                part, self._part = self._part, None
                self._close_part(part)
            elif self._part.spelling.depth == 1:
                self._part.in_default = False
        elif self._data is not None:
            data, self._data = self._data, None
            self._close_data(data)
        else:
            held = self._stack.pop()
            if held.kind in ("node", "edge"):
                self._stack[-1].members += 1
                self._sink.take(held)

    def _close_data(self, data: _Data) -> None:
        text = "".join(data.texts)
        markup = ""
        if len(data.attributes) != 1:
            spelling = self._markup(data).spelling
            spelling.end()
            markup = spelling.result
        self._hold(Item(True, data.key, text, markup, data.line, False))

    def _close_part(self, part: _Part) -> None:
        markup, given = part.spelling.result, part.attributes
        if part.kind == "data":
            self._hold(Item(True, given.get("key"), "", markup, part.line, True))
        elif not part.kind:
            self._hold(Item(False, None, "", markup, part.line, True))
        elif not given.get("id"):
            self._found.error("no-id", "a <key> has no id", part.line)
        else:
            default = None if part.default is None else "".join(part.default)
            name, type = given.get("attr.name", ""), given.get("attr.type", "")
            self._sink.key(
                Declared(given["id"], given.get("for", "all"), name, type, default, markup, part.line)
            )
            self._keep(len(markup))

    def _hold(self, item: Item) -> None:
        holder = self._stack[-1]
        holder.items.append(item)
        if holder.kind in ("graph", "graphml"):
            self._keep(len(item.text) + len(item.markup))

    def _keep(self, size: int) -> None:
        """Keys and the graph's own data stay in memory to the end."""
        self._kept += size
        if self._kept > self._limits.element:
            message = f"its keys and the graph's own data have more than {self._limits.element:,} characters"
            raise refusal("element-too-large", message)


_OPENS: dict[tuple[str, str], tuple[Holder, Callable[[Walk, Held], None]]] = {
    ("", "graphml"): ("graphml", Walk._open_root),
    ("graphml", "graph"): ("graph", Walk._open_graph),
    ("graph", "node"): ("node", Walk._open),
    ("graph", "edge"): ("edge", Walk._open),
    ("node", "graph"): ("graph", Walk._open_inner),
}
