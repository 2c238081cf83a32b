"""Units of jobs that are to run again and do not yet: parked until all the input of their job is there.

A parked row keeps its job, so that the same job makes the same output again. It counts as missing until the
last lost unit of its job is back, then as unfed; feeding makes it ready.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches
from deft.jedi import store
from deft.jedi.books import Books
from deft.jedi.catalog import AVAILABLE, LOST, Edge
from deft.jedi.jobs import Fed, JobState, Remake
from deft.jedi.net import UNSUCCESSFUL
from deft.jedi.store import Task
from deft.jedi.tables import jedi_job, jedi_job_unit, jedi_unit

_ENDED = (Fed.OK, Fed.FAILED, Fed.SKIPPED)
_SIBLING, _ITS_UNIT = jedi_job_unit.alias("sibling"), jedi_unit.alias("its_unit")
# The job of a row has a unit that is lost.
_LACKS = sa.exists(
    sa.select(_SIBLING.c.unit_id)
    .join(_ITS_UNIT, _ITS_UNIT.c.id == _SIBLING.c.unit_id)
    .where(_SIBLING.c.job_id == jedi_job_unit.c.job_id, _ITS_UNIT.c.state == LOST)
    .correlate(jedi_job_unit)
)


@dataclass(frozen=True, slots=True)
class Parked:
    """The parked rows of an edge: those whose job has all its input, and those it must wait for others."""

    fit: int = 0
    waiting: int = 0


def of_edge(books: Books, edge: Edge) -> Parked:
    """The parked rows of an edge, as `unfed` and `missing` count them: lost units are counted elsewhere."""
    task = books.task(edge.task_id)
    if not task.parked or not edge.primary:
        return Parked()
    r = jedi_job_unit.c
    query = (
        sa.select(sa.func.count(), sa.func.sum(sa.case((_LACKS, 0), else_=1)))
        .join(jedi_unit, jedi_unit.c.id == r.unit_id)
        .where(r.task_id == task.id, r.edge_id == edge.edge_id, r.state == Fed.PARKED)
        .where(jedi_unit.c.state == AVAILABLE)
    )
    there, whole = books.conn.execute(query).one()
    fit = 0 if lacks_secondary(books, task) else int(whole or 0)
    return Parked(fit, int(there) - fit)


def lacks_secondary(books: Books, task: Task) -> bool:
    """Whether an input that goes to every job has lost something."""
    secondary = [edge.dataset_id for edge in books.inputs(task.id) if not edge.primary]
    books.load_datasets(secondary)
    return any(books.dataset(one).lost for one in secondary)


def again(books: Books, task: Task, job_ids: Collection[int]) -> None:
    """Let jobs of a task run again, whole; those that lack input as soon as it is back."""
    ids = sorted(job_ids)
    mark(books.conn, ids, Remake.LOST)
    lacking = set(ids) if lacks_secondary(books, task) else _lacking(books.conn, ids)
    task.parked += _move(books.conn, task, sorted(lacking), Fed.PARKED)
    task.ready += _move(books.conn, task, [one for one in ids if one not in lacking], Fed.READY)
    _plan(books, task)


def renewed(books: Books, unit_ids: Sequence[int]) -> None:
    """Units have another content: the jobs that used them are to run again, as if the units were new.

    Those under way do so once they have come to their end.
    """
    r, jobs = jedi_job_unit.c, dict[int, set[int]]()
    for part in batches(unit_ids):
        query = sa.select(r.task_id, r.job_id, r.state).where(r.unit_id.in_(part), r.job_id.is_not(None))
        for row in books.conn.execute(query):
            if row.state == Fed.RUNNING:
                books.stale.add(row.job_id)
            elif row.state in _ENDED:
                jobs.setdefault(row.task_id, set()).add(row.job_id)
    mark(books.conn, sorted(books.stale), Remake.STALE)
    books.load_tasks(jobs)
    for task_id, ids in jobs.items():
        mark(books.conn, sorted(ids), Remake.NO)
        task = books.task(task_id)
        task.parked += _move(books.conn, task, sorted(ids), Fed.PARKED)


def mark(conn: Connection, job_ids: Sequence[int], remake: Remake) -> None:
    """Say of jobs whether they make something again."""
    for part in batches(job_ids):
        conn.execute(sa.update(jedi_job).where(jedi_job.c.id.in_(part)).values(remake=remake.value))


def mark_larger(conn: Connection, task_id: int) -> None:
    """The jobs of a task make nothing merely again: they have more input than before."""
    conn.execute(sa.update(jedi_job).where(jedi_job.c.task_id == task_id).values(remake=Remake.NO.value))


def unpark(books: Books, task: Task) -> None:
    """Parked units whose job has all its input again are ready."""
    if lacks_secondary(books, task):
        return
    r = jedi_job_unit.c
    rows = sa.update(jedi_job_unit).where(r.task_id == task.id, r.state == Fed.PARKED, ~_LACKS)
    number = books.conn.execute(rows.values(state=Fed.READY.value, attempts=0)).rowcount
    if number:
        task.parked -= number
        task.ready += number
        _plan(books, task)


def _lacking(conn: Connection, job_ids: Sequence[int]) -> set[int]:
    """Those jobs that have a lost unit."""
    r = jedi_job_unit.c
    found: set[int] = set()
    for part in batches(job_ids):
        query = sa.select(r.job_id).join(jedi_unit, jedi_unit.c.id == r.unit_id)
        query = query.where(r.job_id.in_(part), jedi_unit.c.state == LOST).distinct()
        found.update(one for one in conn.execute(query).scalars() if one is not None)
    return found


def _move(conn: Connection, task: Task, job_ids: Sequence[int], state: Fed) -> int:
    """The units of these jobs that came to an end get a new state; how many. Others are under way anyhow."""
    r = jedi_job_unit.c
    moved = 0
    for part in batches(job_ids):
        for old in _ENDED:
            rows = sa.update(jedi_job_unit).where(r.job_id.in_(part), r.state == old)
            number = conn.execute(rows.values(state=state.value, attempts=0)).rowcount
            task.count(old, -number)
            moved += number
    return moved


def _plan(books: Books, task: Task) -> None:
    """The jobs of ready units that came to an end wait to be tried."""
    task.jobs_ok -= store.plan_again(books.conn, task.id, [JobState.OK])
    task.jobs_failed -= store.plan_again(books.conn, task.id, sorted(UNSUCCESSFUL))
    store.plan_again(books.conn, task.id, [JobState.CANCELLED])
