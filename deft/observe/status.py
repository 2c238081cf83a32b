"""Where all stands: Meta-Tasks a line each, one Meta-Task by its tasks. Counters, never scans of jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base.database import batches
from deft.observe import notes
from deft.store import holds, selection, standing, supply
from deft.store.holds import Hold
from deft.store.selection import Selected
from deft.store.session import Session
from deft.store.tables import deft_dataset, deft_edge, deft_metatask, deft_node
from deft.wire.tables import wire_dataset, wire_task

_CONTROLS = ("armed", "hold", "force", "finish", "abort")
_COUNTERS = ("ready", "running", "ok", "failed", "skipped", "jobs", "jobs_running", "jobs_ok", "jobs_failed")


@dataclass(frozen=True, slots=True)
class MetaTaskLine:
    """One Meta-Task in a list."""

    metatask: str
    state: str
    tasks: int
    ended: int
    owner: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """Meta-Tasks, newest first, and how many older ones there are."""

    lines: tuple[MetaTaskLine, ...]
    more: int


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task: its state, its controls, what JEDI reports of it, and why where there is something to say.

    `expected` units of its primary inputs, as far as they are known; `progress` from 0 to 1 of these.
    """

    task: str
    state: str
    controls: tuple[str, ...]
    phase: str | None
    expected: int
    progress: float
    reason: str | None
    changed: datetime
    ready: int = 0
    running: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    jobs: int = 0
    jobs_running: int = 0
    jobs_ok: int = 0
    jobs_failed: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """One Meta-Task in full; `more`: tasks that are not shown."""

    metatask: str
    state: str
    owner: str
    created: datetime
    origin: str | None
    tasks: tuple[TaskLine, ...]
    holds: tuple[Hold, ...]
    notes: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class DatasetLine:
    """One dataset: who makes it, who uses it, whether it may grow, and what is in it."""

    dataset: str
    type: str
    producer: str | None
    consumers: tuple[str, ...]
    membership: str
    revision: int
    available: int
    lost: int
    events: int
    bytes: int
    sources: tuple[str, ...] = ()
    format: str | None = None


def list_metatasks(
    session: Session, actor: Actor, limit: int = 10_000, *, where: str | None = None
) -> list[MetaTaskLine]:
    """The newest Meta-Tasks; `where`: those with a task for which this holds. Raises BadInput."""
    return list(listing(session, actor, limit, where=where).lines)


def listing(session: Session, actor: Actor, limit: int | None = None, *, where: str | None = None) -> Listing:
    """The newest Meta-Tasks, or all, and how many more there are. Raises BadInput."""
    roles.require(actor, "read")
    with session.reading() as conn:
        m = deft_metatask.c
        query = sa.select(m.id, m.project, m.name, m.owner, m.created)
        if where is not None:
            query = query.where(m.id.in_(selection.metatasks_with(conn, where, session.clock.now())))
        rows = conn.execute(query.order_by(m.id.desc()).limit(limit)).all()
        more = 0
        if len(rows) == limit:
            counted = sa.select(sa.func.count()).select_from(query.subquery())
            more = conn.execute(counted).scalar_one() - len(rows)
        stand = standing.of(conn, [row.id for row in rows])
    lines = (
        MetaTaskLine(
            metatask=f"{row.project}/{row.name}",
            state=stand[row.id].state,
            tasks=sum(stand[row.id].counts.values()),
            ended=_ended(stand[row.id].counts),
            owner=row.owner,
            created=row.created,
        )
        for row in rows
    )
    return Listing(tuple(lines), more)


def _ended(counts: Any) -> int:
    return sum(counts.get(state, 0) for state in ("done", "finished", "failed", "aborted", "broken"))


def status(session: Session, actor: Actor, text: str, *, where: str | None = None) -> Status:
    """One Meta-Task, or some of its tasks. Raises NotFound, BadInput."""
    roles.require(actor, "read")
    with session.reading() as conn:
        return _status(conn, selection.select(conn, text, where=where, now=session.clock.now()).one)


def statuses(
    session: Session, actor: Actor, text: str, *, where: str | None = None, limit: int | None = None
) -> list[Status]:
    """Any number of Meta-Tasks, of each at most `limit` tasks. Raises NotFound, BadInput."""
    roles.require(actor, "read")
    with session.reading() as conn:
        chosen = selection.select(conn, text, where=where, now=session.clock.now())
        return [_status(conn, part, limit) for part in chosen.parts]


def _status(conn: Connection, chosen: Selected, limit: int | None = None) -> Status:
    m = deft_metatask.c
    ids = None if chosen.whole else chosen.node_ids[:limit]
    lines = tuple(task_lines(conn, chosen.metatask_id, ids, limit))
    row = conn.execute(sa.select(m.owner, m.created, m.origin).where(m.id == chosen.metatask_id)).one()
    return Status(
        metatask=chosen.full_name,
        state=standing.of(conn, [chosen.metatask_id])[chosen.metatask_id].state,
        owner=row.owner,
        created=row.created,
        origin=row.origin,
        tasks=lines,
        holds=tuple(holds.in_force(conn, chosen.metatask_id)),
        notes=notes.of(conn, chosen.metatask_id, chosen.full_name),
        more=len(chosen.node_ids) - len(lines),
    )


def holds_of(session: Session, actor: Actor, full_name: str) -> list[Hold]:
    """The holds in force of one Meta-Task; cheaper than all of its status."""
    roles.require(actor, "read")
    with session.reading() as conn:
        named = sa.select(deft_metatask.c.id).where(deft_metatask.c.name_key == full_name.lower())
        return [hold for one in conn.execute(named).scalars().all() for hold in holds.in_force(conn, one)]


def lines_of(session: Session, node_ids: Sequence[int]) -> dict[str, TaskLine]:
    """Some tasks by name: for progress."""
    with session.reading() as conn:
        of = sa.select(deft_node.c.metatask_id).where(deft_node.c.id.in_(node_ids)).distinct()
        found = [line for one in conn.execute(of).scalars().all() for line in task_lines(conn, one, node_ids)]
    return {line.task: line for line in found}


def task_lines(
    conn: Connection, metatask_id: int, node_ids: Sequence[int] | None = None, limit: int | None = None
) -> list[TaskLine]:
    """The tasks of a Meta-Task in the order of its document: all or the first, or these."""
    n, w = deft_node.c, wire_task.c
    inputs = supply.by_task(metatask_id)
    columns = (
        n.id, n.name, n.state, n.reason, n.changed, w.phase, w.reason.label("report"), inputs.c.units,
        *(n[name] for name in _CONTROLS), *(sa.func.coalesce(w[name], 0).label(name) for name in _COUNTERS),
    )  # fmt: skip
    source = deft_node.outerjoin(wire_task, w.task_id == n.id).outerjoin(inputs, inputs.c.target_id == n.id)
    query = sa.select(*columns).select_from(source).where(n.metatask_id == metatask_id, n.kind == "task")
    query = query.order_by(n.position)
    if node_ids is None:
        return [_task_line(row) for row in conn.execute(query.limit(limit))]
    parts = (conn.execute(query.where(n.id.in_(part))) for part in batches(node_ids))
    return [_task_line(row) for rows in parts for row in rows]


def _task_line(row: sa.Row[Any]) -> TaskLine:
    found = row._mapping
    expected = max(int(row.units or 0), row.ready + row.running + row.ok + row.failed + row.skipped)
    return TaskLine(
        task=row.name,
        state=row.state,
        controls=tuple(name for name in _CONTROLS if found[name] and name != "armed"),
        phase=row.phase if row.state == "running" else None,
        expected=expected,
        progress=round(row.ok / expected, 4) if expected else 0.0,
        reason=row.reason or (row.report if row.state == "running" else None),
        changed=row.changed,
        **{name: found[name] for name in _COUNTERS},
    )


def datasets(session: Session, actor: Actor, text: str) -> list[DatasetLine]:
    """The datasets that the tasks of a selection make or use."""
    roles.require(actor, "read")
    with session.reading() as conn:
        chosen = selection.resolve(conn, text)
        return _dataset_lines(conn, chosen.metatask_id, set(chosen.node_ids))


def _dataset_lines(conn: Connection, metatask_id: int, node_ids: set[int]) -> list[DatasetLine]:
    d, w, producer = deft_dataset.c, wire_dataset.c, deft_node.alias()
    e, consumer = deft_edge.c, deft_node.alias()
    edges = sa.select(e.dataset_id, consumer.c.id, consumer.c.name).join_from(
        deft_edge, consumer, consumer.c.id == e.target_id
    )
    used: dict[int, list[tuple[int, str]]] = {}
    for row in conn.execute(edges.where(e.metatask_id == metatask_id).order_by(e.position)):
        used.setdefault(row.dataset_id, []).append((row.id, row.name))
    counters = [sa.func.coalesce(w[name], 0).label(name) for name in ("lost", "events", "bytes")]
    available = sa.func.coalesce(w.available, d.synthetic).label("available")
    columns = (d.id, d.name, d.type, d.format, d.membership, d.revision, d.sources, d.producer_id,
               producer.c.name.label("producer"), available, *counters)  # fmt: skip
    source = deft_dataset.outerjoin(producer, producer.c.id == d.producer_id).outerjoin(
        wire_dataset, w.dataset_id == d.id
    )
    query = sa.select(*columns).select_from(source).where(d.metatask_id == metatask_id).order_by(d.id)
    return [
        DatasetLine(
            dataset=row.name, type=row.type, producer=row.producer,
            consumers=tuple(name for _, name in used.get(row.id, [])), membership=row.membership,
            revision=row.revision, available=row.available, lost=row.lost, events=row.events, bytes=row.bytes,
            sources=tuple(json.loads(row.sources or "[]")), format=row.format,
        )
        for row in conn.execute(query)
        if row.producer_id in node_ids or any(node_id in node_ids for node_id, _ in used.get(row.id, []))
    ]  # fmt: skip
