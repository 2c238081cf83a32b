"""Frozen records as dictionaries of their fields, and back; structures as JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Record = TypeVar("Record")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def to_text(content: Any) -> str:
    """Compact JSON, as all structures are stored."""
    return _ENCODER.encode(content)


def names_of(kind: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields; `dataclasses.fields` says the same, at several times the price."""
    return tuple(kind.__dataclass_fields__)


def flat(record: Any) -> dict[str, Any]:
    """The fields of a record by name; unlike `dataclasses.asdict`, none of them is copied."""
    return {name: getattr(record, name) for name in names_of(record)}


def restored(kind: type[Record], content: Mapping[str, Any]) -> Record:
    """The record whose fields were kept as JSON: lists become tuples, objects inside it records."""
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], content[name]) for name in names_of(kind) if name in content})


def _value(hint: Any, value: Any) -> Any:
    if isinstance(hint, type) and is_dataclass(hint):
        return restored(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], one) for one in value)
    if get_origin(hint) is UnionType and value is not None:
        kinds = [kind for kind in get_args(hint) if kind is not NoneType]
        return _value(kinds[0], value) if len(kinds) == 1 else value
    return value
