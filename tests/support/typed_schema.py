"""A type as JSON Schema: dataclasses and typed dictionaries, enumerations, unions, lists, dictionaries."""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Like:
    """An object like another (None: like none), without some of its properties and with some more."""

    name: str
    kind: Any
    but: frozenset[str] = frozenset()
    more: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""


_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Path: {"type": "string"},
    datetime: {"type": "string", "format": "date-time"},
    object: {},
    Any: {},
}


def document(kind: Any, *, id: str, title: str, description: str) -> Schema:
    """The schema of a whole document. Raises TypeError for a type that JSON has no word for."""
    found: dict[str, Schema] = {}
    root = _of(kind, found)
    head = {"$schema": DRAFT, "$id": id, "title": title, "description": description}
    return {**head, **root, **({"$defs": dict(sorted(found.items()))} if found else {})}


def _of(kind: Any, found: dict[str, Schema]) -> Schema:
    """The schema of one type; objects it has go to `found`, and are referred to."""
    if isinstance(kind, Like):
        return _like(kind, found)
    if isinstance(kind, list):  # as list[kind], where that is no type
        return {"type": "array", "items": _of(kind[0], found)}
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    origin, inner = get_origin(kind), get_args(kind)
    if origin is NotRequired:
        return _of(inner[0], found)
    if origin in (Union, types.UnionType):
        return _any([_of(one, found) for one in inner])
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is tuple and inner[-1] is not ...:
        items = [_of(one, found) for one in inner]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(inner[1], found)}
    if isinstance(origin, type) and issubclass(origin, Collection):
        return {"type": "array", "items": _of(inner[0], found)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [one.value for one in kind]}
    if is_dataclass(kind) or is_typeddict(kind):
        return _object(kind, found)
    raise TypeError(f"{kind!r} is nothing that JSON can hold")


def _any(choices: list[Schema]) -> Schema:
    """One of several; plain types as one list."""
    if all(choice.keys() == {"type"} for choice in choices):
        return {"type": [choice["type"] for choice in choices]}
    return {} if {} in choices else {"anyOf": choices}


def _object(kind: Any, found: dict[str, Schema]) -> Schema:
    if kind.__name__ not in found:
        found[kind.__name__] = {}  # one that holds itself ends here
        found[kind.__name__] = _described(kind.__doc__, _hints(kind), found)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _like(wanted: Like, found: dict[str, Schema]) -> Schema:
    if wanted.name in found:
        raise TypeError(f"two objects would be called {wanted.name}")
    kept = {name: kind for name, kind in _hints(wanted.kind).items() if name not in wanted.but}
    says = wanted.says or wanted.kind.__doc__
    found[wanted.name] = _described(says, {**kept, **wanted.more}, found)
    return {"$ref": f"#/$defs/{wanted.name}"}


def _hints(kind: Any) -> dict[str, Any]:
    if kind is None:
        return {}
    hints = get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in kind.__dataclass_fields__} if is_dataclass(kind) else hints


def _described(text: str | None, members: Mapping[str, Any], found: dict[str, Schema]) -> Schema:
    return {
        "description": " ".join((text or "").split()),
        "type": "object",
        "required": [name for name, kind in members.items() if get_origin(kind) is not NotRequired],
        "properties": {name: _of(kind, found) for name, kind in members.items()},
    }


def closed(schema: Any) -> Any:
    """The same, where no object may have a property that is not named: for tests that nothing is left out."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(one) for name, one in schema.items()}
    if "properties" in made and isinstance(made["properties"], dict) and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made
