"""Holds as rows: on a whole Meta-Task or on its tasks, by whom, since when and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import insert_rows
from deft.model.tasks import ENDED
from deft.store import history
from deft.store.tables import deft_control, deft_count, deft_metatask, deft_node


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold in force; `task` is None where the whole Meta-Task is held."""

    task: str | None
    actor: str
    reason: str | None
    mode: str | None
    since: datetime


def in_force(conn: Connection, metatask_id: int) -> list[Hold]:
    """Every hold of a Meta-Task, oldest first."""
    c = deft_control.c
    source = deft_control.outerjoin(deft_node, deft_node.c.id == c.node_id)
    columns = (deft_node.c.name, c.actor, c.reason, c.mode, c.created)
    query = sa.select(*columns).select_from(source).where(c.metatask_id == metatask_id, c.kind == "hold")
    return [Hold(*row) for row in conn.execute(query.order_by(c.id))]


def controls_in_force(
    conn: Connection, metatask_id: int, kinds: Sequence[str]
) -> dict[tuple[str, str | None], Hold]:
    """Who set controls of these kinds, by kind and task; the newest where there are several."""
    c = deft_control.c
    source = deft_control.outerjoin(deft_node, deft_node.c.id == c.node_id)
    columns = (deft_node.c.name, c.actor, c.reason, c.mode, c.created, c.kind)
    query = sa.select(*columns).select_from(source).where(c.metatask_id == metatask_id, c.kind.in_(kinds))
    return {(row.kind, row.name): Hold(*row[:5]) for row in conn.execute(query.order_by(c.id))}


def modes(conn: Connection, metatask_id: int, node_ids: Sequence[int]) -> dict[int, str | None]:
    """For each of these tasks of a Meta-Task the mode of the hold in force on it, or None."""
    c = deft_control.c
    query = sa.select(c.node_id, c.mode).where(c.metatask_id == metatask_id, c.kind == "hold")
    held = {row.node_id: row.mode or "drain" for row in conn.execute(query.order_by(c.id))}
    return {one: held.get(one, held.get(None)) for one in node_ids}


def metatask_is_held(conn: Connection, metatask_id: int) -> bool:
    """Whether the whole Meta-Task is on hold."""
    found = sa.select(deft_metatask.c.hold).where(deft_metatask.c.id == metatask_id)
    return bool(conn.execute(found).scalar_one())


def held_tasks(conn: Connection, metatask_id: int) -> int:
    """How many of its tasks are on hold, one by one."""
    n = deft_node.c
    found = sa.select(sa.func.count()).select_from(deft_node).where(n.metatask_id == metatask_id, n.hold == 1)
    return int(conn.execute(found).scalar_one())


def anything_alive(conn: Connection, metatask_id: int) -> bool:
    """Whether any task has not ended."""
    c, ended = deft_count.c, [state.value for state in ENDED]
    alive = sa.select(sa.func.sum(c.tasks)).where(c.metatask_id == metatask_id, c.state.not_in(ended))
    return bool(conn.execute(alive).scalar())


def hold_metatask(
    conn: Connection, metatask_id: int, *, actor: str, reason: str | None, mode: str, now: datetime
) -> None:
    """Put the whole Meta-Task on hold."""
    _set(conn, metatask_id, 1)
    row = {"metatask_id": metatask_id, "node_id": None, "kind": "hold", "mode": mode, "actor": actor,
           "reason": reason, "created": now}  # fmt: skip
    insert_rows(conn, deft_control, [row])
    history.record(conn, [history.Change(metatask_id, None, "hold", reason=reason)], actor, now)


def resume_metatask(
    conn: Connection, metatask_id: int, *, actor: str, reason: str | None, now: datetime
) -> None:
    """Lift the hold of the whole Meta-Task; holds of single tasks stay."""
    _set(conn, metatask_id, 0)
    c = deft_control.c
    conn.execute(
        sa.delete(deft_control).where(c.metatask_id == metatask_id, c.node_id.is_(None), c.kind == "hold")
    )
    history.record(conn, [history.Change(metatask_id, None, "resume", reason=reason)], actor, now)


def _set(conn: Connection, metatask_id: int, hold: int) -> None:
    conn.execute(sa.update(deft_metatask).where(deft_metatask.c.id == metatask_id).values(hold=hold))
