"""What lies above and below tasks in the graph, directly or through others."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.idlists import listed
from deft.model.tasks import State
from deft.store.tables import deft_edge, deft_node

Way = Literal["down", "up", "up to done"]
"""Along the edges or against them; the last stops before tasks that are done."""


def descendants(conn: Connection, node_ids: Collection[int]) -> set[int]:
    """The tasks below these (not among them, unless below another)."""
    return reached(conn, node_ids, "down")


def reached(conn: Connection, node_ids: Collection[int], way: Way) -> set[int]:
    """The tasks that a path of at least one edge leads to."""
    if conn.dialect.name == "oracle":
        # Its recursion forgets nothing it has met: it would walk every path there is.
        return by_levels(conn, node_ids, way)
    return set(conn.execute(_recursive(way), {"ids": node_ids}).scalars())


def by_levels(conn: Connection, node_ids: Collection[int], way: Way) -> set[int]:
    """The same, by one statement a level."""
    found: set[int] = set()
    level = set(node_ids)
    while level:
        level = set(conn.execute(_next(way), {"ids": level}).scalars()) - found
        found |= level
    return found


@cache
def _next(way: Way) -> sa.Select[int]:
    here, query = _step(way)
    return query.where(listed(here))


@cache
def _recursive(way: Way) -> sa.Select[int]:
    here, query = _step(way)
    begin = query.where(listed(here)).cte(recursive=True)
    found = begin.union(query.join(begin, begin.c.id == here))
    return sa.select(found.c.id)


def _step(way: Way) -> tuple[sa.ColumnElement[int], sa.Select[int]]:
    """The near end of an edge, and the tasks at the far one."""
    here, there = deft_edge.c.source_id, deft_edge.c.target_id
    if way != "down":
        here, there = there, here
    query = sa.select(deft_node.c.id).join(deft_edge, there == deft_node.c.id)
    query = query.where(deft_node.c.kind == "task")
    return here, query if way != "up to done" else query.where(deft_node.c.state != State.DONE.value)
