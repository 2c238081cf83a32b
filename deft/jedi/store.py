"""Statements on tasks, jobs, attempts and the rows of fed units. Callers bring the transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import insert_rows, update_rows
from deft.base.idlists import listed
from deft.jedi.catalog import LOST
from deft.jedi.jobs import Fed, JobState, Remake
from deft.jedi.tables import jedi_attempt, jedi_job, jedi_job_unit, jedi_submission, jedi_task, jedi_unit


@dataclass
class Task:
    """One row of jedi_task while a transaction changes it (see books.py)."""

    id: int
    project: str | None = None
    metatask: str | None = None
    name: str | None = None
    spec: str | None = None
    order_seq: int = 0
    priority: int = 0
    max_running: int | None = None
    idle: int = 1
    rejected: int = 0
    no_feed: int = 0
    hard: int = 0
    held: str | None = None
    ready: int = 0
    running: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    jobs: int = 0
    jobs_running: int = 0
    jobs_ok: int = 0
    jobs_failed: int = 0
    last_number: int = 0
    phase: str | None = None
    reason: str | None = None
    measured: str | None = None
    parked: int = 0
    cluster: str | None = None

    @property
    def feeding(self) -> bool:
        """Whether it takes what its inputs have."""
        return bool(self.spec) and not (self.idle or self.no_feed or self.rejected)

    @property
    def startable(self) -> bool:
        """Whether its ready units may go into jobs now."""
        return bool(self.spec) and self.ready > 0 and not (self.idle or self.rejected or self.held)

    def count(self, state: Fed, delta: int) -> None:
        """Add to the counter of a state of units."""
        setattr(self, state.value, getattr(self, state.value) + delta)


@dataclass(frozen=True, slots=True)
class FedUnit:
    """A unit fed to a task, with what a job needs of it."""

    edge_id: int
    unit_id: int
    job_id: int | None
    key: str
    path: str | None
    events: int
    dataset_id: int
    position: int


@dataclass(frozen=True, slots=True)
class Job:
    """A job that waits to be tried, or tried again."""

    id: int
    number: int
    attempts: int
    charged: int
    losses: int
    state: str
    memory_mb: int | None = None
    walltime_s: int | None = None


def load_tasks(conn: Connection, ids: Sequence[int]) -> list[Task]:
    """The tasks of those ids that are known."""
    if not ids:
        return []
    return [Task(**row._mapping) for row in conn.execute(_TASKS, {"ids": ids}).all()]


_T = jedi_task.c
_TASKS = sa.select(jedi_task).where(listed(_T.id))
_STARTABLE = (
    sa.select(_T.id)
    .where(_T.idle == 0, _T.ready > 0, _T.rejected == 0, _T.held.is_(None))
    .where(sa.or_(_T.max_running.is_(None), _T.jobs_running < _T.max_running))
    .order_by(_T.priority.desc(), _T.id)
    .limit(sa.bindparam("at_most"))
)


def active_tasks(conn: Connection) -> list[int]:
    """The tasks that are not idle, most urgent first."""
    query = sa.select(jedi_task.c.id).where(jedi_task.c.idle == 0)
    return list(conn.execute(query.order_by(jedi_task.c.priority.desc(), jedi_task.c.id)).scalars())


def startable_tasks(
    conn: Connection, limit: int, clusters: Collection[str] | None = None, default: str = ""
) -> list[int]:
    """The most urgent tasks that may have units to start, in some of the clusters."""
    query = _STARTABLE
    if clusters is not None:
        query = query.where(sa.func.coalesce(_T.cluster, default).in_(sorted(clusters)))
    return list(conn.execute(query, {"at_most": limit}).scalars())


def insert_tasks(conn: Connection, task_ids: Sequence[int]) -> None:
    """Tasks of which only the ids are known yet."""
    insert_rows(conn, jedi_task, [{"id": task_id, "idle": 1} for task_id in task_ids])


_IN_ORDER = (jedi_job_unit.c.position, jedi_job_unit.c.edge_id)
_FED = sa.select(
    jedi_job_unit.c.edge_id,
    jedi_job_unit.c.unit_id,
    jedi_job_unit.c.job_id,
    jedi_unit.c.key,
    jedi_unit.c.path,
    jedi_unit.c.events,
    jedi_unit.c.dataset_id,
    jedi_job_unit.c.position,
).join(jedi_unit, jedi_unit.c.id == jedi_job_unit.c.unit_id)


def unpacked(conn: Connection, task_id: int, limit: int | None) -> list[FedUnit]:
    """Ready units of a task that are in no job yet, in the order of their datasets."""
    r = jedi_job_unit.c
    query = _FED.where(r.task_id == task_id, r.state == Fed.READY, r.job_id.is_(None))
    return [FedUnit(*row) for row in conn.execute(query.order_by(*_IN_ORDER).limit(limit))]


def unpacked_of(conn: Connection, task_ids: Sequence[int]) -> dict[int, list[FedUnit]]:
    """The same for several tasks that have a few each."""
    found: dict[int, list[FedUnit]] = {task_id: [] for task_id in task_ids}
    for *unit, task_id in conn.execute(_UNPACKED, {"ids": task_ids}).all() if task_ids else ():
        found[task_id].append(FedUnit(*unit))
    return found


_R = jedi_job_unit.c
_UNPACKED = (
    _FED.add_columns(_R.task_id)
    .where(listed(_R.task_id), _R.state == Fed.READY.value, _R.job_id.is_(None))
    .order_by(*_IN_ORDER)
)


def used_units(conn: Connection, task_id: int) -> list[FedUnit]:
    """The units of the secondary inputs of a task."""
    query = _FED.where(jedi_job_unit.c.task_id == task_id, jedi_job_unit.c.state == Fed.USED)
    return [FedUnit(*row) for row in conn.execute(query.order_by(*_IN_ORDER))]


def units_of_jobs(conn: Connection, job_ids: Sequence[int]) -> dict[int, list[FedUnit]]:
    """The ready units of each job."""
    found: dict[int, list[FedUnit]] = {job_id: [] for job_id in job_ids}
    query = _FED.where(listed(_R.job_id), _R.state == Fed.READY.value).order_by(*_IN_ORDER)
    for row in conn.execute(query, {"ids": job_ids}).all() if job_ids else ():
        found[row.job_id].append(FedUnit(*row))
    return found


def with_planned_jobs(conn: Connection, task_ids: Sequence[int]) -> set[int]:
    """Those tasks that have jobs that were made and wait."""
    j, t = jedi_job.c, jedi_task.c
    waits = sa.exists().where(j.task_id == t.id, j.state == JobState.PLANNED)
    if not task_ids:
        return set()
    return set(conn.execute(sa.select(t.id).where(listed(t.id), waits), {"ids": task_ids}).scalars())


_J = jedi_job.c
_JOBS = sa.select(_J.id, _J.number, _J.attempts, _J.charged, _J.losses, _J.state, _J.memory_mb, _J.walltime_s)


def planned_jobs(conn: Connection, task_id: int, limit: int) -> list[Job]:
    """Jobs of a task that were made and wait, oldest first."""
    j = jedi_job.c
    query = _JOBS.where(j.task_id == task_id, j.state == JobState.PLANNED).order_by(j.number).limit(limit)
    return [Job(*row) for row in conn.execute(query)]


def job_numbered(conn: Connection, task_id: int, number: int) -> Job | None:
    """One job of a task."""
    j = jedi_job.c
    row = conn.execute(_JOBS.where(j.task_id == task_id, j.number == number)).first()
    return None if row is None else Job(*row)


_START = (
    sa.update(jedi_job_unit)
    .where(
        jedi_job_unit.c.edge_id == sa.bindparam("b_edge"), jedi_job_unit.c.unit_id == sa.bindparam("b_unit")
    )
    .values(job_id=sa.bindparam("b_job"), state=Fed.RUNNING.value)
)


def start_rows(conn: Connection, packed: Sequence[tuple[int, Sequence[FedUnit]]]) -> None:
    """Note that these units run, in these jobs."""
    rows = [
        {"b_edge": u.edge_id, "b_unit": u.unit_id, "b_job": job_id} for job_id, units in packed for u in units
    ]
    if rows:
        conn.execute(_START, rows)


def settle_rows(conn: Connection, job_ids: Sequence[int], state: Fed, *, charged: int) -> None:
    """The running units of these jobs get a new state; their attempts go up where they are charged."""
    if job_ids:
        conn.execute(_SETTLE, {"ids": job_ids, "b_state": state.value, "b_charged": charged})


_SETTLE = (
    sa.update(jedi_job_unit)
    .where(listed(_R.job_id), _R.state == Fed.RUNNING.value)
    .values(state=sa.bindparam("b_state"), attempts=_R.attempts + sa.bindparam("b_charged"))
)


def skip_ready(conn: Connection, task_id: int) -> int:
    """What is ready is skipped, and its jobs are cancelled; how many units."""
    r = jedi_job_unit.c
    jobs = sa.update(jedi_job).where(jedi_job.c.task_id == task_id, jedi_job.c.state == JobState.PLANNED)
    conn.execute(jobs.values(state=JobState.CANCELLED.value))
    rows = sa.update(jedi_job_unit).where(r.task_id == task_id, r.state == Fed.READY)
    return conn.execute(rows.values(state=Fed.SKIPPED.value)).rowcount


def drop_unsuccessful_lost(conn: Connection, task_id: int, state: Fed) -> int:
    """Forget rows of lost units, so that they are unfed once they are back; how many."""
    r = jedi_job_unit.c
    lost = sa.select(jedi_unit.c.id).where(jedi_unit.c.id == r.unit_id, jedi_unit.c.state == LOST)
    gone = sa.delete(jedi_job_unit).where(r.task_id == task_id, r.state == state)
    return conn.execute(gone.where(sa.exists(lost.correlate(jedi_job_unit)))).rowcount


def ready_again(conn: Connection, task_id: int, state: Fed) -> int:
    """Units of a task in that state are ready again, with no attempts; how many."""
    r = jedi_job_unit.c
    rows = sa.update(jedi_job_unit).where(r.task_id == task_id, r.state == state)
    return conn.execute(rows.values(state=Fed.READY.value, attempts=0)).rowcount


def plan_again(conn: Connection, task_id: int, states: Sequence[JobState]) -> int:
    """Jobs in those states that have ready units wait again, with a clean record; how many."""
    row = sa.select(jedi_job_unit.c.unit_id).where(
        jedi_job_unit.c.job_id == jedi_job.c.id, jedi_job_unit.c.state == Fed.READY
    )
    jobs = sa.update(jedi_job).where(
        jedi_job.c.task_id == task_id, jedi_job.c.state.in_(states), sa.exists(row.correlate(jedi_job))
    )
    return conn.execute(jobs.values(state=JobState.PLANNED.value, charged=0, losses=0)).rowcount


def forget_rows(conn: Connection, task_id: int) -> None:
    """No unit was ever fed to this task."""
    conn.execute(sa.delete(jedi_job_unit).where(jedi_job_unit.c.task_id == task_id))


def save_jobs(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Change jobs: rows of an `id` and new values, all of the same columns."""
    update_rows(conn, jedi_job, "id", rows)


def save_attempts(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Change attempts that have not ended."""
    update_rows(conn, jedi_attempt, "id", rows)


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt that has not ended, with what the loop must know of its job."""

    id: int
    number: int
    job_id: int
    job_number: int
    task_id: int
    folder: str
    token: str
    state: str
    units: int
    charged: int
    losses: int
    stale: bool
    submitted: datetime
    cluster: str
    submission_id: int | None
    array_index: int | None
    asked_mb: int | None
    asked_s: int | None


def open_attempts(conn: Connection) -> list[OpenAttempt]:
    """All attempts that have not ended."""
    a, j = jedi_attempt.c, jedi_job.c
    columns: tuple[sa.ColumnElement[Any], ...] = (
        a.id, a.number, a.job_id, j.number.label("job_number"), j.task_id, a.folder, a.token,
        a.state, j.units, j.charged, j.losses,
        sa.case((j.remake == Remake.STALE, 1), else_=0).label("stale"), a.submitted,
        a.backend.label("cluster"), a.submission_id, a.array_index, a.asked_mb, a.asked_s,
    )  # fmt: skip
    query = sa.select(*columns).join(jedi_job, j.id == a.job_id).where(a.open == 1).order_by(a.id)
    return [OpenAttempt(**row._mapping) for row in conn.execute(query)]


def submissions(conn: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """The arrays of those ids."""
    query = sa.select(jedi_submission).where(listed(jedi_submission.c.id)).order_by(jedi_submission.c.id)
    return [dict(row._mapping) for row in conn.execute(query, {"ids": list(ids)})] if ids else []


def save_submissions(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Note what the arrays are called where they went."""
    update_rows(conn, jedi_submission, "id", rows)
