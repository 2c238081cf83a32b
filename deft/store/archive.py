"""What a Meta-Task holds in the tables of DEFT and of the wire, and whether it may leave the database."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from deft.base.database import AnyRow
from deft.base.errors import NotFound
from deft.base.holdings import Holdings, Ids, Part
from deft.base.idlists import listed
from deft.model import naming
from deft.model.tasks import NodeKind
from deft.store.session import Session
from deft.store.tables import (
    deft_command,
    deft_command_metatask,
    deft_control,
    deft_count,
    deft_dataset,
    deft_dirty,
    deft_edge,
    deft_history,
    deft_metatask,
    deft_node,
)
from deft.wire.tables import wire_answer, wire_changed, wire_dataset, wire_input, wire_order, wire_task

_ABOUT = sa.select(deft_command_metatask.c.command_id).where(listed(deft_command_metatask.c.metatask_id))


def _orders(column: str) -> sa.Select[int]:
    return sa.select(wire_order.c.id).where(listed(wire_order.c[column]))


STORE = Holdings(
    "store",
    (
        Part(deft_metatask, "metatask", listed(deft_metatask.c.id)),
        # The log of commands is append-only: what was ordered stays there, whatever became of it.
        Part(deft_command, "metatask", deft_command.c.id.in_(_ABOUT), deleted=False),
        Part(deft_command_metatask, "metatask", listed(deft_command_metatask.c.metatask_id), archived=False),
        Part(deft_node, "metatask", listed(deft_node.c.metatask_id)),
        Part(deft_dataset, "metatask", listed(deft_dataset.c.metatask_id)),
        Part(deft_edge, "metatask", listed(deft_edge.c.metatask_id)),
        Part(deft_control, "metatask", listed(deft_control.c.metatask_id)),
        Part(deft_count, "metatask", listed(deft_count.c.metatask_id)),
        Part(deft_history, "metatask", listed(deft_history.c.metatask_id)),
        Part(deft_dirty, "tasks", listed(deft_dirty.c.node_id), archived=False),
    ),
)

WIRE = Holdings(
    "wire",
    (
        Part(wire_order, "tasks", listed(wire_order.c.task_id)),
        Part(wire_order, "datasets", listed(wire_order.c.dataset_id)),
        Part(wire_answer, "tasks", wire_answer.c.order_id.in_(_orders("task_id"))),
        Part(wire_answer, "datasets", wire_answer.c.order_id.in_(_orders("dataset_id"))),
        Part(wire_task, "tasks", listed(wire_task.c.task_id)),
        Part(wire_input, "tasks", listed(wire_input.c.task_id)),
        Part(wire_dataset, "datasets", listed(wire_dataset.c.dataset_id)),
        Part(wire_changed, "tasks", listed(wire_changed.c.task_id), archived=False),
        Part(wire_changed, "datasets", listed(wire_changed.c.dataset_id), archived=False),
    ),
)


# --- one Meta-Task -----------------------------------------------------------------------------------------


@contextmanager
def snapshot(session: Session) -> Iterator[Connection]:
    """A read transaction all of whose statements see the same rows, on every database."""
    with session.reading() as conn:
        if (how := _AS_ONE.get(conn.dialect.name)) is not None:
            conn.exec_driver_sql(how)
        yield conn


_AS_ONE = {
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "oracle": "SET TRANSACTION READ ONLY",
}


def exists(conn: Connection, metatask_id: int) -> bool:
    """Whether it is in the database."""
    found = conn.execute(sa.select(deft_metatask.c.id).where(deft_metatask.c.id == metatask_id))
    return found.first() is not None


def facts(conn: Connection, metatask_id: int) -> AnyRow:
    """Its owner, and when it was made."""
    m = deft_metatask.c
    return conn.execute(sa.select(m.owner, m.created).where(m.id == metatask_id)).one()


def ids_of(conn: Connection, metatask_id: int) -> Ids:
    """The Meta-Task, its tasks and datasets. Raises NotFound where it is gone."""
    m, n, d = deft_metatask.c, deft_node.c, deft_dataset.c
    row = conn.execute(sa.select(m.project, m.name, m.settings).where(m.id == metatask_id)).first()
    if row is None:
        raise NotFound("it is not in the database any more: somebody else archived or deleted it")
    tasks = sa.select(n.id).where(n.metatask_id == metatask_id, n.kind == NodeKind.TASK.value)
    datasets = sa.select(d.id).where(d.metatask_id == metatask_id).order_by(d.id)
    return Ids(
        metatask=metatask_id,
        project=row.project,
        name=row.name,
        tasks=conn.execute(tasks.order_by(n.id)).scalars().all(),
        datasets=conn.execute(datasets).scalars().all(),
        names=_names(conn, naming.text_of(json.loads(row.settings)), metatask_id),
    )


def _names(conn: Connection, pattern: str, metatask_id: int) -> list[str]:
    """What its tasks make or made is called: all series, the newest last."""
    d, found = deft_dataset.c, list[str]()
    query = sa.select(d.name, d.series).where(d.metatask_id == metatask_id, d.producer_id.is_not(None))
    for row in conn.execute(query.order_by(d.id)):
        # Of a name that is not of the pattern (any more), only the newest series is known.
        with suppress(ValueError):
            fields = naming.parse(row.name, pattern) if row.series > 1 else None
            found += (naming.make(replace(fields, series=n), pattern) for n in range(1, row.series) if fields)
        found.append(row.name)
    return found


def in_the_way(conn: Connection, ids: Ids, allowed: Collection[str]) -> Iterator[str]:
    """Why it cannot leave the database: tasks in a state that is not allowed, work that is under way."""
    name, c, n = f"{ids.project}/{ids.name}", deft_count.c, deft_node.c
    others = sa.select(c.state, c.tasks).where(c.metatask_id == ids.metatask, c.tasks > 0)
    states = {row.state: row.tasks for row in conn.execute(others) if row.state not in allowed}
    if states:
        first = sa.select(n.name).where(n.metatask_id == ids.metatask, n.kind == NodeKind.TASK.value)
        task = conn.execute(first.where(n.state.in_(states)).order_by(n.position).limit(1)).scalar()
        told = ", ".join(f"{tasks} {state}" for state, tasks in sorted(states.items()))
        yield f"{told} (such as {task}); `deft explain {name}` says why, `deft abort {name}` ends it"
    if _any(conn, wire_order, wire_order.c.pending == 1, ids):
        yield "JEDI has not applied all that was ordered; `deft jedi run` or `deft jedi apply` does"
    running = sa.select(sa.func.sum(wire_task.c.jobs_running)).where(listed(wire_task.c.task_id))
    jobs = conn.execute(running, {"ids": ids.tasks}).scalar()
    if jobs:
        yield f"{jobs} jobs of it still run"


def _any(conn: Connection, table: sa.Table, where: ColumnElement[bool], ids: Ids) -> bool:
    for column, given in (("task_id", ids.tasks), ("dataset_id", ids.datasets)):
        query = sa.select(table.c.id).where(where, listed(table.c[column])).limit(1)
        if conn.execute(query, {"ids": given}).first() is not None:
            return True
    return False


def stamp(conn: Connection, ids: Ids) -> dict[str, int]:
    """Numbers of which at least one grows whenever anything about it changes."""
    h, n, d, w = deft_history.c, deft_node.c, deft_dataset.c, wire_dataset.c
    of = ids.metatask
    queries = {
        "history": sa.select(sa.func.max(h.id)).where(h.metatask_id == of),
        "task_orders": sa.select(sa.func.sum(n.order_seq)).where(n.metatask_id == of),
        "dataset_orders": sa.select(sa.func.sum(d.order_seq)).where(d.metatask_id == of),
        "versions": sa.select(sa.func.sum(w.version)).select_from(
            wire_dataset.join(deft_dataset, d.id == w.dataset_id)).where(d.metatask_id == of),
    }  # fmt: skip
    return {name: int(conn.execute(query).scalar() or 0) for name, query in queries.items()}
