"""Hold whole Meta-Tasks for one transaction: verbs, reports and evaluations of one come after one another."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches
from deft.store.tables import deft_metatask, deft_node


def lock(conn: Connection, metatask_ids: Sequence[int]) -> None:
    """Hold Meta-Tasks for this transaction, so that one evaluation of each runs at a time.

    SQLite has one writer at a time anyway.
    """
    if conn.dialect.name != "sqlite":
        for part in batches(sorted(metatask_ids)):
            rows = (
                sa.select(deft_metatask.c.id).where(deft_metatask.c.id.in_(part)).order_by(deft_metatask.c.id)
            )
            conn.execute(rows.with_for_update()).all()


def lock_of(conn: Connection, node_ids: Sequence[int]) -> None:
    """The same for the Meta-Tasks that tasks belong to."""
    if conn.dialect.name != "sqlite":
        found: set[int] = set()
        for part in batches(node_ids):
            query = sa.select(deft_node.c.metatask_id).where(deft_node.c.id.in_(part)).distinct()
            found.update(conn.execute(query).scalars())
        lock(conn, sorted(found))
