"""Builders for tests: small Meta-Tasks, a session on a fresh database, and JEDI's part played by hand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from deft.access.roles import Actor, Role
from deft.base.clock import ManualClock
from deft.base.config import Settings
from deft.base.database import reading, writing
from deft.engine.controls import ControlAnswer, ControlRequest, control
from deft.engine.sweep import SweepAnswer, SweepRequest, sweep
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, NodeKind, Task
from deft.store import graphs
from deft.store.session import Session
from deft.store.tables import deft_dataset, deft_edge, deft_metatask, deft_node
from deft.wire import mailbox
from deft.wire.hints import SilentBell
from deft.wire.orders import Order, OrderKind
from deft.wire.reports import DatasetReport, InputReport, TaskReport
from deft.wire.tables import wire_dataset, wire_order, wire_task

OPERATOR = Actor("ann@test", Role.ADMIN)


def metatask(name: str = "m", **tasks: str) -> MetaTask:
    """A Meta-Task of tasks given as name="inputs": `metatask(a="", b="a", c="a b")`; every one has a command.

    A name that starts with `entry` is an entry with a source.
    """
    made = MetaTask(name)
    for task in tasks:
        entry = task.startswith("entry")
        made.add(Task(task, NodeKind.ENTRY if entry else NodeKind.TASK, {} if entry else {"command": "true"}))
    for task, sources in tasks.items():
        for source in sources.split():
            settings: dict[str, Value] = {"source": "/nowhere/*.dat"} if source.startswith("entry") else {}
            made.join(Edge(source, task, settings))
    return made


def with_edge(made: MetaTask, source: str, target: str, **settings: Value) -> MetaTask:
    """The same with the settings of an edge changed."""
    found = made.graph.edges[source, target, next(iter(made.graph[source][target]))]
    found["edge"] = replace(found["edge"], settings={**found["edge"].settings, **settings})
    return made


def with_task(made: MetaTask, name: str, settings: Mapping[str, Value]) -> MetaTask:
    """The same with the settings of a task changed."""
    task = made.task(name)
    made.graph.nodes[name]["task"] = replace(task, settings={**task.settings, **settings})
    return made


def session_on(engine: Engine, workdir: Path) -> Session:
    """A session without hints, on a clock that stands still."""
    return Session(engine, ManualClock(), Settings(workdir), SilentBell(), SilentBell())


@dataclass
class World:
    """One stored Meta-Task, the verbs on it, and JEDI's reports written by hand."""

    session: Session
    metatask_id: int
    name: str

    @staticmethod
    def of(session: Session, made: MetaTask, *, start: bool = True) -> World:
        """Store a Meta-Task, and start it."""
        with session.writing() as conn:
            metatask_id = graphs.save(conn, made, owner=OPERATOR.name, now=session.clock.now())
        world = World(session, metatask_id, made.name)
        if start:
            world.do("start")
            world.sweep()
        return world

    def do(self, verb: str, task: str = "", **options: Any) -> ControlAnswer:
        """An operator's verb on the Meta-Task or on some of its tasks."""
        selection = f"{self.name}/{task}" if task else self.name
        return control(self.session, ControlRequest(OPERATOR, verb, selection, **options))

    def sweep(self, *, full: bool = False) -> SweepAnswer:
        """One pass."""
        return sweep(self.session, SweepRequest(OPERATOR, full))

    def states(self) -> dict[str, str]:
        """The state of every task."""
        with reading(self.session.engine) as conn:
            n = deft_node.c
            rows = conn.execute(
                sa.select(n.name, n.state).where(n.metatask_id == self.metatask_id, n.kind == "task")
            )
            return {row.name: row.state for row in rows}

    def orders(self, task: str) -> list[str]:
        """The kinds of the orders given about a task, oldest first."""
        with reading(self.session.engine) as conn:
            query = sa.select(wire_order.c.kind).where(wire_order.c.task_id == self.node(conn, task))
            return list(conn.execute(query.order_by(wire_order.c.seq)).scalars())

    def node(self, conn: Connection, task: str) -> int:
        """The id of a task."""
        n = deft_node.c
        found = sa.select(n.id).where(n.metatask_id == self.metatask_id, n.name == task)
        return int(conn.execute(found).scalar_one())

    def membership(self, task: str) -> list[str]:
        """The membership of a task's outputs."""
        with reading(self.session.engine) as conn:
            d = deft_dataset.c
            query = sa.select(d.membership).where(d.producer_id == self.node(conn, task)).order_by(d.id)
            return list(conn.execute(query).scalars())

    # --- JEDI's part ---

    def list_external(self, available: int, version: int = 1) -> None:
        """Every listing that was ordered is reported."""
        with writing(self.session.engine) as conn:
            scans = [order for order in mailbox.pending(conn) if order.kind is OrderKind.SCAN]
            reports = [
                DatasetReport(order.dataset_id or 0, order.seq, available, version=version) for order in scans
            ]
            mailbox.report_datasets(conn, reports)
            mailbox.acknowledge(conn, [order.id for order in scans], self.session.clock.now())

    def report(
        self, task: str, *, ok: int = 0, failed: int = 0, skipped: int = 0, ready: int = 0, running: int = 0,
        unfed: int = 0, missing: int = 0, idle: bool = True, rejected: bool = False,
        reason: str | None = None, made: int | None = None,
    ) -> None:  # fmt: skip
        """JEDI applied every order of a task and reports it; `made` units in each output (default: `ok`)."""
        now = self.session.clock.now()
        with writing(self.session.engine) as conn:
            node = self.node(conn, task)
            orders = [order for order in mailbox.pending(conn) if order.task_id == node]
            mailbox.acknowledge(conn, [order.id for order in orders], now)
            inputs = tuple(self._input(conn, node, edge, unfed, missing) for edge in self._edges(conn, node))
            self._outputs(conn, node, ok if made is None else made)
            seq = self._applied(conn, node, orders)
            told = TaskReport(
                node, seq, idle, rejected, ready, running, ok, failed, skipped, reason=reason, inputs=inputs
            )
            mailbox.report_tasks(conn, [told], now)

    def _applied(self, conn: Connection, node: int, orders: list[Order]) -> int:
        before = conn.execute(
            sa.select(wire_task.c.order_seq_applied).where(wire_task.c.task_id == node)
        ).scalar()
        return max([order.seq for order in orders], default=before or 0)

    def _edges(self, conn: Connection, node: int) -> list[tuple[int, int]]:
        e = deft_edge.c
        return [
            (row.id, row.dataset_id)
            for row in conn.execute(sa.select(e.id, e.dataset_id).where(e.target_id == node))
        ]

    def _input(
        self, conn: Connection, node: int, edge: tuple[int, int], unfed: int, missing: int
    ) -> InputReport:
        version = sa.select(wire_dataset.c.version).where(wire_dataset.c.dataset_id == edge[1])
        seen = conn.execute(version).scalar() or 0
        return InputReport(edge[0], node, edge[1], unfed, missing, seen)

    def _outputs(self, conn: Connection, node: int, made: int) -> None:
        d, w = deft_dataset.c, wire_dataset.c
        for dataset_id in conn.execute(sa.select(d.id).where(d.producer_id == node)).scalars().all():
            old = conn.execute(sa.select(w.available, w.version).where(w.dataset_id == dataset_id)).first()
            if old is None or old.available != made:
                version = 1 if old is None else old.version + 1
                mailbox.report_datasets(conn, [DatasetReport(dataset_id, available=made, version=version)])


def randomize(conn: Connection, draw: random.Random) -> None:
    """Overwrite every token of every task with a random value: markings no run would ever reach, too."""
    for node in conn.execute(sa.select(deft_node.c.id)).scalars().all():
        flags = ("armed", "hold", "force", "finish", "abort", "started", "allow_empty", "complete")
        values: dict[str, object] = {name: draw.randint(0, 1) for name in flags}
        values |= {"done_revision": draw.randint(0, 2), "order_seq": draw.randint(0, 2)}
        values |= {"state": draw.choice(_STATES), "goal": draw.choice([0.5, 1.0])}
        conn.execute(sa.update(deft_node).where(deft_node.c.id == node).values(values))
        if draw.random() < 0.8:
            counters = ("ready", "running", "ok", "failed", "skipped")
            report: dict[str, Any] = {name: max(0, draw.randint(-2, 2)) for name in counters}
            told = TaskReport(
                node, draw.randint(0, 2), bool(draw.randint(0, 1)), draw.random() < 0.2, **report
            )
            mailbox.report_tasks(conn, [told], ManualClock().now())
    conn.execute(sa.update(deft_metatask).values(hold=int(draw.random() < 0.2)))
    _randomize_data(conn, draw)


def _randomize_data(conn: Connection, draw: random.Random) -> None:
    for dataset in conn.execute(sa.select(deft_dataset.c.id)).scalars().all():
        values = {"membership": draw.choice(["declared", "open", "closed", "closed", "closed", "retired"])}
        conn.execute(sa.update(deft_dataset).where(deft_dataset.c.id == dataset).values(values))
        if draw.random() < 0.8:
            told = DatasetReport(
                dataset, 0, draw.randint(0, 3), draw.randint(0, 1), draw.randint(0, 3), version=1
            )
            mailbox.report_datasets(conn, [told])
    for edge in conn.execute(sa.select(deft_edge)).all():
        policies = {
            "role": draw.choice(["primary", "primary", "secondary"]),
            "start_kind": draw.choice(["complete", "count", "percent"]),
            "start_amount": draw.choice([1, 2, 50]),
            "on_growth": draw.choice(["process", "ask", "ignore"]),
            "on_loss": draw.choice(["wait", "proceed"]),
            "on_abort": draw.choice(["propagate", "use_partial"]),
            "reduce": draw.randint(0, 1),
        }
        conn.execute(sa.update(deft_edge).where(deft_edge.c.id == edge.id).values(policies))
        if draw.random() < 0.8:
            unfed, missing, seen = (draw.randint(0, 1) for _ in range(3))
            seen_by = InputReport(edge.id, edge.target_id, edge.dataset_id, unfed, missing, seen)
            report = TaskReport(edge.target_id, 1, True, ok=1, inputs=(seen_by,))
            mailbox.report_tasks(conn, [report], ManualClock().now())


_STATES = (
    "defined",
    "waiting",
    "running",
    "running",
    "running",
    "done",
    "finished",
    "failed",
    "exhausted",
    "aborted",
    "broken",
)
