"""What a sweep changes, written by hand for the driver: no guard, no order, the tasks are known beforehand.

For tasks whose jobs ended: their rows, their history, their outputs, the counters and the journal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

from tests.bench import stock

_NEWEST = (
    "SELECT max(d.revision) FROM deft_edge e JOIN deft_dataset d ON d.id = e.dataset_id "
    "WHERE e.target_id = deft_node.id"
)
_DONE = f"state = 'done', changed = ?, reason = NULL, finish = 0, abort = 0, done_revision = ({_NEWEST})"
_HISTORY = "INSERT INTO deft_history (metatask_id, node_id, at, actor, cause, old, new) "
_WORDS = "'system', 'finalize-done', 'running', 'done'"
_LISTED = {
    "sqlite": "IN (SELECT value FROM json_each(?))",
    "postgresql": "IN (SELECT unnest(?::bigint[]))",
}


def row_by_row(conn: Connection, group: Sequence[int]) -> int:
    """With `executemany`, a row a time. Returns how many tasks changed."""
    (tasks, datasets), at = _ended(group), _at(conn)
    update = f"UPDATE deft_node SET {_DONE} WHERE id = ? AND state = 'running'"
    changed = _many(conn, update, [(at, task) for task in tasks])
    history = f"{_HISTORY} VALUES (?, ?, ?, {_WORDS})"
    _many(conn, history, [((task - 1) // stock.TASKS + 1, task, at) for task in tasks])
    _many(conn, "UPDATE deft_dataset SET membership = 'closed' WHERE id = ?", [(one,) for one in datasets])
    _count(conn, group)
    _look_at(conn)
    return changed


def by_sets(conn: Connection, group: Sequence[int]) -> int:
    """With one statement for all of them. Returns how many tasks changed."""
    (tasks, datasets), at = _ended(group), _at(conn)
    among = _LISTED[conn.dialect.name]
    update = f"UPDATE deft_node SET {_DONE} WHERE id {among} AND state = 'running'"
    changed = _one(conn, update, at, _list(conn, tasks))
    history = f"{_HISTORY} SELECT metatask_id, id, ?, {_WORDS} FROM deft_node WHERE id {among}"
    _one(conn, history, at, _list(conn, tasks))
    _one(conn, f"UPDATE deft_dataset SET membership = 'closed' WHERE id {among}", _list(conn, datasets))
    _count(conn, group)
    _look_at(conn)
    return changed


def updated(conn: Connection, group: Sequence[int]) -> int:
    """Only the rows of the tasks that wait, with `executemany`, and no history. Returns how many changed."""
    tasks, at = [task for number in group for task in stock.waiting(number)], _at(conn)
    update = "UPDATE deft_node SET state = ?, changed = ?, reason = NULL WHERE id = ? AND state = ?"
    return _many(conn, update, [("defined", at, task, "waiting") for task in tasks])


def _ended(group: Sequence[int]) -> tuple[list[int], list[int]]:
    found = [stock.ending(number) for number in group]
    return [task for tasks, _ in found for task in tasks], [one for _, datasets in found for one in datasets]


def _count(conn: Connection, group: Sequence[int]) -> None:
    moved = [(by, number + 1, state) for by, state in ((-1, "running"), (1, "done")) for number in group]
    update = "UPDATE deft_count SET tasks = tasks + ? WHERE metatask_id = ? AND state = ?"
    _many(conn, update, [(by * stock.ENDING, metatask, state) for by, metatask, state in moved])


def _look_at(conn: Connection) -> None:
    """Read the journal and empty it."""
    rows = conn.exec_driver_sql("SELECT id, task_id, dataset_id FROM wire_changed").all()
    delete = f"DELETE FROM wire_changed WHERE id {_LISTED[conn.dialect.name]}"
    _one(conn, delete, _list(conn, [row[0] for row in rows]))


def _at(conn: Connection) -> object:
    return stock.AT.isoformat(" ") if conn.dialect.name == "sqlite" else stock.AT


def _list(conn: Connection, ids: Sequence[int]) -> object:
    return json.dumps(ids) if conn.dialect.name == "sqlite" else list(ids)


def _one(conn: Connection, statement: str, *values: object) -> int:
    cursor: Any = conn.connection.cursor()
    cursor.execute(_for(conn, statement), values)
    return int(cursor.rowcount)


def _many(conn: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
    cursor: Any = conn.connection.cursor()
    cursor.executemany(_for(conn, statement), rows)
    return int(cursor.rowcount)


def _for(conn: Connection, statement: str) -> str:
    return statement if conn.dialect.name == "sqlite" else statement.replace("?", "%s")
