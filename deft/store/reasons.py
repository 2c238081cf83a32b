"""Why a task is in its state, in plain words: from JEDI's report, or from what its inputs lack."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import AnyRow
from deft.base.idlists import listed
from deft.model.net import Row
from deft.store.tables import deft_dataset, deft_edge, deft_node
from deft.wire.tables import wire_dataset, wire_task

ASKED = ("report", "input")  # whose words they are; any other text of a row is the reason itself


def of(conn: Connection, row: Row, node_ids: Sequence[int]) -> dict[int, str | None]:
    """The reason of each task for which a row fired that asks for one."""
    return _reported(conn, node_ids) if row.reason == "report" else _empty_inputs(conn, node_ids)


_W = wire_task.c
_REPORTED = sa.select(_W.task_id, _W.reason, _W.ok, _W.failed, _W.skipped).where(listed(_W.task_id))


def _reported(conn: Connection, node_ids: Sequence[int]) -> dict[int, str | None]:
    found: dict[int, str | None] = {}
    for row in conn.execute(_REPORTED, {"ids": node_ids}).all():
        total = row.ok + row.failed + row.skipped
        counted = f"{row.ok} of {total} units ok" if total else None
        found[row.task_id] = "; ".join(one for one in (counted, row.reason) if one) or None
    return found


def _empty_inputs(conn: Connection, node_ids: Sequence[int]) -> dict[int, str | None]:
    """Name the inputs that brought nothing, and why."""
    d, producer = deft_dataset.c, deft_node.alias()
    source = (
        deft_edge.join(deft_dataset, d.id == deft_edge.c.dataset_id)
        .outerjoin(producer, producer.c.id == d.producer_id)
        .outerjoin(wire_dataset, wire_dataset.c.dataset_id == d.id)
    )
    columns = (
        deft_edge.c.target_id, d.name, d.sources, producer.c.name.label("producer"), producer.c.state,
        wire_dataset.c.reason.label("listing"),
    )  # fmt: skip
    query = sa.select(*columns).select_from(source).where(listed(deft_edge.c.target_id))
    told: dict[int, list[str]] = {}
    for row in conn.execute(query, {"ids": node_ids}).all():
        told.setdefault(row.target_id, []).append(_empty(row))
    return {node_id: "; ".join(parts) for node_id, parts in told.items()}


def _empty(row: AnyRow) -> str:
    if row.producer:
        return f"its input from {row.producer}, which {row.state}, has no units"
    why = row.listing or f"nothing matches {row.sources}"
    return f"its input {row.name} is empty: {why}"
