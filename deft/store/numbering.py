"""Tasks get numbers that no task had before: the names of data hold them, and outlive the rows.

PostgreSQL and Oracle count by themselves. SQLite gives the largest number there is and one more, so the
largest that was deleted stands in the head of the file, as its `user_version`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import insert_rows
from deft.store.tables import deft_node


def insert(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert nodes in their order."""
    if rows and conn.dialect.name == "sqlite" and (deleted := _deleted(conn)) > _largest(conn):
        # The next ones follow the first.
        conn.execute(sa.insert(deft_node), {**rows[0], "id": deleted + 1})
        rows = rows[1:]
    insert_rows(conn, deft_node, rows)


def keep(conn: Connection) -> None:
    """Remember the largest number there is, before it may be deleted; part of that transaction."""
    if conn.dialect.name == "sqlite" and (largest := _largest(conn)) > _deleted(conn):
        conn.exec_driver_sql(f"PRAGMA user_version = {largest}")


def _largest(conn: Connection) -> int:
    return conn.execute(sa.select(sa.func.max(deft_node.c.id))).scalar() or 0


def _deleted(conn: Connection) -> int:
    return int(conn.exec_driver_sql("PRAGMA user_version").scalar_one())
