"""The selector compiled to SQL: an expression of `model.selection` as a condition on a row of tasks.

Every text and number of the user becomes a bound value. Each leaf is true or false, never null, so that
`not` means the same as in words. What differs between the dialects: globs, and values inside JSON text.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from deft.base import guards
from deft.base.database import Utc
from deft.model.fields import Field, Value
from deft.model.selection import Among, Compare, Expr, Flag, Junction, Not, Related, is_glob
from deft.model.tasks import ACTIVE, ENDED, State
from deft.store import supply
from deft.store.guards import METATASK, NODE, REPORT
from deft.store.tables import deft_edge, deft_node

_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a condition is asked: the dialect, the time, the ids of the Meta-Tasks if not all."""

    dialect: str
    now: datetime
    metatasks: sa.Select[int] | None = None


def to_sql(expr: Expr, place: Place) -> ColumnElement[bool]:
    """The condition on the rows of `store.guards.TASKS`."""
    match expr:
        case Flag(field):
            return _flag(field.name)
        case Compare(field, op, value):
            return _sure(field, _compared(field, op, value, place))
        case Among(field, values):
            return _sure(field, _among(field, values, place))
        case Related(word, name):
            return _related(word, name, place)
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
        return matches(_text(field, place), value, place.dialect, folded=field.folded)
    if field.type == "age":  # older than that: changed before the moment that lies that long back
        assert isinstance(value, float)
        op, value = _BACKWARDS[op], place.now - timedelta(seconds=value)
    found: ColumnElement[bool] = guards.OPERATORS[op](_measure(field, place), _bound(value))
    return found


_BACKWARDS = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _among(field: Field, values: tuple[Value, ...], place: Place) -> ColumnElement[bool]:
    """One of these: all that are no globs in one list."""
    texts = [value for value in values if isinstance(value, str)]
    numbers = [_bound(value) for value in values if not isinstance(value, str)]
    found = [_compared(field, "==", value, place) for value in texts if is_glob(value)]
    plain = [value.lower() if field.folded else value for value in texts if not is_glob(value)]
    if plain:
        column = _text(field, place)
        found.append((sa.func.lower(column) if field.folded else column).in_(plain))
    if numbers:
        found.append(_measure(field, place).in_(numbers))
    return sa.or_(*found)


def _bound(value: Value) -> ColumnElement[Any]:
    # Typed, since PostgreSQL would round 1.5 to the type of the column beside it.
    if isinstance(value, datetime):
        return sa.literal(value, Utc())
    return sa.literal(value, sa.BigInteger() if isinstance(value, int) else sa.Float())


def matches(
    column: ColumnElement[Any], pattern: str, dialect: str, *, folded: bool = False
) -> ColumnElement[bool]:
    """The column is that text, or matches that glob of `*` and `?`; `folded`: without regard to case."""
    if folded:
        column, pattern = sa.func.lower(column), pattern.lower()
    if not is_glob(pattern):
        return column == pattern
    if dialect == "sqlite":  # its LIKE has no regard for case
        return column.op("GLOB", is_comparison=True)(pattern.replace("[", "[[]"))
    for sign in (_ESCAPE, "%", "_"):
        pattern = pattern.replace(sign, _ESCAPE + sign)
    return column.like(pattern.replace("*", "%").replace("?", "_"), escape=_ESCAPE)


# --- fields ------------------------------------------------------------------------------------------------


def _expected(place: Place) -> ColumnElement[Any]:
    """As `deft status` shows it: never less than the units that JEDI knows."""
    known = functools.reduce(operator.add, map(_counter, _UNITS))
    largest: Callable[..., ColumnElement[Any]] = (
        sa.func.max if place.dialect == "sqlite" else sa.func.greatest
    )
    return largest(supply.of(NODE), known)


def _progress(place: Place) -> ColumnElement[Any]:
    expected = sa.cast(sa.func.nullif(_expected(place), _constant(0)), sa.Float)
    return sa.func.coalesce(_counter("ok") / expected, _constant(0))


def _counter(name: str) -> ColumnElement[Any]:
    return sa.func.coalesce(REPORT.c[name], _constant(0))


def _constant(number: int) -> ColumnElement[Any]:
    """A number of ours, written out: a statement takes only so many bound values."""
    return sa.literal_column(str(number), sa.Integer)


def _reason(_: Place) -> ColumnElement[Any]:
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
_COLUMNS: dict[str, Callable[[Place], ColumnElement[Any]]] = {
    "state": lambda _: NODE.c.state,
    "name": lambda _: NODE.c.name,
    "metatask": lambda _: METATASK.c.name,
    "project": lambda _: METATASK.c.project,
    "owner": lambda _: METATASK.c.owner,
    "origin": lambda _: METATASK.c.origin,
    "reason": _reason,
    "since": lambda _: NODE.c.changed,
    "age": lambda _: NODE.c.changed,
    "created": lambda _: METATASK.c.created,
    "expected": _expected,
    "progress": _progress,
}
# Fields that stand among the settings of the task or of its Meta-Task; labels and parameters: of either.
_SETTINGS = {"template": (NODE,), "tool": (METATASK,), "priority": (NODE,)}
_MAY_BE_MISSING = frozenset({"template", "tool", "origin", "reason"})


def _text(field: Field, place: Place) -> ColumnElement[Any]:
    """The field as text; null where it is missing."""
    if field.name in _COLUMNS:
        return _COLUMNS[field.name](place)
    tables = _SETTINGS.get(field.name, (NODE, METATASK))  # the task's own wins
    texts = [_JSON[place.dialect](table.c.settings, field.name) for table in tables]
    return sa.func.coalesce(*texts) if len(texts) > 1 else texts[0]


def _measure(field: Field, place: Place) -> ColumnElement[Any]:
    """The field as a number or a time; null where it is missing or a text that is no number."""
    if field.name in _COLUMNS:
        return _COLUMNS[field.name](place)
    if field.type == "number" and field.name not in _SETTINGS:
        return _counter(field.name)
    text = _text(field, place)
    number = sa.case((text.regexp_match(_NUMBER), sa.cast(text, sa.Float)))
    return sa.func.coalesce(number, _constant(0)) if field.type == "number" else number


# What every dialect can read as a number without a fault; `fields.NUMBER` with bounds.
_NUMBER = r"^[-+]?([0-9]{1,30}[.]?[0-9]{0,30}|[.][0-9]{1,30})([eE][-+]?[0-9]{1,2})?$"


def _in_sqlite(settings: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    path = f'$."{name}"'
    yes, no = sa.literal_column("'true'", sa.Text), sa.literal_column("'false'", sa.Text)
    value = sa.cast(sa.func.json_extract(settings, path), sa.Text)
    return sa.case({yes: yes, no: no}, value=sa.func.json_type(settings, path), else_=value)


def _in_postgresql(settings: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    found: ColumnElement[Any] = sa.cast(settings, sa.JSON)[name].as_string()
    return found


def _in_oracle(settings: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    # Oracle takes the path as a constant only: SQLAlchemy quotes it into the statement.
    return sa.func.json_value(settings, sa.literal(f'$."{name}"', literal_execute=True))


_JSON: dict[str, Callable[[ColumnElement[Any], str], ColumnElement[Any]]] = {
    "sqlite": _in_sqlite,
    "postgresql": _in_postgresql,
    "oracle": _in_oracle,
}


# --- the graph ---------------------------------------------------------------------------------------------


def _related(word: str, name: str, place: Place) -> ColumnElement[bool]:
    """The task can be reached from one of that name, along the edges or against them."""
    here, there = deft_edge.c.source_id, deft_edge.c.target_id
    if word == "upstream_of":
        here, there = there, here
    begin = sa.select(there.label("id")).join(deft_node, deft_node.c.id == here)
    begin = begin.where(matches(deft_node.c.name, name, place.dialect), deft_node.c.kind == "task")
    if place.metatasks is not None:
        begin = begin.where(deft_node.c.metatask_id.in_(place.metatasks))
    reached = begin.where(there.is_not(None)).cte(recursive=True)
    step = sa.select(there).join(reached, reached.c.id == here).where(there.is_not(None))
    # Oracle knows no other; the set is the same, at the price of meeting a task once for each path to it.
    further = reached.union_all(step) if place.dialect == "oracle" else reached.union(step)
    return NODE.c.id.in_(sa.select(further.c.id))
