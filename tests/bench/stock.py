"""A database full of Meta-Tasks, filled by bulk inserts: most are done, some are in the middle of their work.

A Meta-Task has 100 tasks in three layers: 40 generators, 40 tasks with two inputs of them, 20 with two inputs
of these. One in the middle of its work has the first layer done, the second running, the third waiting; in
`ended` the jobs of half of the second layer come to their end, all at once, as JEDI reports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from deft.base.database import batches, insert_rows, writing
from deft.store import schema
from deft.store.tables import (
    deft_count,
    deft_dataset,
    deft_edge,
    deft_history,
    deft_metatask,
    deft_node,
)
from deft.wire.tables import wire_changed, wire_dataset, wire_input, wire_order, wire_task

TASKS, DATASETS, EDGES = 100, 140, 160
WIDTHS = (40, 40, 20)
ENDING = 20  # tasks of the second layer whose jobs end
AT = datetime(2026, 11, 1, tzinfo=UTC)
DONE, ACTIVE = 0, 1  # the numbers of the two Meta-Tasks that are made by hand; the others are their copies
TOGETHER = 500

Rows = list[dict[str, Any]]


def fill(engine: Engine, tasks: int, active: Sequence[int]) -> None:
    """Make the tables, and so many tasks; the Meta-Tasks with the numbers in `active` are at work."""
    schema.create(engine)
    sa.event.listen(engine, "begin", hurry)
    numbers = sa.Table("bench_number", sa.MetaData(), sa.Column("n", sa.BigInteger))
    with writing(engine) as conn:
        numbers.create(conn)
        for number in (DONE, ACTIVE):
            for table, rows in _by_hand(number).items():
                insert_rows(conn, table, rows)
    chosen = set(active) - {DONE, ACTIVE}
    others = [n for n in range(2, tasks // TASKS) if n not in chosen]
    for template, copies in ((DONE, others), (ACTIVE, sorted(chosen))):
        for part in batches(copies, TOGETHER):
            with writing(engine) as conn:
                conn.execute(sa.delete(numbers))
                insert_rows(conn, numbers, [{"n": n} for n in part])
                for statement in _copies(template, numbers):
                    conn.execute(statement)
    settle(engine)


def settle(engine: Engine) -> None:
    """What a server does by itself when it was filled."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        if engine.dialect.name == "postgresql":
            conn.exec_driver_sql("VACUUM ANALYZE")


def ending(number: int) -> tuple[list[int], list[int]]:
    """The tasks of a Meta-Task whose jobs end, and their datasets."""
    tasks = [number * TASKS + 1 + WIDTHS[0] + n for n in range(ENDING)]
    return tasks, [number * DATASETS + 1 + WIDTHS[0] + n for n in range(ENDING)]


def waiting(number: int) -> list[int]:
    """The tasks of a Meta-Task that wait."""
    first = number * TASKS + 1 + WIDTHS[0] + WIDTHS[1]
    return list(range(first, first + WIDTHS[2]))


def ended(conn: Connection, numbers: Sequence[int]) -> None:
    """What JEDI reports of these Meta-Tasks when the jobs end."""
    tasks = [task for number in numbers for task in ending(number)[0]]
    datasets = [dataset for number in numbers for dataset in ending(number)[1]]
    over = {"idle": 1, "running": 0, "ok": 1, "jobs_running": 0, "jobs_ok": 1, "phase": "idle"}
    task = sa.update(wire_task).where(wire_task.c.task_id == sa.bindparam("b_id")).values(over)
    conn.execute(task, [{"b_id": one} for one in tasks])
    dataset = sa.update(wire_dataset).where(wire_dataset.c.dataset_id == sa.bindparam("b_id"))
    conn.execute(dataset.values(available=1, version=1), [{"b_id": one} for one in datasets])
    insert_rows(conn, wire_changed, [{"task_id": None, "dataset_id": one} for one in datasets])
    insert_rows(conn, wire_changed, [{"task_id": one, "dataset_id": None} for one in tasks])


def hurry(conn: Connection) -> None:
    """A database that is only being filled need not survive anything."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA cache_size=-500000")
    else:
        conn.exec_driver_sql("SET LOCAL synchronous_commit = off")


# --- two Meta-Tasks by hand --------------------------------------------------------------------------------


def _by_hand(number: int) -> dict[sa.Table, Rows]:
    states = ("done", "done", "done") if number == DONE else ("done", "running", "waiting")
    layer = [n for n, width in enumerate(WIDTHS) for _ in range(width)]
    return {
        deft_metatask: [_metatask(number)],
        deft_node: [_node(number, n, layer[n], states[layer[n]]) for n in range(TASKS)],
        deft_dataset: list(_datasets(number, [states[one] for one in layer])),
        deft_edge: list(_edges(number)),
        deft_count: list(_counts(number, states)),
        deft_history: [
            {"metatask_id": number + 1, "node_id": number * TASKS + n + 1, "at": AT, "actor": "system",
             "cause": "ready", "old": "defined", "new": "waiting"}
            for n in range(TASKS)
        ],
        **_reports(number, [states[one] for one in layer]),
    }  # fmt: skip


def _metatask(number: int) -> dict[str, Any]:
    name = f"m{number}"
    return {"id": number + 1, "project": "bench", "name": name, "name_key": f"bench/{name}", "owner": "bench",
            "settings": "{}", "created": AT}  # fmt: skip


def _node(number: int, n: int, layer: int, state: str) -> dict[str, Any]:
    known = int(state != "waiting")
    return {
        "id": number * TASKS + n + 1, "metatask_id": number + 1, "name": f"t{n}", "kind": "task",
        "position": n, "depth": layer, "settings": '{"command": "/bin/true", "resources.walltime_s": 3600}',
        "state": state,
        "complete": 1, "armed": 1, "started": known, "order_seq": known, "changed": AT,
        "done_revision": int(state == "done"),
    }  # fmt: skip


def _datasets(number: int, states: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One of each task, then the implicit inputs of the generators."""
    memberships = {"done": "closed", "running": "open", "waiting": "declared"}
    same = {"metatask_id": number + 1, "type": "data", "format": None}
    for n in range(TASKS):
        yield {**same, "id": number * DATASETS + n + 1, "producer_id": number * TASKS + n + 1,
               "name": f"bench.m.t{n}.{number}", "membership": memberships[states[n]],
               "synthetic": 0}  # fmt: skip
    for n in range(WIDTHS[0]):
        yield {**same, "id": number * DATASETS + TASKS + n + 1, "producer_id": None,
               "name": f"bench.m.i{n}.{number}", "membership": "closed", "synthetic": 1}  # fmt: skip


def _edges(number: int) -> Iterator[dict[str, Any]]:
    first, second = WIDTHS[0], WIDTHS[0] + WIDTHS[1]
    pairs: list[tuple[int | None, int]] = [(None, n) for n in range(first)]
    pairs += [((n + m) % first, first + n) for n in range(WIDTHS[1]) for m in (0, 1)]
    # Of the inputs of the third layer one ends, the other goes on.
    pairs += [(first + n + m, second + n) for n in range(WIDTHS[2]) for m in (0, ENDING)]
    for n, (source, target) in enumerate(pairs):
        dataset = TASKS + target if source is None else source
        yield {
            "id": number * EDGES + n + 1, "metatask_id": number + 1,
            "source_id": None if source is None else number * TASKS + source + 1,
            "target_id": number * TASKS + target + 1, "dataset_id": number * DATASETS + dataset + 1,
            "position": n, "settings": "{}", "role": "primary", "start_kind": "complete",
            "on_growth": "process", "on_loss": "wait", "on_abort": "propagate", "reduce": 1,
        }  # fmt: skip


def _counts(number: int, states: Sequence[str]) -> Iterator[dict[str, Any]]:
    for state in dict.fromkeys(states):
        tasks = sum(width for width, one in zip(WIDTHS, states, strict=True) if one == state)
        yield {"metatask_id": number + 1, "state": state, "tasks": tasks}


def _reports(number: int, states: Sequence[str]) -> dict[sa.Table, Rows]:
    known = [n for n in range(TASKS) if states[n] != "waiting"]
    is_done = [int(state == "done") for state in states]
    inputs = [edge for edge in _edges(number) if edge["target_id"] - number * TASKS - 1 in known]
    made = [(number * DATASETS + n + 1, is_done[n]) for n in known]
    given = [(number * DATASETS + TASKS + n + 1, 1) for n in range(WIDTHS[0])]
    return {
        wire_order: [
            {"task_id": number * TASKS + n + 1, "seq": 1, "kind": "run", "body": "{}", "created": AT,
             "idempotency_key": f"t{number * TASKS + n + 1}-1", "pending": 0, "applied": AT}
            for n in known
        ],
        wire_task: [
            {"task_id": number * TASKS + n + 1, "order_seq_applied": 1, "idle": is_done[n], "jobs": 1,
             "running": 1 - is_done[n], "ok": is_done[n], "jobs_running": 1 - is_done[n],
             "jobs_ok": is_done[n], "phase": "idle" if is_done[n] else "running", "updated": AT}
            for n in known
        ],
        wire_input: [
            {"edge_id": edge["id"], "task_id": edge["target_id"], "dataset_id": edge["dataset_id"],
             "seen_version": 1}
            for edge in inputs
        ],
        wire_dataset: [
            {"dataset_id": one, "available": there, "version": there, "expected": 1}
            for one, there in made + given
        ],
    }  # fmt: skip


# --- and their copies --------------------------------------------------------------------------------------

_STEPS: dict[sa.Table, dict[str, int]] = {
    deft_metatask: {"id": 1},
    deft_node: {"id": TASKS, "metatask_id": 1},
    deft_dataset: {"id": DATASETS, "metatask_id": 1, "producer_id": TASKS},
    deft_edge: {
        "id": EDGES,
        "metatask_id": 1,
        "source_id": TASKS,
        "target_id": TASKS,
        "dataset_id": DATASETS,
    },
    deft_count: {"metatask_id": 1},
    deft_history: {"metatask_id": 1, "node_id": TASKS},
    wire_order: {"task_id": TASKS},
    wire_task: {"task_id": TASKS},
    wire_input: {"edge_id": EDGES, "task_id": TASKS, "dataset_id": DATASETS},
    wire_dataset: {"dataset_id": DATASETS},
}


def _copies(template: int, numbers: sa.Table) -> Iterator[sa.Insert]:
    """For each table: its rows of the template once more for every number, with all ids moved on."""
    n, moved = numbers.c.n, numbers.c.n - template
    text = sa.cast(n, sa.String(20))
    for table, steps in _STEPS.items():
        columns = {name: table.c[name] + step * moved for name, step in steps.items()}
        if table is deft_metatask:
            columns |= {"name": "m" + text, "name_key": "bench/m" + text}
        elif table is deft_dataset:
            columns["name"] = table.c.name + "." + text
        elif table is wire_order:
            columns["idempotency_key"] = "t" + sa.cast(columns["task_id"], sa.String(20)) + "-1"
        numbered = {"id"} if table in (deft_history, wire_order) else set()
        names = [column.name for column in table.c if column.name not in numbered]
        chosen = [columns.get(name, table.c[name]) for name in names]
        key, step = next(iter(steps.items()))
        first = template * step + 1
        which = table.c[key].between(first, first + step - 1)
        source = table.join(numbers, sa.true())
        yield sa.insert(table).from_select(names, sa.select(*chosen).select_from(source).where(which))
