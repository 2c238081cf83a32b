"""Typed values out of JSON objects; what has another type, or cannot be kept, is a finding with its place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from deft.authoring.graphml.collector import Collector
from deft.authoring.importers.jsonfile import step

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML cannot hold it
_KINDS = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list",
          dict: "an object"}  # fmt: skip
_ROOM = 2**63  # larger numbers fit into no column

Object = Mapping[str, Any]


class Fields:
    """Reads members of objects. `null` is as good as nothing, since many programs write it so."""

    def __init__(self, found: Collector, longest: int) -> None:
        self.found = found
        self._longest = longest

    def text(self, holder: Object, key: str, at: str, *, needed: bool = False) -> str:
        """A text; empty where there is none."""
        value = self._value(holder, key, at, str, needed)
        return self._checked(value, step(at, key)) if isinstance(value, str) else ""

    def number(self, holder: Object, key: str, at: str, *, low: float = -math.inf) -> float | None:
        """A number of at least `low`; None where there is none."""
        value = self._value(holder, key, at, float, False)
        if value is None:
            return None
        if not math.isfinite(value) or abs(value) >= _ROOM:
            self.wrong("bad-value", f"{step(at, key)} = {value} is out of range", step(at, key))
        elif value < low:
            self.wrong("bad-value", f"{step(at, key)} = {value:g} is below {low:g}", step(at, key))
        else:
            return float(value) if isinstance(value, float) else int(value)
        return None

    def texts(self, holder: Object, key: str, at: str) -> list[str]:
        """A list of texts; empty where there is none."""
        place = step(at, key)
        found = []
        for number, one in enumerate(self._value(holder, key, at, list, False) or ()):
            if isinstance(one, str):
                found.append(self._checked(one, f"{place}/{number}"))
            else:
                self._type(f"{place}/{number}", one, str)
        return found

    def objects(
        self, holder: Object, key: str, at: str, *, needed: bool = False
    ) -> Iterator[tuple[Object, str]]:
        """The objects of a list, each with its place."""
        place = step(at, key)
        for number, one in enumerate(self._value(holder, key, at, list, needed) or ()):
            if isinstance(one, dict):
                yield one, f"{place}/{number}"
            else:
                self._type(f"{place}/{number}", one, dict)

    def object(self, holder: Object, key: str, at: str, *, needed: bool = False) -> Object:
        """An object; an empty one where there is none."""
        return self._value(holder, key, at, dict, needed) or {}

    def wrong(self, code: str, message: str, at: str, hint: str | None = None) -> None:
        """Note a fault."""
        self.found.error(code, message, subject=at, hint=hint)

    def _value(self, holder: Object, key: str, at: str, kind: type, needed: bool) -> Any:
        value = holder.get(key)
        fits = isinstance(value, (int, float) if kind is float else kind)
        if value is not None and (not fits or (kind is float and isinstance(value, bool))):
            self._type(step(at, key), value, kind)
            return None
        if needed and not value:
            self.wrong("missing-key", f"{at or 'the document'} has no {key!r}", at)
        return value

    def _type(self, at: str, value: Any, wanted: type) -> None:
        is_a = _KINDS.get(type(value), "null")
        self.wrong("bad-type", f"{at} is {is_a}, but must be {_KINDS[wanted]}", at)

    def _checked(self, text: str, at: str) -> str:
        if len(text) > self._longest:
            self.wrong("text-too-long", f"{at} has more than {self._longest:,} characters", at)
            return ""
        bad = _ILLEGAL.search(text)
        if bad:
            self.wrong("illegal-character", f"{at} holds the character {bad[0]!r}", at, "remove it")
            return ""
        return text
