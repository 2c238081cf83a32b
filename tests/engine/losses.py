"""The verbs about data as tests give them: losses that JEDI reports, and a JEDI that answers by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from deft.access.roles import Actor
from deft.base.clock import ManualClock
from deft.base.database import reading, writing
from deft.engine import recover
from deft.engine.answers import Patience
from deft.engine.recover import RecoverRequest
from deft.store.session import Session
from deft.store.tables import deft_dataset, deft_edge
from deft.wire import mailbox
from deft.wire.reports import DatasetReport, TaskReport
from deft.wire.tables import wire_dataset, wire_order
from tests.support.build import OPERATOR, World, metatask


def done_chain(session: Session, **tasks: str) -> World:
    """A chain whose tasks are all done, with two units each."""
    world = World.of(session, metatask(**(tasks or {"a": "", "b": "a", "c": "b"})))
    for task in tasks or ("a", "b", "c"):
        world.report(task, ok=2)
        world.sweep()
    assert set(world.states().values()) == {"done"}
    return world


def lose(world: World, task: str, units: int = 1) -> None:
    """JEDI reports that units of what a task made are gone."""
    with writing(world.session.engine) as conn:
        d, w = deft_dataset.c, wire_dataset.c
        for one in conn.execute(sa.select(d.id).where(d.producer_id == world.node(conn, task))).scalars():
            old = conn.execute(sa.select(w.available, w.version).where(w.dataset_id == one)).one()
            told = DatasetReport(one, available=old.available - units, lost=units, version=old.version + 1)
            mailbox.report_datasets(conn, [told])
            for reader in conn.execute(sa.select(deft_edge.c.target_id).where(deft_edge.c.dataset_id == one)):
                _see(world, conn, reader.target_id)


def _see(world: World, conn: sa.Connection, node: int) -> None:
    """JEDI reports a task anew: it has seen the newest version of its inputs."""
    inputs = tuple(world._input(conn, node, edge, 0, 0) for edge in world._edges(conn, node))
    seq = world._applied(conn, node, [])
    mailbox.report_tasks(conn, [TaskReport(node, seq, True, ok=2, inputs=inputs)], ManualClock().now())


def do(world: World, task: str = "", **options: Any) -> recover.RecoverAnswer:
    selection = f"{world.name}/{task}" if task else world.name
    return recover.recover(world.session, RecoverRequest(OPERATOR, selection, **options))


def last_order(world: World, task: str) -> dict[str, Any]:
    with reading(world.session.engine) as conn:
        query = sa.select(wire_order.c.body).where(wire_order.c.task_id == world.node(conn, task))
        found = conn.execute(query.order_by(wire_order.c.seq.desc())).scalars().first()
    return dict(json.loads(found or "{}"))


def answering(told: Callable[[Any], dict[str, Any]]) -> Patience:
    """A JEDI that answers every order that waits."""

    def serve(session: Session, _actor: Actor) -> None:
        with writing(session.engine) as conn:
            for order in mailbox.pending(conn):
                mailbox.answer(conn, order.id, told(order), session.clock.now())
                mailbox.acknowledge(conn, [order.id], session.clock.now())

    return Patience(1.0, serve)


NOBODY = Patience(0.1, lambda *_: None)
