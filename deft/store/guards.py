"""Guards of the net compiled to SQL: the same expressions that `base.guards` evaluates in memory.

A task's tokens are columns of its node, its Meta-Task and JEDI's report; `every` and `some` become a
correlated EXISTS over its edges or output datasets. No token is null (coalesced), so NOT means the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement, FromClause

from deft.base import guards
from deft.base.database import AnyRow, batches
from deft.base.guards import Among, Choice, Compare, Const, Expr, Junction, Not, Over, Sum, Token
from deft.base.idlists import execute_text, listed
from deft.base.merging import merged
from deft.model import net
from deft.model.net import Row
from deft.model.tasks import ENDED
from deft.store.tables import deft_dataset, deft_edge, deft_metatask, deft_node
from deft.wire.tables import wire_dataset, wire_input, wire_task

NODE = deft_node.alias("n")
METATASK = deft_metatask.alias("m")
REPORT = wire_task.alias("w")
EDGE = deft_edge.alias("e")
DATASET = deft_dataset.alias("d")
PRODUCER = deft_node.alias("p")
DATASET_REPORT = wire_dataset.alias("wd")
INPUT_REPORT = wire_input.alias("wi")
OUTPUT = deft_dataset.alias("o")

# A task beside its Meta-Task and JEDI's report of it.
TASKS: FromClause = NODE.join(METATASK, METATASK.c.id == NODE.c.metatask_id).outerjoin(
    REPORT, REPORT.c.task_id == NODE.c.id
)
INPUTS: FromClause = (
    EDGE.join(DATASET, DATASET.c.id == EDGE.c.dataset_id)
    .outerjoin(PRODUCER, PRODUCER.c.id == DATASET.c.producer_id)
    .outerjoin(DATASET_REPORT, DATASET_REPORT.c.dataset_id == DATASET.c.id)
    .outerjoin(INPUT_REPORT, INPUT_REPORT.c.edge_id == EDGE.c.id)
)


def _constant(value: str | int | float) -> ColumnElement[Any]:
    """A constant of the net, written out: hundreds of bound values would cost more than the statement."""
    return sa.literal_column("'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value))


def _or_zero(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return sa.func.coalesce(column, _constant(0))


def _of_output(
    column: ColumnElement[Any], source: FromClause, belongs: ColumnElement[bool]
) -> ColumnElement[Any]:
    """A number that few guards read of an output; the others do not pay for it by a join."""
    return _or_zero(sa.select(column).select_from(source).where(belongs).correlate(OUTPUT).scalar_subquery())


_CONSUMER, _CONSUMER_EDGE, _OUTPUT_REPORT = (
    deft_node.alias("c"),
    deft_edge.alias("ce"),
    wire_dataset.alias("wo"),
)
_ENDED = [_constant(state.value) for state in sorted(ENDED)]

_REPORTED = ("order_seq_applied", "idle", "rejected", "ready", "running", "ok", "failed", "skipped")
TOKENS: dict[str, dict[str, ColumnElement[Any]]] = {
    "task": {
        "metatask_hold": METATASK.c.hold,
        **{name: _or_zero(REPORT.c[name]) for name in _REPORTED},
        **{name: NODE.c[name] for name in net.TOKENS["task"] if name in NODE.c},
    },
    "inputs": {
        **{name: EDGE.c[name] for name in net.TOKENS["inputs"] if name in EDGE.c},
        "membership": DATASET.c.membership,
        "producer": sa.func.coalesce(PRODUCER.c.state, _constant("none")),
        "dataset_order_seq": DATASET.c.order_seq,
        "dataset_order_seq_applied": _or_zero(DATASET_REPORT.c.order_seq_applied),
        # A generator's input is known before JEDI has ever seen it.
        "available": sa.func.coalesce(DATASET_REPORT.c.available, DATASET.c.synthetic),
        "lost": _or_zero(DATASET_REPORT.c.lost),
        "expected": _or_zero(DATASET_REPORT.c.expected),
        "version": _or_zero(DATASET_REPORT.c.version),
        "reported_unfed": _or_zero(INPUT_REPORT.c.unfed),
        "reported_missing": _or_zero(INPUT_REPORT.c.missing),
        "seen_version": _or_zero(INPUT_REPORT.c.seen_version),
    },
    "outputs": {
        "membership": OUTPUT.c.membership,
        "output_lost": _of_output(
            _OUTPUT_REPORT.c.lost, _OUTPUT_REPORT, _OUTPUT_REPORT.c.dataset_id == OUTPUT.c.id
        ),
        "consumers_alive": _of_output(
            sa.func.count(),
            _CONSUMER_EDGE.join(_CONSUMER, _CONSUMER.c.id == _CONSUMER_EDGE.c.target_id),
            sa.and_(
                _CONSUMER_EDGE.c.dataset_id == OUTPUT.c.id,
                _CONSUMER.c.kind == _constant("task"),
                _CONSUMER.c.state.not_in(_ENDED),
            ),
        ),
    },
}
MANY = 5000  # tasks a statement: what it finds is kept in memory
_COLLECTIONS: dict[str, tuple[FromClause, ColumnElement[bool]]] = {
    "inputs": (INPUTS, EDGE.c.target_id == NODE.c.id),
    "outputs": (OUTPUT, OUTPUT.c.producer_id == NODE.c.id),
}


def to_sql(expr: Expr) -> ColumnElement[Any]:
    """One expression as a column: a condition, or a number."""
    match expr:
        case Const(value):
            return _constant(value)
        case Token(scope, name, "flag"):
            return TOKENS[scope][name] == _constant(1)
        case Token(scope, name):
            return TOKENS[scope][name]
        case Not(of):
            return sa.not_(to_sql(of))
        case Junction(word, parts):
            join = sa.and_ if word == "and" else sa.or_
            return join(*map(to_sql, parts))
        case Compare(op, left, right) | Sum(op, left, right):
            found: ColumnElement[Any] = guards.OPERATORS[op](to_sql(left), to_sql(right))
            return found
        case Among(left, values):
            return to_sql(left).in_([_constant(value) for value in values])
        case Choice(test, then, other):
            return sa.case((to_sql(test), to_sql(then)), else_=to_sql(other))
        case Over(word, collection, body):
            return _over(word, collection, to_sql(body))


def _over(word: str, collection: str, body: ColumnElement[Any]) -> ColumnElement[Any]:
    source, belongs = _COLLECTIONS[collection]
    outer = (NODE, METATASK, REPORT)
    if word == "total":
        total = sa.select(_or_zero(sa.func.sum(body))).select_from(source).where(belongs)
        return total.correlate(*outer).scalar_subquery()
    wanted = sa.not_(body) if word == "every" else body
    # Not EXISTS: PostgreSQL may answer that one by reading whole tables into memory.
    one = sa.select(_constant(1)).select_from(source).where(belongs, wanted).correlate(*outer)
    found = one.limit(_constant(1)).offset(_constant(0)).scalar_subquery()
    return found.is_(None) if word == "every" else found.is_not(None)


@cache
def first_enabled_query(rules: tuple[str, ...]) -> sa.Select[Any]:
    """Of the tasks in the bound list `ids`: those where a guard holds, and the number of the first."""
    exprs = (merged(net.VOCABULARY.parse(guard)) for guard in rules)
    numbered = [(to_sql(expr), _constant(number)) for number, expr in enumerate(exprs)]
    first = sa.case(*numbered, else_=_constant(-1))
    inner = (
        sa.select(
            NODE.c.id, NODE.c.metatask_id, NODE.c.depth, NODE.c.state, NODE.c.order_seq, NODE.c.started,
            first.label("number"),
        )
        .select_from(TASKS)
        .where(listed(NODE.c.id), NODE.c.kind == _constant("task"))
        .limit(_constant(MANY))  # else a database merges the two, and works out the number twice
        .offset(_constant(0))
        .subquery()
    )  # fmt: skip
    return sa.select(inner).where(inner.c.number >= _constant(0))


def first_enabled(conn: Connection, ids: Sequence[int], rows: tuple[Row, ...]) -> list[tuple[Row, AnyRow]]:
    """For each task of `ids` with an enabled row: the first such row of the table, and the task.

    One statement for thousands of tasks; every guard of a task sees the same state.
    """
    # By their guards, not by the rows: those are slow to hash.
    query = first_enabled_query(tuple(row.guard for row in rows))
    found: list[tuple[Row, AnyRow]] = []
    for part in batches(ids, MANY):
        found += [(rows[task.number], task) for task in execute_text(conn, query, part).all()]
    return found


def holding(conn: Connection, ids: Sequence[int], guard: Expr) -> set[int]:
    """The tasks of `ids` for which a guard holds."""
    query = sa.select(NODE.c.id).select_from(TASKS).where(to_sql(guard), NODE.c.kind == "task")
    return set(conn.execute(query.where(listed(NODE.c.id)), {"ids": ids}).scalars())


def tokens_of(conn: Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The tokens of tasks as `base.guards.evaluate` takes them."""
    found: dict[int, dict[str, Any]] = {}
    for part in batches(ids):
        columns = [column.label(name) for name, column in TOKENS["task"].items()]
        query = sa.select(NODE.c.id, *columns).select_from(TASKS).where(NODE.c.id.in_(part))
        for row in conn.execute(query):
            found[row.id] = {**row._mapping, "inputs": [], "outputs": []}
        for collection, (source, _) in _COLLECTIONS.items():
            owner = EDGE.c.target_id if collection == "inputs" else OUTPUT.c.producer_id
            columns = [column.label(name) for name, column in TOKENS[collection].items()]
            items = sa.select(owner.label("owner"), *columns).select_from(source).where(owner.in_(part))
            for row in conn.execute(items):
                found[row.owner][collection].append(dict(row._mapping))
    return found
