"""Where a Meta-Task stands, in one word: derived from its counters, its hold and what can still move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches
from deft.base.idlists import listed
from deft.model.standing import word
from deft.model.tasks import Membership, State
from deft.store.tables import deft_count, deft_dataset, deft_dirty, deft_edge, deft_metatask, deft_node
from deft.wire.tables import wire_dataset


@dataclass(frozen=True, slots=True)
class Standing:
    """A Meta-Task's state and how many of its tasks are in which."""

    state: str
    counts: Mapping[str, int]


def of(conn: Connection, metatask_ids: Sequence[int]) -> dict[int, Standing]:
    """The standing of Meta-Tasks, in a few statements for any number of them."""
    found: dict[int, Standing] = {}
    for part in batches(metatask_ids):
        counts: dict[int, dict[str, int]] = {metatask_id: {} for metatask_id in part}
        for row in conn.execute(_COUNTS, {"ids": part}).all():
            counts[row.metatask_id][row.state] = row.tasks
        held = set(conn.execute(_HELD, {"ids": part}).scalars())
        # The rest costs a look at every task, and says nothing new of those that run.
        still = [one for one, states in counts.items() if State.RUNNING.value not in states]
        armed = _ids(conn, _tasks(still).where(deft_node.c.armed == 1)) if still else set()
        expecting = _ids(conn, _expecting(still)) | _ids(conn, _to_look_at(still)) if still else set()
        for metatask_id, states in counts.items():
            state = word(
                states,
                held=metatask_id in held,
                armed=metatask_id in armed,
                expecting=metatask_id in expecting,
            )
            found[metatask_id] = Standing(state, states)
    return found


_COUNTS = sa.select(deft_count).where(listed(deft_count.c.metatask_id), deft_count.c.tasks > 0)
_HELD = sa.select(deft_metatask.c.id).where(listed(deft_metatask.c.id), deft_metatask.c.hold == 1)


def _ids(conn: Connection, query: sa.Select[int]) -> set[int]:
    return set(conn.execute(query).scalars())


def _tasks(metatask_ids: Sequence[int]) -> sa.Select[int]:
    return sa.select(deft_node.c.metatask_id).where(deft_node.c.metatask_id.in_(metatask_ids)).distinct()


def _expecting(metatask_ids: Sequence[int]) -> sa.Select[int]:
    """Meta-Tasks in which a task waits for an external dataset that is being listed, or still open."""
    d = deft_dataset.c
    growing = d.membership.in_((Membership.DECLARED.value, Membership.OPEN.value))
    listing = d.order_seq != sa.func.coalesce(wire_dataset.c.order_seq_applied, 0)
    external = (d.producer_id.is_(None), sa.or_(growing, listing))
    source = deft_edge.join(deft_dataset, d.id == deft_edge.c.dataset_id).outerjoin(
        wire_dataset, wire_dataset.c.dataset_id == d.id
    )
    waits = sa.exists().select_from(source).where(deft_edge.c.target_id == deft_node.c.id, *external)
    waiting = (deft_node.c.state == State.WAITING.value, deft_node.c.hold == 0)
    return _tasks(metatask_ids).where(*waiting, waits.correlate(deft_node))


def _to_look_at(metatask_ids: Sequence[int]) -> sa.Select[int]:
    """Meta-Tasks with a task in the journal: the next sweep may move it."""
    return _tasks(metatask_ids).where(
        deft_node.c.id.in_(sa.select(deft_dirty.c.node_id)), deft_node.c.hold == 0
    )
