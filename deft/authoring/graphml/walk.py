"""Element by element through a document: any order, any nesting, other tools' markup.

What it reads it hands on as `Held`: a node, an edge or the graph with all it holds. `scan` takes the plain
ones past it, for speed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from deft.authoring.graphml import foreign
from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.declarations import Declared, Holder, shown
from deft.authoring.graphml.foreign import Event, Prefixes, Whole
from deft.authoring.graphml.held import Held, Item
from deft.authoring.graphml.limits import Limits, refusal
from deft.authoring.graphml.prologue import split

_ELEMENT = 16  # characters that an element counts for, beside those of its attributes
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
class _Part:
    """An element that is taken whole, event by event: data, a key, or something foreign."""

    kind: str  # what it is of GraphML's own: data, key, or nothing
    events: list[Event]
    line: int
    depth: int = 1  # how many of its elements are open
    size: int = 0  # characters so far


class Walk:
    """The state of one walk. `root` and `graph` hold what belongs to the document as a whole."""

    def __init__(
        self, namespace: str, prefixes: Prefixes, found: Collector, limits: Limits, sink: Sink
    ) -> None:
        self._namespace = namespace
        self._prefixes = prefixes
        self._found = found
        self._limits = limits
        self._sink = sink
        self._stack: list[Held] = []
        self._part: _Part | None = None
        self._passed = 0  # depth below which everything is passed over
        self._depth = 0
        self._counts = {"keys": 0, "graphs": 0, "fragments": 0}
        self._kept = 0  # characters kept for the document as a whole
        self.values = 0  # data elements so far
        self.root = Held("graphml", 0)
        self.graph: Held | None = None

    @property
    def rests(self) -> bool:
        """True between two elements of the graph."""
        if self._part is not None or self._passed or not self._stack:
            return False
        return self._stack[-1] is self.graph

    def start(self, name: str, attributes: list[str], line: int) -> None:
        """An element begins. Raises BadInput where a limit is passed."""
        self._depth += 1
        if self._depth > self._limits.depth:
            raise refusal("too-deep", f"elements are nested more than {self._limits.depth} deep", line)
        if len(attributes) > 2 * self._limits.attributes:
            message = f"an element has more than {self._limits.attributes} attributes"
            raise refusal("too-many-attributes", message, line)
        part = self._part
        if part is not None:
            self._count("fragments", self._limits.fragments)
            part.depth += 1
            self._add(part, (name, attributes), _ELEMENT + sum(map(len, attributes)))
        elif not self._passed:
            self._start(name, attributes, line)

    def _start(self, name: str, attributes: list[str], line: int) -> None:
        namespace, local, _ = split(name)
        own = _STRUCTURE.get(local, "") if namespace == self._namespace else ""
        holder = self._stack[-1].kind if self._stack else ""
        if (own == "data" and holder) or own == "key" or not own:
            self._part = _Part(own, [], line)
            self._add(self._part, (name, attributes), _ELEMENT + sum(map(len, attributes)))
            if own == "data":
                self.values += 1
            elif own:
                self._count("keys", self._limits.keys)
                if holder != "graphml":
                    self._found.warning("late-key", "a key is declared inside the graph", line, subject="key")
            else:
                self._count("fragments", self._limits.fragments)
        elif (holder, own) in _OPENS:
            kind, act = _OPENS[holder, own]
            act(self, Held(kind, line, foreign.pairs(attributes)))
        else:
            self._refuse(own, holder, line)

    def is_foreign(self, name: str) -> bool:
        """Whether an element of that name is none that GraphML is built of."""
        namespace, local, _ = split(name)
        return namespace != self._namespace or local not in _STRUCTURE

    def count(self, values: int, fragments: int) -> None:
        """So many data and foreign elements were taken by somebody else. Raises BadInput likewise."""
        self.values += values
        if fragments:
            self._counts["fragments"] += fragments - 1
            self._count("fragments", self._limits.fragments)

    def _count(self, what: str, most: int) -> None:
        self._counts[what] += 1
        if self._counts[what] > most:
            raise refusal(f"too-many-{what}", f"it has more than {most:,} {what}")

    def _add(self, part: _Part, event: Event, size: int) -> None:
        part.events.append(event)
        part.size += size
        if part.size > self._limits.text:
            raise refusal("text-too-long", "a value or a foreign element is too long", part.line)

    # --- what opens ----------------------------------------------------------------------------------------

    def _open_root(self, held: Held) -> None:
        self.root = held
        self._stack.append(held)

    def _open(self, held: Held) -> None:
        self._stack.append(held)

    def _open_graph(self, held: Held) -> None:
        self._count("graphs", self._limits.keys)
        if self.graph is not None:
            self._found.error("two-graphs", "it has more than one <graph>", held.line)
            self._passed = self._depth
            return
        self.graph = held
        direction = dict(held.attributes).get("edgedefault")
        if direction is None:
            message = "the graph does not say edgedefault: read as directed"
            self._found.warning("no-edgedefault", message, held.line, subject="edgedefault")
        elif direction != "directed":
            self._found.error("undirected", f"edgedefault is {shown(direction)}", held.line)
        self._stack.append(held)

    def _open_inner(self, held: Held) -> None:
        """The graph of a node: that node is a group, and what is in it belongs to the one graph."""
        self._count("graphs", self._limits.keys)
        group = self._stack[-1]
        if group.inner is not None:
            self._found.error("two-graphs", "a node holds more than one <graph>", held.line)
        group.inner = held
        self._stack.append(held)

    def _refuse(self, own: str, holder: str, line: int) -> None:
        self._passed = self._depth
        if own == "hyperedge":
            self._found.error("hyperedge", "hyperedges join no two tasks", line)
        elif own == "locator":
            self._found.error("locator", "it refers to another document, which is never followed", line)
        elif own == "graph" and holder == "edge":
            self._found.error("nested-graph", "an edge holds a <graph> of its own", line)
        else:
            self._found.error("misplaced", f"a <{own}> stands inside a <{holder}>", line)

    # --- what is inside and what ends ----------------------------------------------------------------------

    def text(self, content: str) -> None:
        """A piece of text."""
        if self._part is not None:
            self._add(self._part, content, len(content))

    def end(self) -> None:
        """The innermost element ends."""
        depth, self._depth = self._depth, self._depth - 1
        part = self._part
        if part is not None:
            part.depth -= 1
            part.events.append(None)
            if not part.depth:
                self._part = None
                self._close(part)
        elif self._passed:
            if depth == self._passed:
                self._passed = 0
        else:
            held = self._stack.pop()
            if held.kind in ("node", "edge"):
                self._stack[-1].members += 1
                self._sink.take(held)

    def _close(self, part: _Part) -> None:
        start, *content = part.events
        assert isinstance(start, tuple)
        attributes = start[1]
        if part.kind == "key":
            self._declare(part, dict(foreign.pairs(attributes)))
            return
        key = text = None
        if part.kind == "data":
            key = dict(zip(attributes[::2], attributes[1::2], strict=True)).get("key")
            if not any(isinstance(event, tuple) for event in content):
                text = "".join([event for event in content if event is not None])  # type: ignore[misc]
        is_plain = text is not None and len(attributes) == 2 and key is not None
        whole = None if is_plain else (self._prefixes(), part.events)
        self._hold(Item(part.kind == "data", key, text, whole, part.line), part.size)

    def data(self, key: str, text: str, line: int) -> bool:
        """Take data at once that has a key and a text; False where it is not to be taken so."""
        if self._part is not None or self._passed or len(text) > self._limits.text:
            return False
        self.values += 1
        self._hold(Item(True, key, text, None, line), _ELEMENT + len(text))
        return True

    def _declare(self, part: _Part, given: dict[str, str]) -> None:
        if not given.get("id"):
            self._found.error("no-id", "a <key> has no id", part.line)
            return
        whole: Whole = (self._prefixes(), part.events)
        markup = foreign.spelled(self._namespace, whole)
        default = _default(part.events, self._namespace)
        name, type = given.get("attr.name", ""), given.get("attr.type", "")
        self._keep(len(markup))
        self._sink.key(Declared(given["id"], given.get("for", "all"), name, type, default, markup, part.line))

    def _hold(self, item: Item, size: int) -> None:
        holder = self._stack[-1]
        holder.items.append(item)
        if holder.kind in ("graph", "graphml"):
            self._keep(size)

    def _keep(self, size: int) -> None:
        """Keys and the graph's own data stay in memory to the end."""
        self._kept += size
        if self._kept > self._limits.element:
            message = f"its keys and the graph's own data have more than {self._limits.element:,} characters"
            raise refusal("element-too-large", message)


def _default(events: list[Event], graphml: str) -> str | None:
    """The text of a key's default; None where it has none, or markup in it."""
    depth = 0
    texts: list[str] | None = None
    for event in events:
        if isinstance(event, tuple):
            depth += 1
            namespace, local, _ = split(event[0])
            if depth == 2 and (namespace, local) == (graphml, "default"):
                texts = []
            elif depth > 2 and texts is not None:
                return None
        elif event is None:
            depth -= 1
        elif depth == 2 and texts is not None:
            texts.append(event)
    return None if texts is None else "".join(texts)


_OPENS: dict[tuple[str, str], tuple[Holder, Callable[[Walk, Held], None]]] = {
    ("", "graphml"): ("graphml", Walk._open_root),
    ("graphml", "graph"): ("graph", Walk._open_graph),
    ("graph", "node"): ("node", Walk._open),
    ("graph", "edge"): ("edge", Walk._open),
    ("node", "graph"): ("graph", Walk._open_inner),
}
