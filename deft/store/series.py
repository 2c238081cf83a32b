"""The outputs of tasks begin again: another series, another name, and an order to JEDI to drop their units.

The files of the series before stay where they are. Until JEDI has dropped the units no consumer believes the
counts (`order_seen` in `model.net`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import AnyRow, batches
from deft.base.errors import Refused
from deft.model import named, naming
from deft.store import specs
from deft.store.tables import deft_dataset, deft_metatask, deft_node
from deft.wire.tables import wire_dataset


@dataclass(frozen=True, slots=True)
class Renewed:
    """One output: what it was called and held, what it is called now, and the number of JEDI's order."""

    dataset_id: int
    node_id: int
    metatask_id: int
    task: str
    old: str
    new: str
    units: int
    bytes: int
    order_seq: int


def renew(conn: Connection, node_ids: Sequence[int]) -> list[Renewed]:
    """Give every output of these tasks a new series and name; part of the caller's transaction.

    Raises Refused where a name cannot be made.
    """
    rows = _outputs(conn, node_ids)
    numbers = specs.note_dataset_orders(conn, [row.id for row in rows])
    made = [_renewed(row, numbers[row.id]) for row in rows]
    if made:
        d = deft_dataset.c
        change = sa.update(deft_dataset).where(d.id == sa.bindparam("b_id"))
        conn.execute(
            change.values(name=sa.bindparam("b_name"), series=d.series + 1),
            [{"b_id": one.dataset_id, "b_name": one.new} for one in made],
        )
    return made


def _outputs(conn: Connection, node_ids: Sequence[int]) -> list[AnyRow]:
    d, w, m, n = deft_dataset.c, wire_dataset.c, deft_metatask.c, deft_node.c
    columns = (
        d.id, d.metatask_id, d.producer_id, d.name, d.type, d.series, n.name.label("task"), m.project,
        m.name.label("metatask"), m.settings, n.settings.label("own"),
        sa.func.coalesce(w.available, 0).label("units"), sa.func.coalesce(w.bytes, 0).label("bytes"),
    )  # fmt: skip
    source = (
        deft_dataset.join(deft_node, n.id == d.producer_id)
        .join(deft_metatask, m.id == d.metatask_id)
        .outerjoin(wire_dataset, w.dataset_id == d.id)
    )
    found: list[AnyRow] = []
    for part in batches(node_ids):
        query = sa.select(*columns).select_from(source).where(d.producer_id.in_(part))
        found += conn.execute(query.order_by(n.depth, d.id)).all()
    return found


def _renewed(row: AnyRow, order_seq: int) -> Renewed:
    graph = json.loads(row.settings)
    more = named.labels(graph, json.loads(row.own))
    fields = naming.DatasetName(
        row.project, row.metatask, row.task, row.type, row.producer_id, row.series + 1, more
    )
    try:
        new = naming.make(fields, naming.text_of(graph))
    except ValueError as fault:  # one digit more may be one too many
        raise Refused(f"{row.name} cannot begin another series: {fault}") from None
    return Renewed(
        row.id, row.producer_id, row.metatask_id, row.task, row.name, new, row.units, row.bytes, order_seq
    )
