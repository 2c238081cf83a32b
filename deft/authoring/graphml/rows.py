"""The events of one node or edge in a row -> its data, and what else it holds.

An event is what the parser said: a list (the attributes of data that begins), a tuple (name, attributes) of
anything else that begins, a text, or the mark of an end. The first one is the node or edge itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from deft.authoring.graphml.foreign import Event, Prefixes, Whole
from deft.authoring.graphml.limits import Limits
from deft.authoring.graphml.prologue import SEPARATOR

Row: TypeAlias = list[Any]
_OUTER = 3  # elements around the children of a node: graphml, graph, the node


class Content(NamedTuple):
    """XML attributes and texts of plain data; `others`: what else there is, after how much data."""

    starts: list[list[str]]
    texts: list[Any]
    others: list[tuple[int, Whole]]


class Rows:
    """Reads rows of a document; `marks` are the ends of node, edge and data by their names."""

    def __init__(self, data: str, marks: dict[str, Any], prefixes: Prefixes, limits: Limits) -> None:
        self._data = data
        self._marks = marks
        self._ending = marks[data]
        self._prefixes = prefixes
        self._limits = limits

    def content(self, row: Row) -> Content | None:
        """What an element holds; None where it holds more than data and foreign elements, or is not alone."""
        closing = self._marks[row[0][0]]
        return self._regular(row, closing) or self._irregular(row, closing)

    def _regular(self, row: Row, closing: Any) -> Content | None:
        """An element as most tools write it: plain data, none of it empty.

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
        if SEPARATOR in text or len(text) > self._limits.text:
            return None
        return Content(starts, texts, _NOTHING)

    def _irregular(self, row: Row, closing: Any) -> Content | None:
        """Any other one."""
        content = Content([], [], [])
        part: list[Event] = []  # of the child that is open
        at, depth, size, is_open = 1, 0, 0, True
        while at < len(row):
            event = row[at]
            kind = event.__class__
            at += 1
            if kind is list and not depth and is_open and self.is_plain(event, row, at):
                content.starts.append(event)
                content.texts.append(row[at])
                size += len(row[at])
                at += 2
            elif kind is list or (kind is tuple and len(event) > 1):
                name, attributes = (self._data, event) if kind is list else event
                depth += 1
                size += sum(map(len, attributes))
                is_much = len(attributes) > 2 * self._limits.attributes
                if not is_open or is_much or depth + _OUTER > self._limits.depth:
                    return None
                part.append((name, attributes))
            elif kind is str and SEPARATOR not in event:
                if depth:
                    size += len(event)
                    part.append(event)
            elif not depth:
                if event != closing or not is_open:
                    return None
                is_open = False
            else:
                depth -= 1
                part.append(None)
                if not depth:
                    self._put(content, part)
                    part = []
        return None if is_open or size > self._limits.text else content

    def is_plain(self, attributes: list[str], row: Row, at: int) -> bool:
        """Whether data with one attribute is followed by its text, and that by its end."""
        if len(attributes) != 2 or at + 1 >= len(row) or row[at + 1] != self._ending:
            return False
        return row[at].__class__ is str and SEPARATOR not in row[at]

    def _put(self, content: Content, part: list[Event]) -> None:
        start, *inside = part[:-1]
        assert isinstance(start, tuple)
        name, attributes = start
        texts = [event for event in inside if isinstance(event, str)]
        if name == self._data and len(attributes) == 2 and len(texts) == len(inside):
            content.starts.append(attributes)
            content.texts.append("".join(texts))
        else:
            content.others.append((len(content.starts), (self._prefixes(), part)))


_NOTHING: list[tuple[int, Whole]] = []
