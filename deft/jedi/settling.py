"""Put the ends of attempts into the books: attempts, jobs, units, outputs, counters, and what to do next."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

from deft.base.config import Settings
from deft.jedi import catalog, feeding, overrides, parking, recovery, retry, scanning, specs, store
from deft.jedi.books import Books
from deft.jedi.catalog import Unit
from deft.jedi.jobs import Ending, Fed, Flight, JobState, Needs, Remake, Result, job_key
from deft.jedi.net import UNSUCCESSFUL, move
from deft.jedi.retry import Case, Verdict
from deft.jedi.store import Task

Ended = tuple[Flight, Result]
MEASURES = ("jobs", "wall_s", "cpu_s", "wall_max_s", "max_rss_mb")


def settle(books: Books, ended: Sequence[Ended], settings: Settings) -> None:
    """Settle all of these attempts."""
    if not ended:
        return
    books.load_tasks({flight.task_id for flight, _ in ended})
    rows: dict[tuple[Fed, int], list[int]] = defaultdict(list)
    jobs, attempts = [], []
    remade = recovery.kept(books, [flight for flight, result in ended if result.ending is not Ending.OK])
    for flight, result in ended:
        task = books.task(flight.task_id)
        verdict = _judge(task, flight, result, settings, remade.get(flight.job_id))
        charged = int(retry.charges(result.ending))
        rows[verdict.units, charged].append(flight.job_id)
        state = move(flight.written, verdict.event)
        jobs.append(_job_row(flight, result, state, charged))
        attempts.append(_attempt_row(books, flight, result))
        _count(task, flight, result, verdict, state)
        if state in UNSUCCESSFUL:
            task.reason = _reason(task, flight, result, settings)
        elif result.ending is Ending.REFUSED:
            task.rejected, task.reason = 1, f"{task.metatask}/{task.name}: {result.message}"
        _grow(books.conn, flight, result, verdict)
    for (units, charged), job_ids in rows.items():
        store.settle_rows(books.conn, job_ids, units, charged=charged)
    store.save_jobs(books.conn, jobs)
    if stale := [flight.job_id for flight, _ in ended if flight.stale]:
        parking.mark(books.conn, stale, Remake.NO)
    store.save_attempts(books.conn, attempts)
    _publish(books, ended)
    tasks = {flight.task_id: books.task(flight.task_id) for flight, _ in ended}
    books.load_inputs(tasks)
    for task in tasks.values():
        feeding.recount_missing(books, task)


def _judge(task: Task, flight: Flight, result: Result, settings: Settings, kept: bool | None) -> Verdict:
    """`kept`: None of a job that makes nothing again, else whether all it made before is still there."""
    spec = specs.read_spec(task.spec or "")
    case = Case(
        ending=result.ending,
        attempts=flight.charged + int(retry.charges(result.ending)),
        losses=flight.losses + int(retry.loses(result.ending, asked=flight.cancelled)),
        max_attempts=int(specs.number(spec, "retry.max_attempts", retry.MAX_ATTEMPTS)),
        max_losses=settings.jedi.max_losses,
        asked=flight.cancelled,
        skipping=bool(task.hard),
        outside=result.outside,
        grown=result.ending is Ending.REFUSED and _is_grown(flight, specs.needs(spec)),
    )
    own = overrides.parse(str(spec.settings.get(overrides.KEY, "")))
    verdict = overrides.judge(own, case, result, flight.folder) or retry.judge(case)
    if verdict.event == "again" and task.no_feed and kept is None:
        verdict = Verdict(Fed.SKIPPED, "cancel")  # finish: what is not under way is not begun again
    if kept and verdict.units in (Fed.FAILED, Fed.SKIPPED):
        return Verdict(Fed.OK, "succeed")
    if flight.stale and verdict.units is Fed.OK:
        return Verdict(Fed.PARKED, "succeed")
    return verdict


def _is_grown(flight: Flight, own: Needs) -> bool:
    return flight.needs.memory_mb > own.memory_mb or flight.needs.walltime_s > own.walltime_s


def _grow(conn: Connection, flight: Flight, result: Result, verdict: Verdict) -> None:
    """Note what a job asks for next time, by what it had."""
    had_mb = flight.needs.memory_mb or result.had_mb or result.max_rss_mb or 0
    had_s = flight.needs.walltime_s or result.wall_s or 0
    if verdict.memory != 1 and had_mb:
        store.save_jobs(conn, [{"id": flight.job_id, "memory_mb": math.ceil(had_mb * verdict.memory)}])
    if verdict.time != 1 and had_s:
        store.save_jobs(conn, [{"id": flight.job_id, "walltime_s": math.ceil(had_s * verdict.time)}])


def _count(task: Task, flight: Flight, result: Result, verdict: Verdict, state: JobState) -> None:
    task.running -= flight.units
    task.count(verdict.units, flight.units)
    task.jobs_running -= 1
    if state is JobState.OK:
        task.jobs_ok += 1
        if result.ending is Ending.OK:
            task.measured = _measure(task.measured, result)
    elif state in UNSUCCESSFUL:
        task.jobs_failed += 1
    elif retry.charges(result.ending):
        task.reason = f"job {flight.number}, attempt {flight.attempt}: {retry.words(result)}"[:600]


def _reason(task: Task, flight: Flight, result: Result, settings: Settings) -> str:
    if result.ending is Ending.NO_SPACE:
        again = f"make room, then `deft retry {task.metatask}/{task.name}`"
        return f"no space left on {settings.workdir}: {again}"
    if result.outside:
        again = f"`deft retry {task.metatask}/{task.name}` runs it again"
        return f"job {flight.number} was {retry.words(result)}; {again}"
    if result.ending in (*retry.LOSSES, Ending.CANCELLED):
        times = f"was lost {flight.losses + 1} times"
    else:
        number = flight.charged + 1
        times = "failed" if number == 1 else f"failed {number} times"
    return (
        f"job {flight.number} {times}: {retry.words(result)}"[:600]
        + f"; see deft logs {flight.job_id} --stderr"
    )


def _measure(before: str | None, result: Result) -> str:
    old = json.loads(before) if before else dict.fromkeys(MEASURES, 0)
    wall, rss = result.wall_s or 0.0, result.max_rss_mb or 0.0
    new = {
        "jobs": old["jobs"] + 1,
        "wall_s": round(old["wall_s"] + wall, 3),
        "cpu_s": round(old["cpu_s"] + (result.cpu_s or 0.0), 3),
        "wall_max_s": max(old["wall_max_s"], wall),
        "max_rss_mb": max(old["max_rss_mb"], rss),
    }
    return json.dumps(new)


def _job_row(flight: Flight, result: Result, state: JobState, charged: int) -> dict[str, Any]:
    return {
        "id": flight.job_id,
        "state": state.value,
        "charged": flight.charged + charged,
        "losses": flight.losses + int(retry.loses(result.ending, asked=flight.cancelled)),
        "message": None if result.ending is Ending.OK else retry.words(result),
    }


_ATTEMPT_STATES = {
    Ending.OK: JobState.OK,
    Ending.TIMEOUT: JobState.KILLED,
    Ending.SIGNAL: JobState.KILLED,
    Ending.LOST: JobState.LOST,
    Ending.WRAPPER: JobState.LOST,
    Ending.REVOKED: JobState.CANCELLED,
    Ending.CANCELLED: JobState.CANCELLED,
    Ending.MEMORY: JobState.KILLED,
    Ending.PREEMPTED: JobState.KILLED,
    Ending.NODE: JobState.LOST,
    Ending.LAUNCH: JobState.LOST,
    Ending.REFUSED: JobState.CANCELLED,
}


def _attempt_row(books: Books, flight: Flight, result: Result) -> dict[str, Any]:
    return {
        "id": flight.attempt_id,
        "state": _ATTEMPT_STATES.get(result.ending, JobState.FAILED).value,
        "open": None,
        "host": result.host or flight.host,
        "pid": result.pid or flight.pid,
        "started": result.started or flight.started,
        "ended": result.ended or books.now,
        "exit_code": result.exit_code,
        "signal": result.signal,
        "outcome": result.ending.value,
        "message": result.message or None,
        "wall_s": result.wall_s,
        "cpu_s": result.cpu_s,
        "max_rss_mb": result.max_rss_mb,
        "leftovers": result.leftovers,
    }


def _publish(books: Books, ended: Sequence[Ended]) -> None:
    """A unit of every output of every job that was ok; one without a file is a mere marker."""
    made: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for flight, result in ended:
        if result.ending is Ending.OK:
            for output in specs.read_spec(books.task(flight.task_id).spec or "").outputs:
                path, size = result.outputs.get(output.dataset_id, (None, 0))
                key = job_key(flight.number)
                row: dict[str, Any] = {"key": key, "path": path, "bytes": size, "events": 0,
                       "content": str(size), "job_id": flight.job_id, "position": flight.number}  # fmt: skip
                made[output.dataset_id][key] = row
    books.load_datasets(made)
    new = [row for dataset_id, rows in made.items() for row in _enter(books, dataset_id, rows)]
    catalog.insert_units(books.conn, new)


def _enter(books: Books, dataset_id: int, rows: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of new units; where a job ran anew, the same ones again, which are changed here."""
    dataset = books.dataset(dataset_id)
    has_units = dataset.available + dataset.lost > 0
    known: dict[str, Unit] = catalog.find_units(books.conn, dataset_id, list(rows)) if has_units else {}
    new = scanning.new_units(books, dataset, [row for key, row in rows.items() if key not in known])
    replaced = [
        {"id": known[key].id, **{k: v for k, v in row.items() if k != "key"}}
        for key, row in rows.items()
        if key in known
    ]
    scanning.replace_units(books, dataset, [known[key] for key in rows if key in known], replaced)
    other = recovery.made_anew(books.conn, {row["job_id"]: row["id"] for row in replaced})
    if other:
        parking.renewed(books, other)
        books.change(dataset_id).reshaped = True
    return new
