"""Make lost units again: which jobs made them, and no others. Applies the order `recover`, and tries it dry.

The jobs run again whole: outputs are keyed by job, so what they make replaces what they made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches
from deft.jedi import catalog, feeding, parking, specs
from deft.jedi.books import Books
from deft.jedi.catalog import AVAILABLE, LOST
from deft.jedi.jobs import Ending, Fed, Flight, JobState, Remake, job_key
from deft.jedi.store import Task
from deft.jedi.tables import jedi_attempt, jedi_job, jedi_job_unit, jedi_unit
from deft.wire.orders import Recover, load_recover, load_steps

SHOWN = 20  # jobs and units that an answer names one by one


def recover(books: Books, task: Task, body: Mapping[str, object]) -> None:
    """Apply the order; where JEDI never heard of the task there is nothing to do."""
    wanted = load_recover(body)
    parking.again(books, task, _chosen(books, task, wanted))
    for edge in books.inputs(task.id):
        feeding.recount(books, edge)
    # finish and abort stay in force for all but what is made again; a consumer is to take part anew.
    task.idle = task.hard = 0
    if wanted.used:
        task.no_feed = 0


def _chosen(books: Books, task: Task, wanted: Recover) -> set[int]:
    """The jobs that an order means."""
    outputs = _outputs(task)
    chosen: set[int] = set()
    if wanted.lost:
        chosen |= _makers(books.conn, outputs)
    elif wanted.awaited:
        chosen |= _makers(books.conn, outputs, _AWAITED)
    if wanted.used:
        chosen |= _users(books, task, set(wanted.used))
    return chosen


def _outputs(task: Task) -> list[int]:
    return [output.dataset_id for output in specs.read_spec(task.spec).outputs] if task.spec else []


_WAITER, _WAITS = jedi_job_unit.alias("waiter"), jedi_job_unit.alias("waits")
# Lost units without which a parked job cannot run: its own, and those of an input that goes to every job.
_AWAITED = sa.exists(
    sa.select(_WAITER.c.unit_id)
    .where(_WAITER.c.unit_id == jedi_unit.c.id)
    .where(
        sa.or_(
            _WAITER.c.state == Fed.PARKED,
            sa.and_(
                _WAITER.c.state == Fed.USED,
                sa.exists(
                    sa.select(_WAITS.c.unit_id)
                    .where(_WAITS.c.task_id == _WAITER.c.task_id, _WAITS.c.state == Fed.PARKED)
                    .correlate(_WAITER)
                ),
            ),
        )
    )
    .correlate(jedi_unit)
)


def _makers(conn: Connection, dataset_ids: Sequence[int], *which: sa.ColumnElement[bool]) -> set[int]:
    """The jobs that made the lost units of datasets."""
    u = jedi_unit.c
    query = sa.select(u.job_id).where(u.dataset_id.in_(dataset_ids), u.state == LOST, *which).distinct()
    return {one for one in conn.execute(query).scalars() if one is not None}


def _users(books: Books, task: Task, dataset_ids: set[int]) -> set[int]:
    """The jobs of a task that used units of these datasets which are lost now."""
    r, u = jedi_job_unit.c, jedi_unit.c
    edges = [edge for edge in books.inputs(task.id) if edge.dataset_id in dataset_ids]
    books.load_datasets(edge.dataset_id for edge in edges)
    query = sa.select(r.job_id).where(r.task_id == task.id, r.job_id.is_not(None)).distinct()
    if not any(not edge.primary and books.dataset(edge.dataset_id).lost for edge in edges):
        query = query.join(jedi_unit, u.id == r.unit_id)
        query = query.where(r.edge_id.in_([edge.edge_id for edge in edges]), u.state == LOST)
    return set(books.conn.execute(query).scalars())


# --- a remake that does not come about ---------------------------------------------------------------------


def kept(books: Books, flights: Collection[Flight]) -> dict[int, bool]:
    """Of these jobs those that make something again; True where all they made before is still there."""
    ids = sorted({flight.job_id for flight in flights})
    found: set[int] = set()
    for part in batches(ids):
        query = sa.select(jedi_job.c.id).where(jedi_job.c.id.in_(part), jedi_job.c.remake == Remake.LOST)
        found.update(books.conn.execute(query).scalars())
    remade = [flight for flight in flights if flight.job_id in found]
    there = {
        task_id: _there(books, books.task(task_id), [f.number for f in remade if f.task_id == task_id])
        for task_id in {flight.task_id for flight in remade}
    }
    return {flight.job_id: flight.number in there[flight.task_id] for flight in remade}


def made_anew(conn: Connection, units: Mapping[int, int]) -> list[int]:
    """Of units by their jobs those that were not merely made again: their content is another."""
    found: set[int] = set()
    for part in batches(list(units)):
        query = sa.select(jedi_job.c.id).where(jedi_job.c.id.in_(part), jedi_job.c.remake != Remake.LOST)
        found.update(conn.execute(query).scalars())
    return [units[job_id] for job_id in sorted(found)]


def keep(books: Books, task: Task) -> None:
    """What waits to be made again, and is still there, is not made again: finish and abort want no more."""
    j, r = jedi_job.c, jedi_job_unit.c
    waiting = sa.select(j.id, j.number).where(
        j.task_id == task.id, j.state == JobState.PLANNED, j.remake == Remake.LOST
    )
    rows = books.conn.execute(waiting).all()
    there = _there(books, task, [row.number for row in rows])
    ids = [row.id for row in rows if row.number in there]
    for part in batches(ids):
        jobs = sa.update(jedi_job).where(j.id.in_(part))
        task.jobs_ok += books.conn.execute(
            jobs.values(state=JobState.OK.value, remake=Remake.NO.value)
        ).rowcount
        units = sa.update(jedi_job_unit).where(r.job_id.in_(part), r.state == Fed.READY)
        number = books.conn.execute(units.values(state=Fed.OK.value)).rowcount
        task.ready -= number
        task.ok += number


def _there(books: Books, task: Task, numbers: Sequence[int]) -> set[int]:
    """Of these jobs of a task those all of whose outputs are available."""
    there = set(numbers)
    keys = {job_key(number): number for number in numbers}
    for dataset_id in _outputs(task) if keys else ():
        units = catalog.find_units(books.conn, dataset_id, list(keys))
        there &= {keys[key] for key, unit in units.items() if unit.state == AVAILABLE}
    return there


# --- what an order would do --------------------------------------------------------------------------------


def tried(books: Books, body: Mapping[str, object]) -> dict[str, Any]:
    """Apply orders, say which jobs would run, and undo it. What this transaction did before is not saved yet,
    so it is looked at through books of its own.
    """
    books.save()
    with books.conn.begin_nested() as savepoint:
        trial = Books(books.conn, books.now)
        told = [_step(trial, one) for one in load_steps(body)]
        savepoint.rollback()
    return {"tasks": [step for step in told if step["jobs"]]}


def _step(books: Books, wanted: Recover) -> dict[str, Any]:
    task = books.task(wanted.task_id)
    ids, parked = sorted(_chosen(books, task, wanted)), task.parked
    parking.again(books, task, ids)
    numbers = _numbers(books.conn, ids)
    return {
        "task_id": task.id,
        "jobs": len(numbers),
        "numbers": numbers[:SHOWN],
        "units": _count_units(books.conn, ids),
        "waiting": task.parked - parked,
        "cpu_s": _cpu_s(books.conn, ids),
        "lost": _lost_files(books.conn, _outputs(task), set(ids)),
    }


def _numbers(conn: Connection, job_ids: Sequence[int]) -> list[int]:
    found: list[int] = []
    for part in batches(job_ids):
        found += conn.execute(sa.select(jedi_job.c.number).where(jedi_job.c.id.in_(part))).scalars()
    return sorted(found)


def _count_units(conn: Connection, job_ids: Sequence[int]) -> int:
    r = jedi_job_unit.c
    query = sa.select(sa.func.count()).select_from(jedi_job_unit)
    return sum(conn.execute(query.where(r.job_id.in_(part))).scalar_one() for part in batches(job_ids))


def _cpu_s(conn: Connection, job_ids: Sequence[int]) -> float:
    """What their newest good attempts took."""
    a = jedi_attempt.c
    took: dict[int, float] = {}
    for part in batches(job_ids):
        query = sa.select(a.job_id, a.cpu_s).where(a.job_id.in_(part), a.outcome == Ending.OK.value)
        took.update((row.job_id, row.cpu_s or 0.0) for row in conn.execute(query.order_by(a.number)))
    return round(sum(took.values()), 3)


def _lost_files(conn: Connection, dataset_ids: Sequence[int], job_ids: set[int]) -> list[str]:
    """The first of the lost units that they made: where the files were, or their keys."""
    u = jedi_unit.c
    query = sa.select(u.job_id, u.path, u.key).where(u.dataset_id.in_(dataset_ids), u.state == LOST)
    lost = conn.execute(query.order_by(u.id))
    return list(islice((row.path or row.key for row in lost if row.job_id in job_ids), SHOWN))
