"""Make jobs, late: choose what starts next and write the intent of every attempt before anybody runs it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deft.base.config import Settings
from deft.base.database import insert_rows
from deft.base.errors import BadInput
from deft.jedi import filling, specs, store
from deft.jedi.books import Books
from deft.jedi.filling import Wanted
from deft.jedi.jobs import Fed, Flight, JobState
from deft.jedi.net import move
from deft.jedi.split import Split, pack
from deft.jedi.store import FedUnit, Job, Task
from deft.jedi.tables import jedi_attempt, jedi_job
from deft.wire.orders import TaskSpec


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


def plan(books: Books, places: int, settings: Settings, backend: str) -> list[Intent]:
    """Fill up to `places` with the most urgent work."""
    intents: list[Intent] = []
    for task in _startable(books, places):
        room = places - len(intents)
        if task.max_running is not None:
            room = min(room, task.max_running - task.jobs_running)
        if room > 0:
            intents.extend(_plan_task(books, task, room, settings, backend))
        if len(intents) >= places:
            break
    return intents


def _startable(books: Books, places: int) -> list[Task]:
    """Tasks with ready units, most urgent first: those of the database, and those changed here."""
    if places <= 0:
        return []
    limit = places + 50 + len(books.tasks)
    books.load_tasks(store.startable_tasks(books.conn, limit))
    found = [task for task in books.tasks.values() if task.startable]
    return sorted(found, key=lambda task: (-task.priority, task.id))


def _plan_task(books: Books, task: Task, room: int, settings: Settings, backend: str) -> list[Intent]:
    spec = specs.read_spec(task.spec or "")
    secondary = _secondary(books, task, spec)
    intents: list[Intent] = []
    failed: list[tuple[_Choice, str]] = []
    chosen = _choose(books, task, spec, room)
    attempt_ids = books.next_ids(jedi_attempt, len(chosen))
    for choice, attempt_id in zip(chosen, attempt_ids, strict=True):
        wanted = _wanted(choice, spec, secondary, settings.workdir)
        try:
            content = filling.job_file(wanted, settings)
        except BadInput as fault:
            failed.append((choice, str(fault)))
            continue
        intents.append(Intent(_flight(task, choice, wanted, attempt_id), content))
    _write(books, task, chosen, intents, failed, backend=backend)
    return intents


def _secondary(books: Books, task: Task, spec: TaskSpec) -> list[FedUnit]:
    wanted = any(edge.role == "secondary" for edge in spec.inputs) and "{input" in spec.command
    return store.used_units(books.conn, task.id) if wanted else []


def _choose(books: Books, task: Task, spec: TaskSpec, room: int) -> list[_Choice]:
    """Jobs that wait to be tried again come first, then new ones are packed."""
    if specs.is_reduce(spec):
        return _choose_reduce(books, task)
    waiting = store.planned_jobs(books.conn, task.id, room)
    units = store.units_of_jobs(books.conn, [job.id for job in waiting])
    chosen = [_Choice(job, units[job.id], new=False) for job in waiting if units[job.id]]
    left = task.ready - sum(len(choice.units) for choice in chosen)
    split = Split.of(spec.settings, reduce=False)
    if left > 0 and room > len(chosen):
        rows = store.unpacked(books.conn, task.id, split.rows_for(room - len(chosen)))
        packed = list(pack(rows, split))
        ids = books.next_ids(jedi_job, len(packed))
        for job_id, part in zip(ids, packed, strict=True):
            task.last_number += 1
            job = Job(job_id, task.last_number, 0, 0, 0, JobState.PLANNED)
            chosen.append(_Choice(job, part, new=True))
    return chosen


def _choose_reduce(books: Books, task: Task) -> list[_Choice]:
    """The one job, over all that is ready."""
    if task.running:
        return []
    known = store.job_numbered(books.conn, task.id, 1)
    units = store.unpacked(books.conn, task.id, None)
    if known is not None:
        packed = store.units_of_jobs(books.conn, [known.id])[known.id]
        units = sorted([*packed, *units], key=lambda unit: (unit.position, unit.edge_id))
        return [_Choice(known, units, new=False)]
    task.last_number = max(task.last_number, 1)
    job = Job(books.next_ids(jedi_job, 1)[0], 1, 0, 0, 0, JobState.PLANNED)
    return [_Choice(job, units, new=True)]


def _wanted(choice: _Choice, spec: TaskSpec, secondary: Sequence[FedUnit], workdir: Path) -> Wanted:
    number, attempt = choice.job.number, choice.job.attempts + 1
    folder = filling.attempt_folder(workdir, spec, number, attempt)
    return Wanted(spec, number, attempt, secrets.token_hex(12), folder, choice.units, secondary)


def _flight(task: Task, choice: _Choice, wanted: Wanted, attempt_id: int) -> Flight:
    job = choice.job
    return Flight(
        attempt_id=attempt_id,
        attempt=wanted.attempt,
        job_id=job.id,
        number=job.number,
        task_id=task.id,
        folder=wanted.folder,
        token=wanted.token,
        units=len(choice.units),
        charged=job.charged,
        losses=job.losses,
    )


def _write(
    books: Books, task: Task, chosen: Sequence[_Choice], intents: Sequence[Intent],
    failed: Sequence[tuple[_Choice, str]], *, backend: str,
) -> None:  # fmt: skip
    """Jobs, attempts, rows and counters of what was chosen."""
    bad = {choice.job.id: message for choice, message in failed}
    _write_jobs(books, task, chosen, bad)
    store.start_rows(books.conn, [(choice.job.id, choice.units) for choice in chosen])
    insert_rows(books.conn, jedi_attempt, [_attempt_row(books, intent.flight, backend) for intent in intents])
    units = sum(intent.flight.units for intent in intents)
    task.ready -= units
    task.running += units
    task.jobs_running += len(intents)
    if failed:
        store.settle_rows(books.conn, list(bad), Fed.FAILED, charged=1)
        lost = sum(len(choice.units) for choice, _ in failed)
        task.ready -= lost
        task.failed += lost
        task.jobs_failed += len(failed)
        task.reason = f"job {failed[-1][0].job.number} cannot be made: {failed[-1][1]}"


def _write_jobs(books: Books, task: Task, chosen: Sequence[_Choice], bad: dict[int, str]) -> None:
    new, old = [], []
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
            new.append({**row, "task_id": task.id, "number": job.number, "created": books.now})
        else:
            old.append(row)
    insert_rows(books.conn, jedi_job, new)
    store.save_jobs(books.conn, old)
    task.jobs += len(new)


def _attempt_row(books: Books, flight: Flight, backend: str) -> dict[str, Any]:
    return {
        "id": flight.attempt_id,
        "job_id": flight.job_id,
        "number": flight.attempt,
        "token": flight.token,
        "state": JobState.SUBMITTING.value,
        "open": 1,
        "backend": backend,
        "folder": str(flight.folder),
        "submitted": books.now,
    }
