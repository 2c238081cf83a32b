"""A table of hints that several processes work off together: whoever takes rows of it deletes them.

Rows that somebody else has taken and not committed yet are passed over (SKIP LOCKED), so that nobody waits
for another and nobody does the same; where the other one fails, they are there again. SQLite has one writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from deft.base.idlists import listed

SHARE, SHARE_ALONE = 2_000, 10_000


def share(conn: Connection) -> int:
    """Rows that one transaction takes, so that others find something to do; more where nobody else writes."""
    return SHARE_ALONE if conn.dialect.name == "sqlite" else SHARE


class Journal:
    """A table with an ascending `id`; rows are taken oldest first."""

    def __init__(self, table: sa.Table) -> None:
        key = table.c.id
        at_most: sa.BindParameter[int] = sa.bindparam("at_most", type_=sa.Integer())
        self._oldest = sa.select(table).order_by(key).limit(at_most).with_for_update(skip_locked=True)
        # Oracle locks no rows of a query that says how many it wants (ORA-02014).
        window = sa.select(key).order_by(key).limit(at_most)
        within = sa.select(table).where(key.in_(window)).order_by(key)
        self._within = within.with_for_update(skip_locked=True)
        self._delete = sa.delete(table).where(listed(key))

    def take(self, conn: Connection, at_most: int) -> Sequence[Row[Any]]:
        """Up to `at_most` rows, deleted in the caller's transaction.

        Exactly the rows read are deleted: one that a slower transaction commits later keeps its turn.
        """
        query = self._within if conn.dialect.name == "oracle" else self._oldest
        rows = conn.execute(query, {"at_most": at_most}).all()
        if rows:
            conn.execute(self._delete, {"ids": [row.id for row in rows]})
        return rows
