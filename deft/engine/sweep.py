"""The sweep: take the journals, evaluate what they name, to a fixed point. Its cost follows what changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base import faults, journal
from deft.base.again import again
from deft.engine.evaluate import evaluate
from deft.engine.perform import Done
from deft.store import marking
from deft.store.marking import Place
from deft.store.session import Session
from deft.store.tables import deft_dirty
from deft.wire import mailbox
from deft.wire.tables import wire_changed

TOGETHER = 10_000  # tasks of small Meta-Tasks that a full sweep looks at in one transaction


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """`full`: ignore the journals and look at every task that is alive; repairs what a lost message hid."""

    actor: Actor
    full: bool = False


@dataclass(frozen=True, slots=True)
class SweepAnswer:
    """What fired, in order, and how many tasks were looked at."""

    fired: tuple[Done, ...]
    looked_at: int


def sweep(session: Session, request: SweepRequest) -> SweepAnswer:
    """Look at what changed, a share of the journals in each transaction; nothing in one is half done.

    A full one goes on over all tasks that are alive, a transaction for some Meta-Tasks after another, so that
    neither its memory nor its hold on the database grows with their number.
    """
    roles.require(request.actor, "sweep")
    answers = list(_journals(session, all_external=request.full))
    if request.full:
        with session.reading() as conn:
            groups = list(marking.groups_alive(conn, TOGETHER))
        answers += [_pass(session, partial(_alive, metatask_ids=group))[0] for group in groups]
    fired = chain.from_iterable(answer.fired for answer in answers)
    return SweepAnswer(tuple(fired), sum(answer.looked_at for answer in answers))


def _journals(session: Session, *, all_external: bool) -> Iterator[SweepAnswer]:
    """Work the journals off; what is written into them meanwhile waits for the next sweep."""
    more = all_external or _anything(session)
    while more:
        answer, found = _pass(session, partial(_take, all_external=all_external))
        yield answer
        more, all_external = found.more, False


class _Found(NamedTuple):
    """Tasks where something happened, consumers of what they make, and whether the journals hold more."""

    tasks: set[int]
    consumers: Collection[Place] = ()
    more: bool = False


def _pass(session: Session, take: Callable[[Connection], _Found]) -> tuple[SweepAnswer, _Found]:
    """Evaluate the tasks that `take` finds, in the transaction in which it finds them."""
    faults.point("sweep.before-transaction")
    found, fired = again(lambda: _evaluated(session, take))
    faults.point("sweep.after-commit")
    if fired:
        session.jedi_bell.ring()
    faults.point("sweep.after-bell")
    looked_at = found.tasks.union(place.node_id for place in found.consumers)
    return SweepAnswer(tuple(fired), len(looked_at)), found


def _evaluated(session: Session, take: Callable[[Connection], _Found]) -> tuple[_Found, list[Done]]:
    with session.writing() as conn:
        found = take(conn)
        faults.point("sweep.after-journal")
        fired = evaluate(conn, found.tasks, session.clock.now(), consumers=found.consumers)
        faults.point("sweep.before-commit")
    return found, fired


_ANYTHING: sa.Select[tuple[int]] = sa.select(sa.literal_column("1")).where(
    sa.or_(*(sa.exists(sa.select(table.c.id)) for table in (wire_changed, deft_dirty)))
)


def _anything(session: Session) -> bool:
    """Whether a journal holds anything: asked by a reader, so that an idle sweep locks nobody out."""
    with session.reading() as conn:
        return conn.execute(_ANYTHING).first() is not None


def _take(conn: Connection, *, all_external: bool) -> _Found:
    share = journal.share(conn)
    changed = mailbox.take_changed(conn, share)
    tasks, rows = marking.take_dirty(conn, share)
    tasks |= changed.tasks
    more = share in (changed.rows, rows)
    ids = sorted(changed.datasets)
    if ids or all_external:
        marking.list_external(conn, None if all_external else ids)
    if not ids:
        return _Found(tasks, (), more)
    tasks |= marking.producers_of(conn, ids)
    return _Found(tasks, marking.consumers_of_datasets(conn, ids), more)


def _alive(conn: Connection, metatask_ids: Sequence[int]) -> _Found:
    return _Found(marking.live_tasks(conn, metatask_ids))
