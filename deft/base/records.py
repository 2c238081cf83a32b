"""Frozen records as dictionaries of their fields."""

from __future__ import annotations

from typing import Any


def names_of(kind: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields; `dataclasses.fields` says the same, at several times the price."""
    return tuple(kind.__dataclass_fields__)


def flat(record: Any) -> dict[str, Any]:
    """The fields of a record by name; unlike `dataclasses.asdict`, none of them is copied."""
    return {name: getattr(record, name) for name in names_of(record)}
