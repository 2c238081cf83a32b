"""One pass of the parser over a document.

Most elements of a large document are plain: a node or an edge with data of text alone. Their events are
gathered in a row, and a row of the plain form is taken at once. Any other row is told to `Walk`, event by
event, which knows all of GraphML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.parsers import expat

from deft.authoring.graphml import prologue
from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.elements import Elements
from deft.authoring.graphml.limits import CappedReader, Limits, refusal
from deft.authoring.graphml.prologue import SEPARATOR, split
from deft.authoring.graphml.rows import Row, Rows
from deft.authoring.graphml.walk import Walk
from deft.base.errors import BadInput

_TEXT_BUFFER = 2**16
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9a-fA-FxX]+);)[\w.:-]{1,40};")
_UNDEFINED_ENTITY = 11  # XML_ERROR_UNDEFINED_ENTITY


class Scan:
    """The state of one pass; `elements` and `walk` are there once the root was found."""

    elements: Elements
    walk: Walk

    def __init__(self, found: Collector, limits: Limits) -> None:
        self._found, self._limits = found, limits
        self._parser = expat.ParserCreate(namespace_separator=SEPARATOR)
        self._parser.namespace_prefixes = True
        self._parser.ordered_attributes = True
        self._parser.buffer_text = True
        self._parser.buffer_size = _TEXT_BUFFER
        self._bound: dict[str, str] = {}  # prefix -> namespace, as they hold now
        self._outer: dict[str, list[str | None]] = {}  # what they were bound to outside
        self._bindings: tuple[tuple[str, str], ...] | None = None
        self._row: Row = []
        self._line = 0  # of the row's first event, where that does not say it
        self._is_begun = False
        self._parser.StartNamespaceDeclHandler = self._bind
        self._parser.EndNamespaceDeclHandler = self._unbind
        prologue.watch(self._parser, self._begin)

    def read(self, reader: CappedReader) -> None:
        """Read all of it. Raises BadInput where a limit is passed or it is no GraphML."""
        chunk = reader.read()
        prologue.look(chunk)
        fed, ended = 0, -1
        try:
            while chunk:
                self._parser.Parse(chunk, False)
                fed += len(chunk)  # where `chunk` began, as long as it is parsed
                self._check_token(fed)
                if self._is_begun and (now := self._pack()) != ended:
                    ended, reader.quiet = now, 0
                chunk = reader.read()
            self._parser.Parse(b"", True)
        except expat.ExpatError as fault:
            raise _malformed(fault, chunk[self._parser.ErrorByteIndex - fed :]) from None
        self._tell()
        self._pack()

    def _check_token(self, fed: int) -> None:
        if fed - self._parser.CurrentByteIndex > self._limits.token:
            message = f"a tag, comment or text has more than {self._limits.token:,} bytes"
            raise refusal("token-too-large", message, self._parser.CurrentLineNumber)

    def _pack(self) -> int:
        """Put away what was taken; how many keys, nodes and edges have ended so far."""
        elements = self.elements
        elements.pack()
        if self.walk.values > self._limits.values:
            raise refusal("too-many-values", f"it has more than {self._limits.values:,} data elements")
        return elements.node_count + elements.edge_count + len(elements.declared)

    def _begin(self, name: str, attributes: list[str]) -> None:
        """The root was found to be GraphML's."""
        namespace, _, prefix = split(name)
        ending = f"{SEPARATOR}{prefix}" if prefix else ""
        self._data, self._node, self._edge = (
            f"{namespace}{SEPARATOR}{local}{ending}" if namespace else local
            for local in ("data", "node", "edge")
        )
        self.elements = Elements(namespace, self._data, self._found, self._limits)
        self.walk = Walk(namespace, self._prefixes, self._found, self._limits, self.elements)
        marks = {name: name if namespace else (name,) for name in (self._data, self._node, self._edge)}
        self._rows = Rows(self._data, marks, self._prefixes, self._limits)
        # Without a namespace a name could be taken for a text.
        self._is_spaced = bool(namespace)
        append = self._row.append
        self._mark: Callable[[str], None] = append if namespace else lambda name: append((name,))
        self._is_begun = True
        self._go_slowly()
        self._slow_start(name, attributes)

    def _bind(self, prefix: str | None, uri: str | None) -> None:
        self._outer.setdefault(prefix or "", []).append(self._bound.get(prefix or ""))
        self._bound[prefix or ""] = uri or ""
        self._bindings = None

    def _unbind(self, prefix: str | None) -> None:
        before = self._outer[prefix or ""].pop()
        if before is None:
            del self._bound[prefix or ""]
        else:
            self._bound[prefix or ""] = before
        self._bindings = None

    def _prefixes(self) -> tuple[tuple[str, str], ...]:
        """The prefixes that hold now; of an element that ends, those that it bound itself are still there."""
        if self._bindings is None:
            self._bindings = tuple(sorted(self._bound.items()))
        return self._bindings

    # --- element by element --------------------------------------------------------------------------------

    def _go_slowly(self) -> None:
        self._parser.StartElementHandler = self._slow_start
        self._parser.EndElementHandler = self._slow_end
        self._parser.CharacterDataHandler = self.walk.text

    def _slow_start(self, name: str, attributes: list[str]) -> None:
        self.walk.start(name, attributes, self._parser.CurrentLineNumber)
        if self.walk.rests:
            self._go_fast()

    def _slow_end(self, name: str) -> None:
        self.walk.end()
        if self.walk.rests:
            self._go_fast()

    def _tell(self) -> None:
        """Tell the walk what the row holds, and begin a new one."""
        walk, row, at = self.walk, self._row, 0
        while at < len(row):
            event = row[at]
            at += 1
            if isinstance(event, list):
                is_plain = event[:1] == ["key"] and self._rows.is_plain(event, row, at)
                if is_plain and walk.data(event[1], row[at], self._line):
                    self._line += row[at].count("\n")
                    at += 2
                else:
                    walk.start(self._data, event, self._line)
            elif isinstance(event, tuple) and len(event) > 1:
                name, attributes, *line = event
                self._line = line[0] if line else self._line
                walk.start(name, attributes, self._line)
            elif isinstance(event, tuple) or SEPARATOR in event:
                walk.end()
            else:
                self._line += event.count("\n")
                walk.text(event)
        row.clear()

    # --- rows ----------------------------------------------------------------------------------------------

    def _go_fast(self) -> None:
        """Gather events in rows; only those that begin a node or an edge are looked at."""
        row, parser, take, slowly = self._row, self._parser, self._take_row, self._leave_row
        append, data, others = row.append, self._data, (self._node, self._edge)
        is_foreign = self._is_foreign
        self._line = parser.CurrentLineNumber

        def start(name: str, attributes: list[str]) -> None:
            if name == data:
                append(attributes)
            elif name in others:
                if not row or take():
                    append((name, attributes, parser.CurrentLineNumber))
                else:
                    slowly(name, attributes)
            elif is_foreign(name):
                append((name, attributes))
            else:
                slowly(name, attributes)

        parser.StartElementHandler = start
        parser.EndElementHandler = self._mark
        parser.CharacterDataHandler = append

    def _is_foreign(self, name: str) -> bool:
        """Whether an element may stand in a row though GraphML is not built of it."""
        return self.walk.is_foreign(name) and (SEPARATOR in name or not self._is_spaced)

    def _leave_row(self, name: str, attributes: list[str]) -> None:
        self._tell()
        self._go_slowly()
        self._slow_start(name, attributes)

    def _take_row(self) -> bool:
        """Take the row; False where it does not end between two elements of the graph."""
        row = self._row
        if row[0].__class__ is tuple and len(row[0]) == 3:
            name, attributes, line = row[0]
            content = self._rows.content(row)
            if content is not None:
                take = self.elements.node if name == self._node else self.elements.edge
                if take(attributes, line, content):
                    self.walk.count(len(content.starts), len(content.others))
                    row.clear()
                    return True
        self._tell()
        return self.walk.rests


def _malformed(fault: expat.ExpatError, rest: bytes) -> BadInput:
    what = expat.ErrorString(fault.code)
    if fault.code == _UNDEFINED_ENTITY:
        named = _ENTITY.search(rest)
        which = f" {named[0].decode('ascii', 'replace')}" if named else ""
        return refusal("entity", f"it is not well-formed: {what}{which}", fault.lineno)
    return refusal("not-xml", f"it is not XML: {what}", fault.lineno)
