"""A Meta-Task of many jobs, done, in all rooms: filled by bulk inserts beside the others of a database.

Each of its tasks makes its units from a generator of as many numbers; a job is one unit, one attempt and one
file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base.database import insert_rows, writing
from deft.jedi.tables import (
    jedi_attempt,
    jedi_dataset,
    jedi_input,
    jedi_job,
    jedi_job_unit,
    jedi_task,
    jedi_unit,
)
from deft.store.tables import (
    deft_count,
    deft_dataset,
    deft_edge,
    deft_history,
    deft_metatask,
    deft_node,
)
from deft.wire.tables import wire_dataset, wire_input, wire_order, wire_task
from tests.bench.stock import AT, hurry

FIRST = 50_000_000  # ids far from those of the others
TOGETHER = 20_000
Row = dict[str, Any]


def fill(engine: Engine, name: str, tasks: int, jobs: int, first: int = FIRST) -> None:
    """One Meta-Task of so many tasks with so many jobs each; its ids begin at `first`."""
    sa.event.listen(engine, "begin", hurry)
    with writing(engine) as conn:
        for table, rows in _graph(name, tasks, jobs, first).items():
            for start in range(0, len(rows), TOGETHER):
                insert_rows(conn, table, rows[start : start + TOGETHER])
    for task in range(tasks):
        for start in range(0, jobs, TOGETHER):
            with writing(engine) as conn:
                for table, rows in _jobs(name, task, tasks, jobs, start, first):
                    insert_rows(conn, table, rows)
    sa.event.remove(engine, "begin", hurry)


def _graph(name: str, tasks: int, jobs: int, first: int) -> dict[sa.Table, list[Row]]:
    """Of each task: its row, the dataset it makes, the numbers it is given."""
    ids = [(n, first + n) for n in range(tasks)]
    about = {"metatask_id": first}
    steps = (("ready", "defined", "waiting"), ("start", "waiting", "running"),
             ("finalize-done", "running", "done"))  # fmt: skip
    return {
        deft_metatask: [
            {"id": first, "project": "bench", "name": name, "name_key": f"bench/{name}", "owner": "bench",
             "settings": "{}", "created": AT}
        ],
        deft_node: [
            {"id": task, "name": f"t{n}", "kind": "task", "position": n, "depth": 0, "state": "done",
             "settings": '{"command": "/bin/true"}', "complete": 1, "armed": 1, "started": 1, "order_seq": 1,
             "done_revision": 1, "changed": AT, **about}
            for n, task in ids
        ],
        deft_dataset: [
            {"id": one, "name": f"bench.{name}.t{n}.{one}", "type": "data", "membership": "closed",
             "producer_id": None if one % 2 else first + n, "synthetic": jobs * (one % 2), **about}
            for n, one in _datasets(tasks, first)
        ],
        deft_edge: [
            {"id": task, "source_id": None, "target_id": task, "dataset_id": first + 2 * n + 1,
             "position": -1, "settings": "{}", "role": "primary", "start_kind": "complete",
             "on_growth": "process", "on_loss": "wait", "on_abort": "propagate", **about}
            for n, task in ids
        ],
        deft_count: [{"state": "done", "tasks": tasks, **about}],
        deft_history: [
            {"node_id": task, "at": AT, "actor": "system", "cause": cause, "old": old, "new": new, **about}
            for _, task in ids
            for cause, old, new in steps
        ],
        **_reports(name, ids, jobs, first),
    }  # fmt: skip


def _datasets(tasks: int, first: int) -> list[tuple[int, int]]:
    """The number of a task and the id of a dataset: what it makes, then (an odd id) what it is given."""
    return [(n, first + 2 * n + odd) for n in range(tasks) for odd in (0, 1)]


def _reports(name: str, ids: list[tuple[int, int]], jobs: int, first: int) -> dict[sa.Table, list[Row]]:
    """What was ordered, what JEDI keeps, and what it reports."""
    given = {"available": jobs, "expected": jobs, "version": 1}
    counted = {"ok": jobs, "jobs": jobs, "jobs_ok": jobs, "idle": 1, "phase": "idle"}
    edges = [(task, first + 2 * n + 1) for n, task in ids]
    datasets = _datasets(len(ids), first)
    return {
        wire_order: [
            {"task_id": task, "seq": 1, "kind": "run", "idempotency_key": f"t{task}-1", "body": "{}",
             "created": AT, "pending": 0, "applied": AT}
            for _, task in ids
        ],
        wire_task: [{"task_id": task, "order_seq_applied": 1, "updated": AT, **counted} for _, task in ids],
        wire_input: [
            {"edge_id": task, "task_id": task, "dataset_id": numbers, "seen_version": 1}
            for task, numbers in edges
        ],
        wire_dataset: [{"dataset_id": one, **given} for _, one in datasets],
        jedi_dataset: [
            {"id": one, "name": f"bench.{name}.t{n}.{one}", "task_id": None if one % 2 else first + n,
             "synthetic": one % 2, **given}
            for n, one in datasets
        ],
        jedi_task: [
            {"id": task, "project": "bench", "metatask": name, "name": f"t{n}", "spec": "{}", "order_seq": 1,
             "last_number": jobs, **counted}
            for n, task in ids
        ],
        jedi_input: [
            {"edge_id": task, "task_id": task, "dataset_id": numbers, "role": "primary", "closed": 1}
            for task, numbers in edges
        ],
    }  # fmt: skip


def _jobs(
    name: str, task: int, tasks: int, jobs: int, start: int, first: int
) -> Iterator[tuple[sa.Table, list[Row]]]:
    """Some jobs of one task."""
    numbers = range(start, min(start + TOGETHER, jobs))
    ids = [(n + 1, first + task * jobs + n) for n in numbers]
    node, made, given = first + task, first + 2 * task, first + 2 * task + 1
    folder = f"/scratch/deft/jobs/bench.{name}/t{task}"
    yield jedi_job, [
        {"id": job, "task_id": node, "number": n, "state": "ok", "units": 1, "attempts": 1, "charged": 1,
         "created": AT}
        for n, job in ids
    ]  # fmt: skip
    yield jedi_unit, [
        {"id": job + by, "dataset_id": dataset, "key": f"{n:06d}", "state": "available", "position": n,
         "job_id": maker and job, "path": maker and f"/scratch/deft/data/bench.{name}.t{task}.{made}/{n:06d}"}
        for by, dataset, maker in ((0, made, 1), (tasks * jobs, given, None))
        for n, job in ids
    ]  # fmt: skip
    yield jedi_job_unit, [
        {"edge_id": node, "unit_id": job + tasks * jobs, "task_id": node, "job_id": job, "state": "ok",
         "attempts": 1, "position": n}
        for n, job in ids
    ]  # fmt: skip
    yield jedi_attempt, [
        {"id": job, "job_id": job, "number": 1, "token": f"{job:024x}", "state": "ok", "backend": "local",
         "folder": f"{folder}/{n:06d}/1", "host": "node1.example.org", "pid": 4711, "submitted": AT,
         "started": AT, "ended": AT, "exit_code": 0, "signal": 0, "outcome": "ok", "wall_s": 12.345678,
         "cpu_s": 11.234567, "max_rss_mb": 123.4, "leftovers": 0}
        for n, job in ids
    ]  # fmt: skip
