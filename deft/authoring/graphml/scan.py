"""One pass of the parser over a document.

Most elements of a large document are plain: a node or an edge with data of text alone. Their events are
gathered in a row, and a row of the plain form is taken at once. Any other row is told to `Walk`, event by
event, which knows all of GraphML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from deft.authoring.graphml import prologue
from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.elements import Elements
from deft.authoring.graphml.limits import CappedReader, Limits, refusal
from deft.authoring.graphml.prologue import SEPARATOR, split
from deft.authoring.graphml.walk import Walk
from deft.base.errors import BadInput

_Plain = tuple[list[list[str]], list[Any]]

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
        self._row: list[Any] = []
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
        self.elements = Elements(namespace, self._found, self._limits)
        self.walk = Walk(namespace, self._bound, self._found, self._limits, self.elements)
        closing = {name: name if namespace else (name,) for name in (self._data, self._node, self._edge)}
        self._closing: dict[str, Any] = closing  # how the end of an element stands in a row
        self._ending = closing[self._data]
        # Without a namespace a name could be taken for a text.
        append = self._row.append
        self._mark: Callable[[str], None] = append if namespace else lambda name: append((name,))
        self._is_begun = True
        self._go_slowly()
        self._slow_start(name, attributes)

    def _bind(self, prefix: str | None, uri: str | None) -> None:
        self._outer.setdefault(prefix or "", []).append(self._bound.get(prefix or ""))
        self._bound[prefix or ""] = uri or ""

    def _unbind(self, prefix: str | None) -> None:
        before = self._outer[prefix or ""].pop()
        if before is None:
            del self._bound[prefix or ""]
        else:
            self._bound[prefix or ""] = before

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
        walk, line = self.walk, self._line
        for event in self._row:
            if isinstance(event, list):
                walk.start(self._data, event, line)
            elif isinstance(event, tuple):
                if len(event) == 1:
                    walk.end()
                else:
                    name, attributes, line = event
                    walk.start(name, attributes, line)
            elif SEPARATOR in event:
                walk.end()
            else:
                line += event.count("\n")
                walk.text(event)
        self._row.clear()
        self._line = line

    # --- rows ----------------------------------------------------------------------------------------------

    def _go_fast(self) -> None:
        """Gather events in rows; only those that begin a node or an edge are looked at."""
        row, parser, take, slowly = self._row, self._parser, self._take_row, self._leave_row
        append, data, others = row.append, self._data, (self._node, self._edge)
        self._line = parser.CurrentLineNumber

        def start(name: str, attributes: list[str]) -> None:
            if name == data:
                append(attributes)
            elif name in others and (not row or take()):
                append((name, attributes, parser.CurrentLineNumber))
            else:
                slowly(name, attributes)

        parser.StartElementHandler = start
        parser.EndElementHandler = self._mark
        parser.CharacterDataHandler = append

    def _leave_row(self, name: str, attributes: list[str]) -> None:
        self._tell()
        self._go_slowly()
        self._slow_start(name, attributes)

    def _take_row(self) -> bool:
        """Take the row; False where it does not end between two elements of the graph."""
        row = self._row
        if row[0].__class__ is tuple:
            name, attributes, line = row[0]
            closing = self._closing[name]
            plain = self._regular(row, closing) or self._irregular(row, closing)
            if plain is not None:
                take = self.elements.node if name == self._node else self.elements.edge
                if take(attributes, line, *plain):
                    self.walk.values += len(plain[0])
                    row.clear()
                    return True
        self._tell()
        return self.walk.rests

    def _regular(self, row: list[Any], closing: Any) -> _Plain | None:
        """(XML attributes, texts) of the data of a node or an edge as most tools write it.

        It stands in lines, [start, blank, (data, text, end, blank)..., end, blank], or without blanks,
        [start, (data, text, end)..., end, blank or nothing].
        """
        size = len(row)
        if size % 4 == 0 and row[-2] == closing:
            starts, ends, others = row[2:-2:4], row[4:-2:4], row[1::2]
            texts = others[1:-1:2]
        else:
            has_blank = row[-1] != closing
            last = size - 1 - has_blank
            if last % 3 != 1 or row[last] != closing:
                return None
            starts, texts, ends = row[1:last:3], row[2:last:3], row[3:last:3]
            others = [*texts, row[-1]] if has_blank else texts
        if ends.count(self._ending) != len(starts):
            return None
        try:
            text = "".join(others)
        except TypeError:  # something else than text
            return None
        return (starts, texts) if SEPARATOR not in text and len(text) <= self._limits.text else None

    def _irregular(self, row: list[Any], closing: Any) -> _Plain | None:
        """The same for any other one that holds nothing but data with texts, some of them empty."""
        starts: list[list[str]] = []
        texts: list[str] = []
        text: str | None = None  # of the data element that is open
        is_open = True
        for event in row[1:]:
            if event.__class__ is list:
                if text is not None or not is_open:
                    return None
                starts.append(event)
                text = ""
            elif event == self._ending and text is not None:
                texts.append(text)
                text = None
            elif event == closing and text is None and is_open:
                is_open = False
            elif event.__class__ is not str or SEPARATOR in event:
                return None
            elif text is not None:
                text += event
        is_short = sum(map(len, texts)) <= self._limits.text
        return (starts, texts) if is_short and not is_open else None


def _malformed(fault: expat.ExpatError, rest: bytes) -> BadInput:
    what = expat.ErrorString(fault.code)
    if fault.code == _UNDEFINED_ENTITY:
        named = _ENTITY.search(rest)
        which = f" {named[0].decode('ascii', 'replace')}" if named else ""
        hint = "GraphML needs no entities; write the sign itself, or &amp; for &"
        return refusal("entity", f"it is not well-formed: {what}{which}", fault.lineno, hint)
    return refusal("not-xml", f"it is not XML: {what}", fault.lineno)
