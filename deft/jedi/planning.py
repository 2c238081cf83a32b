"""Make jobs, late: choose what starts next and write the intent of every attempt before anybody runs it."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from deft.base.config import Cluster, Settings
from deft.base.database import insert_rows
from deft.base.errors import BadInput
from deft.jedi import arrays, filling, specs, store
from deft.jedi.books import Books
from deft.jedi.filling import Wanted
from deft.jedi.jobs import Fed, Flight, JobState, Needs
from deft.jedi.net import move
from deft.jedi.split import Split, pack
from deft.jedi.store import FedUnit, Job, Task
from deft.jedi.tables import jedi_attempt, jedi_job, jedi_submission
from deft.wire.orders import TaskSpec

FEW = 100  # units of a task that are looked up with those of others


@dataclass(frozen=True, slots=True)
class Intent:
    """An attempt that may be handed over once its row is committed."""

    flight: Flight
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Choice:
    """A job about to be tried, and its units; `new` where it has no row yet."""

    job: Job
    units: Sequence[FedUnit]
    new: bool


@dataclass
class _Stock:
    """What the database has for the tasks to start: looked up for all of them at once."""

    with_jobs: set[int]  # tasks that have jobs that wait to be tried, maybe again
    units: dict[int, list[FedUnit]]  # units in no job yet, of tasks that have few


@dataclass
class _Sheet:
    """Rows to write, gathered over the tasks: each kind goes in with one statement."""

    new_jobs: list[dict[str, Any]] = field(default_factory=list)
    old_jobs: list[dict[str, Any]] = field(default_factory=list)
    packed: list[tuple[int, Sequence[FedUnit]]] = field(default_factory=list)
    arrays: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)  # jobs that cannot be made

    def write(self, conn: Connection) -> None:
        insert_rows(conn, jedi_job, self.new_jobs)
        store.save_jobs(conn, self.old_jobs)
        store.start_rows(conn, self.packed)
        insert_rows(conn, jedi_submission, self.arrays)
        insert_rows(conn, jedi_attempt, self.attempts)
        store.settle_rows(conn, self.failed, Fed.FAILED, charged=1)


@dataclass(frozen=True, slots=True)
class Room:
    """What a cluster would take now; `max_array` is 0 where it knows no arrays."""

    places: int
    max_array: int = 0


def plan(books: Books, rooms: Mapping[str, Room], settings: Settings) -> list[Intent]:
    """Fill the places of every cluster with the most urgent work."""
    places = {name: room.places for name, room in rooms.items()}
    tasks = _startable(books, places, settings.jedi.cluster)
    if not tasks:
        return []
    stock, sheet = _look(books, tasks, sum(places.values())), _Sheet()
    intents: list[Intent] = []
    for task in tasks:
        cluster = task.cluster or settings.jedi.cluster
        room = places[cluster]
        if task.max_running is not None:
            room = min(room, task.max_running - task.jobs_running)
        if room > 0:
            made = _plan_task(books, task, room, settings, stock, sheet)
            places[cluster] -= len(made)
            if most := rooms[cluster].max_array:
                flights = [intent.flight for intent in made]
                sheet.arrays += arrays.group(books, flights, cluster, most)
            sheet.attempts += [_attempt_row(books, intent.flight, cluster) for intent in made]
            intents += made
        if not any(places.values()):
            break
    sheet.write(books.conn)
    return intents


def _startable(books: Books, places: Mapping[str, int], default: str) -> list[Task]:
    """Tasks with ready units, most urgent first: those of the database, and those changed here."""
    free = [name for name, number in places.items() if number > 0]
    if not free:
        return []
    limit = sum(places.values()) + 50 + len(books.tasks)
    only = None if len(places) == 1 else free
    books.load_tasks(store.startable_tasks(books.conn, limit, only, default))
    found = [task for task in books.tasks.values() if task.startable and (task.cluster or default) in free]
    return sorted(found, key=lambda task: (-task.priority, task.id))


def _look(books: Books, tasks: Sequence[Task], places: int) -> _Stock:
    few = [task.id for task in tasks[:places] if task.ready <= FEW]
    with_jobs = store.with_planned_jobs(books.conn, [task.id for task in tasks if task.last_number])
    return _Stock(with_jobs, store.unpacked_of(books.conn, few))


def _plan_task(
    books: Books, task: Task, room: int, settings: Settings, stock: _Stock, sheet: _Sheet
) -> list[Intent]:
    spec = specs.read_spec(task.spec or "")
    secondary, needs = _secondary(books, task, spec), specs.needs(spec)
    cluster = settings.clusters.get(task.cluster or settings.jedi.cluster)
    intents: list[Intent] = []
    failed: list[tuple[_Choice, str]] = []
    chosen = _choose(books, task, spec, room, stock)
    attempt_ids = books.next_ids(jedi_attempt, len(chosen))
    for choice, attempt_id in zip(chosen, attempt_ids, strict=True):
        wanted = _wanted(choice, spec, secondary, needs, cluster, settings.workdir)
        try:
            content = filling.job_file(wanted, settings)
        except BadInput as fault:
            failed.append((choice, str(fault)))
            continue
        intents.append(Intent(_flight(task, choice, wanted, attempt_id), content))
    _note_jobs(books, task, chosen, failed, sheet)
    _count(task, intents, failed)
    return intents


def _secondary(books: Books, task: Task, spec: TaskSpec) -> list[FedUnit]:
    wanted = any(edge.role == "secondary" for edge in spec.inputs) and "{input" in spec.command
    return store.used_units(books.conn, task.id) if wanted else []


def _choose(books: Books, task: Task, spec: TaskSpec, room: int, stock: _Stock) -> list[_Choice]:
    """Jobs that wait to be tried again come first, then new ones are packed."""
    if specs.is_reduce(spec):
        return _choose_reduce(books, task, stock)
    waiting = store.planned_jobs(books.conn, task.id, room) if task.id in stock.with_jobs else []
    units = store.units_of_jobs(books.conn, [job.id for job in waiting])
    chosen = [_Choice(job, units[job.id], new=False) for job in waiting if units[job.id]]
    left = task.ready - sum(len(choice.units) for choice in chosen)
    split = Split.of(spec.settings, reduce=False)
    if left > 0 and room > len(chosen):
        rows = _unpacked(books, task, split.rows_for(room - len(chosen)), stock)
        packed = list(pack(rows, split))
        ids = books.next_ids(jedi_job, len(packed))
        for job_id, part in zip(ids, packed, strict=True):
            task.last_number += 1
            job = Job(job_id, task.last_number, 0, 0, 0, JobState.PLANNED)
            chosen.append(_Choice(job, part, new=True))
    return chosen


def _unpacked(books: Books, task: Task, limit: int | None, stock: _Stock) -> Sequence[FedUnit]:
    if task.id in stock.units:
        return stock.units[task.id][:limit]
    return store.unpacked(books.conn, task.id, limit)


def _choose_reduce(books: Books, task: Task, stock: _Stock) -> list[_Choice]:
    """The one job, over all that is ready."""
    if task.running:
        return []
    known = store.job_numbered(books.conn, task.id, task.last_number) if task.last_number else None
    units = _unpacked(books, task, None, stock)
    if known is not None and known.state == JobState.PLANNED:  # else it is of a life that was discarded
        packed = store.units_of_jobs(books.conn, [known.id])[known.id]
        units = sorted([*packed, *units], key=lambda unit: (unit.position, unit.edge_id))
        return [_Choice(known, units, new=False)]
    task.last_number += 1
    job = Job(books.next_ids(jedi_job, 1)[0], task.last_number, 0, 0, 0, JobState.PLANNED)
    return [_Choice(job, units, new=True)]


def _wanted(
    choice: _Choice, spec: TaskSpec, secondary: Sequence[FedUnit], needs: Needs, cluster: Cluster | None,
    workdir: Path,
) -> Wanted:  # fmt: skip
    job = choice.job
    attempt = job.attempts + 1
    folder = filling.attempt_folder(workdir, spec, job.number, attempt)
    if job.memory_mb or job.walltime_s:  # its task's own were too little for this one
        needs = replace(
            needs,
            memory_mb=job.memory_mb or needs.memory_mb,
            walltime_s=job.walltime_s or needs.walltime_s,
        )
    token = secrets.token_hex(12)
    return Wanted(spec, job.number, attempt, token, folder, choice.units, secondary, needs, cluster)


def _flight(task: Task, choice: _Choice, wanted: Wanted, attempt_id: int) -> Flight:
    job = choice.job
    return Flight(
        attempt_id=attempt_id,
        attempt=wanted.attempt,
        needs=wanted.needs,
        job_id=job.id,
        number=job.number,
        task_id=task.id,
        folder=wanted.folder,
        token=wanted.token,
        units=len(choice.units),
        charged=job.charged,
        losses=job.losses,
    )


def _note_jobs(
    books: Books, task: Task, chosen: Sequence[_Choice], failed: Sequence[tuple[_Choice, str]], sheet: _Sheet
) -> None:
    """Put the rows of what was chosen on the sheet."""
    bad = {choice.job.id: message for choice, message in failed}
    for choice in chosen:
        job = choice.job
        event = "fail" if job.id in bad else "intend"
        row = {
            "id": job.id,
            "state": move(JobState(job.state), event).value,
            "units": len(choice.units),
            "attempts": job.attempts + (job.id not in bad),
            "message": bad.get(job.id),
        }
        if choice.new:
            task.jobs += 1
            sheet.new_jobs.append({**row, "task_id": task.id, "number": job.number, "created": books.now})
        else:
            sheet.old_jobs.append(row)
        sheet.packed.append((job.id, choice.units))
    sheet.failed.extend(bad)


def _count(task: Task, intents: Sequence[Intent], failed: Sequence[tuple[_Choice, str]]) -> None:
    units = sum(intent.flight.units for intent in intents)
    task.ready -= units
    task.running += units
    task.jobs_running += len(intents)
    if failed:
        lost = sum(len(choice.units) for choice, _ in failed)
        task.ready -= lost
        task.failed += lost
        task.jobs_failed += len(failed)
        task.reason = f"job {failed[-1][0].job.number} cannot be made: {failed[-1][1]}"


def _attempt_row(books: Books, flight: Flight, cluster: str) -> dict[str, Any]:
    array = flight.array
    return {
        "id": flight.attempt_id,
        "job_id": flight.job_id,
        "number": flight.attempt,
        "token": flight.token,
        "state": JobState.SUBMITTING.value,
        "open": 1,
        "backend": cluster,
        "folder": str(flight.folder),
        "submitted": books.now,
        "submission_id": None if array is None else array.id,
        "array_index": None if array is None else flight.index,
        "asked_mb": flight.needs.memory_mb or None,
        "asked_s": math.ceil(flight.needs.walltime_s) or None,
    }
