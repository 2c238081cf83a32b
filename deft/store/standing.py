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
    for part in batches(metatask_ids, _TOGETHER):
        counts: dict[int, dict[str, int]] = {metatask_id: {} for metatask_id in part}
        for metatask_id, state, tasks in conn.execute(_COUNTS, {"ids": part}):
            counts[metatask_id][state] = tasks
        held = _among(conn, _HELD, part)
        # The rest looks at tasks, and is asked where it can make a difference only.
        still = [one for one, states in counts.items() if State.RUNNING.value not in states]
        waiting = [one for one in still if State.WAITING.value in counts[one]]
        armed = _among(conn, _ARMED, [one for one in still if _NOT_BEGUN.issuperset(counts[one])])
        expecting = _among(conn, _EXPECTING, waiting) | _among(conn, _TO_LOOK_AT, still)
        for metatask_id, states in counts.items():
            state = word(
                states,
                held=metatask_id in held,
                armed=metatask_id in armed,
                expecting=metatask_id in expecting,
            )
            found[metatask_id] = Standing(state, states)
    return found


def _among(conn: Connection, query: sa.Select[int], metatask_ids: Sequence[int]) -> set[int]:
    return set(conn.execute(query, {"ids": metatask_ids}).scalars()) if metatask_ids else set()


_TOGETHER = 5000
_NOT_BEGUN = frozenset({State.DEFINED.value})
_M, _N, _D, _E = deft_metatask.c, deft_node.c, deft_dataset.c, deft_edge.c
_COUNTS = sa.select(deft_count.c.metatask_id, deft_count.c.state, deft_count.c.tasks).where(
    listed(deft_count.c.metatask_id), deft_count.c.tasks > 0
)
_HELD = sa.select(_M.id).where(listed(_M.id), _M.hold == 1)


def _with_a_task(*where: sa.ColumnElement[bool]) -> sa.Select[int]:
    """Meta-Tasks with a task for which this holds; the first one that is found is enough."""
    task = sa.select(_N.id).where(_N.metatask_id == _M.id, *where)
    return sa.select(_M.id).where(listed(_M.id), task.exists())


def _waits() -> sa.ColumnElement[bool]:
    """A task waits for an external dataset that is being listed, or still open."""
    growing = _D.membership.in_((Membership.DECLARED.value, Membership.OPEN.value))
    listing = _D.order_seq != sa.func.coalesce(wire_dataset.c.order_seq_applied, 0)
    source = deft_edge.join(deft_dataset, _D.id == _E.dataset_id).outerjoin(
        wire_dataset, wire_dataset.c.dataset_id == _D.id
    )
    external = sa.select(_E.id).select_from(source).where(_E.target_id == _N.id, _D.producer_id.is_(None))
    return external.where(sa.or_(growing, listing)).correlate(deft_node).exists()


_ARMED = _with_a_task(_N.armed == 1)
_EXPECTING = _with_a_task(_N.state == State.WAITING.value, _N.hold == 0, _waits())
# With a task in the journal, which the next sweep may move; the journal is short.
_TO_LOOK_AT = (
    sa.select(_N.metatask_id)
    .select_from(deft_dirty.join(deft_node, _N.id == deft_dirty.c.node_id))
    .where(listed(_N.metatask_id), _N.hold == 0)
    .distinct()
)
