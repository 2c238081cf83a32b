"""What follows from tasks: all that consume their outputs, directly or through others."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches
from deft.store.tables import deft_edge, deft_node


def descendants(conn: Connection, node_ids: Sequence[int]) -> set[int]:
    """The tasks below these (not among them, unless below another): one statement a level."""
    found: set[int] = set()
    level = list(node_ids)
    while level:
        below = _consumers(conn, level) - found
        found |= below
        level = sorted(below)
    return found


def _consumers(conn: Connection, node_ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for part in batches(node_ids):
        source = deft_edge.join(deft_node, deft_node.c.id == deft_edge.c.target_id)
        query = sa.select(deft_edge.c.target_id).select_from(source)
        found.update(
            conn.execute(query.where(deft_edge.c.source_id.in_(part), deft_node.c.kind == "task")).scalars()
        )
    return found
