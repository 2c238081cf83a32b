"""What is lost, by JEDI's reports: of the outputs of tasks, and of what they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches
from deft.model.tasks import Membership
from deft.store.tables import deft_dataset, deft_edge, deft_node
from deft.wire.tables import wire_dataset


@dataclass(frozen=True, slots=True)
class Lost:
    """A dataset that lost units; `producer_id` None: it comes from outside."""

    dataset_id: int
    dataset: str
    producer_id: int | None
    units: int


def of_outputs(conn: Connection, node_ids: Sequence[int]) -> list[Lost]:
    """What tasks made that is lost."""
    d, w = deft_dataset.c, wire_dataset.c
    source = deft_dataset.join(wire_dataset, w.dataset_id == d.id)
    query = sa.select(d.id, d.name, d.producer_id, w.lost).select_from(source).where(w.lost > 0, *_alive())
    found: list[Lost] = []
    for part in batches(node_ids):
        rows = conn.execute(query.where(d.producer_id.in_(part)).order_by(d.id))
        found += (Lost(*row) for row in rows)
    return found


def of_inputs(conn: Connection, node_ids: Sequence[int]) -> list[Lost]:
    """What tasks read that is lost, each dataset once."""
    d, w, e = deft_dataset.c, wire_dataset.c, deft_edge.c
    source = deft_edge.join(deft_dataset, d.id == e.dataset_id).join(wire_dataset, w.dataset_id == d.id)
    query = sa.select(d.id, d.name, d.producer_id, w.lost).select_from(source).distinct()
    found: dict[int, Lost] = {}
    for part in batches(node_ids):
        rows = conn.execute(query.where(e.target_id.in_(part), w.lost > 0, *_alive()).order_by(d.id))
        found.update((row.id, Lost(*row)) for row in rows)
    return list(found.values())


def readers(conn: Connection, dataset_ids: Sequence[int]) -> dict[int, set[int]]:
    """The tasks that read datasets: for each task, which of these."""
    e, found = deft_edge.c, dict[int, set[int]]()
    for part in batches(dataset_ids):
        source = deft_edge.join(deft_node, deft_node.c.id == e.target_id)
        query = sa.select(e.target_id, e.dataset_id).select_from(source)
        for row in conn.execute(query.where(e.dataset_id.in_(part), deft_node.c.kind == "task")):
            found.setdefault(row.target_id, set()).add(row.dataset_id)
    return found


def _alive() -> tuple[sa.ColumnElement[bool], ...]:
    return (deft_dataset.c.membership != Membership.RETIRED.value,)
