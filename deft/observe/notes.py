"""What an operator should know beside the states: data that are lost, and orders that JEDI refused."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.model.tasks import Membership
from deft.store.tables import deft_dataset, deft_node
from deft.wire.tables import wire_answer, wire_dataset, wire_order


def of(conn: Connection, metatask_id: int, full_name: str) -> tuple[str, ...]:
    """The notes about one Meta-Task, a line each."""
    return (*_lost(conn, metatask_id, full_name), *_refused(conn, metatask_id))


def _lost(conn: Connection, metatask_id: int, full_name: str) -> Iterator[str]:
    d, w = deft_dataset.c, wire_dataset.c
    source = deft_dataset.join(wire_dataset, w.dataset_id == d.id).outerjoin(
        deft_node, deft_node.c.id == d.producer_id
    )
    query = sa.select(d.name, w.lost, deft_node.c.name.label("task")).select_from(source)
    alive = d.membership != Membership.RETIRED.value
    for row in conn.execute(query.where(d.metatask_id == metatask_id, w.lost > 0, alive).order_by(d.id)):
        again = f"`deft recover {full_name}/{row.task}`" if row.task else "`deft augment` gives them again"
        yield f"{row.lost} lost of {row.name}: {again}"


def _refused(conn: Connection, metatask_id: int) -> Iterator[str]:
    """Refusals of the newest orders: an older one does not matter any more."""
    o, a, n, d = wire_order.c, wire_answer.c, deft_node.c, deft_dataset.c
    answered = wire_answer.join(wire_order, o.id == a.order_id)
    of_tasks = sa.select(n.name, o.kind, a.body).select_from(answered.join(deft_node, n.id == o.task_id))
    of_data = sa.select(d.name, o.kind, a.body).select_from(answered.join(deft_dataset, d.id == o.dataset_id))
    for query in (
        of_tasks.where(n.metatask_id == metatask_id, o.seq == n.order_seq),
        of_data.where(d.metatask_id == metatask_id, o.seq == d.order_seq),
    ):
        for name, kind, body in conn.execute(query):
            refused = json.loads(body).get("refused")
            if refused:
                yield f"JEDI refused to {kind} {name}: {refused}"
