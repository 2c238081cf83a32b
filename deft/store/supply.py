"""How many units the primary inputs of tasks hold, as far as that is known."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from deft.store.tables import deft_dataset, deft_edge
from deft.wire.tables import wire_dataset

INPUTS: FromClause = deft_edge.join(deft_dataset, deft_dataset.c.id == deft_edge.c.dataset_id).outerjoin(
    wire_dataset, wire_dataset.c.dataset_id == deft_dataset.c.id
)


def units() -> sa.Select[int]:
    """The units expected of inputs where that is known, else those there: to be narrowed and grouped."""
    w = wire_dataset.c
    there = sa.func.coalesce(w.available + w.lost, deft_dataset.c.synthetic)
    expected = sa.func.coalesce(w.expected, 0)
    known: ColumnElement[int] = sa.func.sum(sa.case((expected > there, expected), else_=there))
    return sa.select(known.label("units")).select_from(INPUTS).where(deft_edge.c.role == "primary")


def by_task(metatask_id: int) -> sa.Subquery:
    """The units of each task of a Meta-Task, beside its id."""
    query = units().add_columns(deft_edge.c.target_id).where(deft_edge.c.metatask_id == metatask_id)
    return query.group_by(deft_edge.c.target_id).subquery()


def of(node: FromClause) -> ColumnElement[int]:
    """The units of the task in this row, for one statement."""
    inputs = units().where(deft_edge.c.target_id == node.c.id).correlate(node)
    return sa.func.coalesce(inputs.scalar_subquery(), 0)
