"""Frozen records as dictionaries of their fields."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any


@cache
def names_of(kind: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields."""
    return tuple(field.name for field in fields(kind))


def flat(record: Any) -> dict[str, Any]:
    """The fields of a record by name; unlike `dataclasses.asdict`, none of them is copied."""
    return {name: getattr(record, name) for name in names_of(type(record))}
