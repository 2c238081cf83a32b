"""Hold whole Meta-Tasks for one transaction: verbs, reports and evaluations of one come after one another."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.idlists import listed
from deft.store.tables import deft_metatask, deft_node


def lock(conn: Connection, metatask_ids: Sequence[int]) -> None:
    """Hold Meta-Tasks for this transaction, so that one evaluation of each runs at a time.

    SQLite has one writer at a time anyway.
    """
    if conn.dialect.name != "sqlite":
        conn.execute(_LOCK, {"ids": metatask_ids}).all()


def lock_of(conn: Connection, node_ids: Sequence[int]) -> None:
    """The same for the Meta-Tasks that tasks belong to."""
    if conn.dialect.name != "sqlite":
        lock(conn, sorted(conn.execute(_OF, {"ids": node_ids}).scalars()))


_OF = sa.select(deft_node.c.metatask_id).where(listed(deft_node.c.id)).distinct()
# In one order everywhere, so that two of them cannot wait for each other.
_LOCK = (
    sa.select(deft_metatask.c.id)
    .where(listed(deft_metatask.c.id))
    .order_by(deft_metatask.c.id)
    .with_for_update()
)
