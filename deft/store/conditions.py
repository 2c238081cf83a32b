"""The selector compiled to SQL: an expression of `model.selection` as a condition on a row of tasks.

Every text and number of the user becomes a bound value. Each leaf is true or false, never null, so that
`not` means the same as in words.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from deft.base import guards, wording
from deft.base.database import Utc
from deft.base.idlists import among
from deft.model.fields import Field, Value
from deft.model.selection import Among, Compare, Expr, Flag, Junction, Not, Related, is_glob
from deft.model.tasks import ACTIVE, ENDED, State
from deft.store import supply
from deft.store.guards import METATASK, NODE, REPORT


@dataclass(frozen=True, slots=True)
class Place:
    """When a condition is asked, and the tasks that can be reached where it asks for such (`relations`)."""

    now: datetime
    related: Mapping[Related, Collection[int]]


def relations(expr: Expr) -> Iterator[Related]:
    """The questions about the graph in an expression; their answers go into its `Place`."""
    match expr:
        case Related():
            yield expr
        case Not(of):
            yield from relations(of)
        case Junction(_, parts):
            for part in parts:
                yield from relations(part)


def to_sql(expr: Expr, place: Place) -> ColumnElement[bool]:
    """The condition on the rows of `store.guards.TASKS`."""
    match expr:
        case Flag(field):
            return _flag(field.name)
        case Compare(field, op, value):
            return _sure(field, _compared(field, op, value, place))
        case Among(field, values):
            return _sure(field, _among(field, values, place))
        case Related():
            return among(NODE.c.id, place.related[expr])
        case Not(of):
            return sa.not_(to_sql(of, place))
        case Junction(word, parts):
            join = sa.and_ if word == "and" else sa.or_
            return join(*(to_sql(part, place) for part in parts))


def _sure(field: Field, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same, but false where it is null."""
    if field.type != "free" and field.name not in _MAY_BE_MISSING:
        return condition
    return sa.case((condition, _constant(1)), else_=_constant(0)) == _constant(1)


# --- comparisons -------------------------------------------------------------------------------------------


def _compared(field: Field, op: str, value: Value, place: Place) -> ColumnElement[bool]:
    if isinstance(value, str):
        return matches(_text(field), value, folded=field.folded)
    if field.type == "age":  # older than that: changed before the moment that lies that long back
        assert isinstance(value, float)
        op, value = _BACKWARDS[op], place.now - timedelta(seconds=value)
    found: ColumnElement[bool] = guards.OPERATORS[op](_measure(field), _bound(value))
    return found


_BACKWARDS = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _among(field: Field, values: tuple[Value, ...], place: Place) -> ColumnElement[bool]:
    """One of these: all that can be compared with `=` in one list."""
    listed = [value for value in values if _listable(field, value)]
    found = [_compared(field, "==", value, place) for value in values if not _listable(field, value)]
    texts = [value.lower() if field.folded else value for value in listed if isinstance(value, str)]
    numbers = [_bound(value) for value in listed if not isinstance(value, str)]
    if texts:
        column = _text(field)
        found.append((sa.func.lower(column) if field.folded else column).in_(texts))
    if numbers:
        found.append(_measure(field).in_(numbers))
    return sa.or_(*found)


def _listable(field: Field, value: Value) -> bool:
    if not isinstance(value, str):
        return True
    return bool(value) and not is_glob(value) and not isinstance(_text(field).type, sa.Text)


def _bound(value: Value) -> ColumnElement[Any]:
    # Typed, since PostgreSQL would round 1.5 to the type of the column beside it.
    if isinstance(value, datetime):
        return sa.literal(value, Utc())
    return sa.literal(value, sa.BigInteger() if isinstance(value, int) else sa.Float())


def matches(column: ColumnElement[Any], pattern: str, *, folded: bool = False) -> ColumnElement[bool]:
    """The column is that text, or matches that glob of `*` and `?`; `folded`: without regard to case."""
    if folded:
        column, pattern = sa.func.lower(column), pattern.lower()
    return wording.globbed(column, pattern) if is_glob(pattern) else wording.same(column, pattern)


# --- fields ------------------------------------------------------------------------------------------------


def _expected() -> ColumnElement[Any]:
    """As `deft status` shows it: never less than the units that JEDI knows."""
    known = functools.reduce(operator.add, map(_counter, _UNITS))
    return wording.largest(supply.of(NODE), known)


def _progress() -> ColumnElement[Any]:
    expected = sa.cast(sa.func.nullif(_expected(), _constant(0)), sa.Float)
    return sa.func.coalesce(_counter("ok") / expected, _constant(0))


def _counter(name: str) -> ColumnElement[Any]:
    return sa.func.coalesce(REPORT.c[name], _constant(0))


def _constant(number: int) -> ColumnElement[Any]:
    """A number of ours, written out: a statement takes only so many bound values."""
    return sa.literal_column(str(number), sa.Integer)


def _reason() -> ColumnElement[Any]:
    told = sa.case((NODE.c.state == State.RUNNING.value, REPORT.c.reason))
    return sa.func.coalesce(NODE.c.reason, told)


def _flag(name: str) -> ColumnElement[bool]:
    # Made anew each time: the cache of SQLAlchemy mixes up the values of an expression that stands in a
    # statement twice, once of them negated, with those of the next statement of that shape.
    if name in _STATES:
        return NODE.c.state.in_(sorted(state.value for state in _STATES[name]))
    if name == "held":
        return sa.or_(_flag("hold"), METATASK.c.hold == _constant(1))
    return NODE.c[name] == _constant(1)


_STATES = {"ended": ENDED, "active": ACTIVE}


_UNITS = ("ready", "running", "ok", "failed", "skipped")
_COLUMNS: dict[str, Callable[[], ColumnElement[Any]]] = {
    "state": lambda: NODE.c.state,
    "name": lambda: NODE.c.name,
    "metatask": lambda: METATASK.c.name,
    "project": lambda: METATASK.c.project,
    "owner": lambda: METATASK.c.owner,
    "origin": lambda: METATASK.c.origin,
    "reason": _reason,
    "since": lambda: NODE.c.changed,
    "age": lambda: NODE.c.changed,
    "created": lambda: METATASK.c.created,
    "expected": _expected,
    "progress": _progress,
}
# Fields that stand among the settings of the task or of its Meta-Task; labels and parameters: of either.
_SETTINGS = {"template": (NODE,), "tool": (METATASK,), "priority": (NODE,)}
_MAY_BE_MISSING = frozenset({"template", "tool", "origin", "reason"})


def _text(field: Field) -> ColumnElement[Any]:
    """The field as text; null where it is missing."""
    if field.name in _COLUMNS:
        return _COLUMNS[field.name]()
    tables = _SETTINGS.get(field.name, (NODE, METATASK))  # the task's own wins
    texts = [wording.in_json(table.c.settings, field.name) for table in tables]
    return sa.func.coalesce(*texts) if len(texts) > 1 else texts[0]


def _measure(field: Field) -> ColumnElement[Any]:
    """The field as a number or a time; null where it is missing or a text that is no number."""
    if field.name in _COLUMNS:
        return _COLUMNS[field.name]()
    if field.type == "number" and field.name not in _SETTINGS:
        return _counter(field.name)
    text = _text(field)
    number = sa.case((text.regexp_match(_NUMBER), sa.cast(text, sa.Float)))
    return sa.func.coalesce(number, _constant(0)) if field.type == "number" else number


# What every dialect can read as a number without a fault; `fields.NUMBER` with bounds.
_NUMBER = r"^[-+]?([0-9]{1,30}[.]?[0-9]{0,30}|[.][0-9]{1,30})([eE][-+]?[0-9]{1,2})?$"
