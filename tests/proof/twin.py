"""The real engine beside the pure model, in lockstep: the same steps, and the same tokens after each of them.

The database is real, and so are the verbs and the sweep. JEDI's part is played by the abstract executor: it
takes the orders that lie in the database, and writes its reports there.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.errors import Refused
from deft.engine.controls import ControlRequest, control
from deft.engine.recover import RecoverRequest, recover
from deft.engine.reset import ResetRequest, reset
from deft.engine.sweep import SweepRequest, sweep
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, NodeKind, Task
from deft.store import graphs
from deft.store.session import Session
from deft.store.tables import deft_dataset, deft_dirty, deft_edge, deft_metatask, deft_node
from deft.wire import mailbox
from deft.wire.reports import DatasetReport, InputReport, TaskReport
from deft.wire.tables import wire_changed, wire_order, wire_task
from tests.proof.apart import Apart, ApartWorld, Step
from tests.proof.search import Command
from tests.proof.shapes import Graph
from tests.support.build import OPERATOR

NAME = "twin"
_CONTROLS = ("armed", "hold", "force", "finish", "abort", "started")


class Twin:
    """One graph, in the model and in a database."""

    def __init__(self, session: Session, graph: Graph) -> None:
        self.session, self.graph = session, graph
        self.world = ApartWorld(graph)
        self.model: Apart = self.world.begin()
        self.versions = [0] * len(self.world.structure.producers)
        self._reported: list[TaskReport] = []
        self._enter()

    def _enter(self) -> None:
        with self.session.writing() as conn:
            metatask_id = graphs.save(
                conn, metatask(self.graph), owner=OPERATOR.name, now=self.session.clock.now()
            )
        self._control("start", -1, "")
        with self.session.reading() as conn:
            n, d, e = deft_node.c, deft_dataset.c, deft_edge.c
            here = n.metatask_id == metatask_id
            ids = dict(map(tuple, conn.execute(sa.select(n.name, n.id).where(here))))
            self.tasks = [ids[part.name] for part in self.world.structure.tasks]
            outputs = sa.select(d.producer_id, d.id).where(d.producer_id.is_not(None))
            made = dict(map(tuple, conn.execute(outputs)))
            joined = deft_edge.join(deft_dataset, d.id == e.dataset_id)
            edges = sa.select(e.id, e.target_id, e.dataset_id, d.producer_id).select_from(joined)
            inputs = conn.execute(edges).all()
        structure = self.world.structure
        outside = {row.target_id: row.dataset_id for row in inputs if row.producer_id is None}
        self.datasets = [
            outside[self.tasks[structure.readers[n][0]]] if producer < 0 else made[self.tasks[producer]]
            for n, producer in enumerate(structure.producers)
        ]
        found = {(row.target_id, row.dataset_id): row.id for row in inputs}
        self.edges = [found[self.tasks[one.target], self.datasets[one.dataset]] for one in structure.edges]

    # --- steps ---

    def take(self, step: Step) -> None:
        """Do one step of the model in the database, too."""
        verb, *rest = step.what.split()
        before, self.model = self.model, step.after
        for d, units in enumerate(self.model.jedi.units):
            self.versions[d] += units != before.jedi.units[d]
        if verb == "apply":
            self._acknowledge(before)
        elif verb == "report":
            self.report(int(rest[0][1:]))
        elif verb == "sweep":
            self.sweep()

    def command(self, command: Command, commands: int = 1) -> None:
        """A verb in both; what one refuses, the other must refuse."""
        step = self.world._command(self.model._replace(commands=commands), command)
        try:
            changed = self._act(command)
        except Refused:
            changed = False
        assert changed == (step is not None), f"{command}: the engine {'did' if changed else 'refused'} it"
        if step is not None:
            self.model = step.after._replace(commands=0)

    def _act(self, command: Command) -> bool:
        if command.verb == "recover":
            return bool(recover(self.session, RecoverRequest(OPERATOR, self._selection(command.task))).tasks)
        if command.verb == "reset":
            request = ResetRequest(OPERATOR, self._selection(command.task), discard=True)
            return bool(reset(self.session, request).changed)
        return self._control(command.verb, command.task, command.mode)

    def _control(self, verb: str, task: int, mode: str) -> bool:
        request = ControlRequest(OPERATOR, verb, self._selection(task), mode=mode or None)
        answer = control(self.session, request)
        return bool(answer.changed) or (task < 0 and not answer.already)

    def _selection(self, task: int) -> str:
        return NAME if task < 0 else f"{NAME}/t{task}"

    def sweep(self, *, full: bool = False) -> None:
        """A pass over what changed, or over everything."""
        sweep(self.session, SweepRequest(OPERATOR, full))

    def lose_the_journal(self) -> None:
        """Every callback is lost, and what they told of; only a full sweep can find it."""
        with self.session.writing() as conn:
            conn.execute(sa.delete(wire_changed))
            conn.execute(sa.delete(deft_dirty))

    # --- JEDI's part ---

    def _acknowledge(self, before: Apart) -> None:
        """The first order of the database must be the first of the model."""
        posted = before.queue[0].order
        with self.session.writing() as conn:
            first = mailbox.pending(conn)[0]
            of = self.datasets.index(first.dataset_id) if first.dataset_id else -1
            on = self.tasks.index(first.task_id) if first.task_id else -1
            assert (first.kind, on, of) == (posted.kind, posted.task, posted.dataset)
            mailbox.acknowledge(conn, [first.id], self.session.clock.now())

    def report(self, t: int) -> None:
        """JEDI reports a task, its edges and its outputs."""
        jedi, structure = self.model.jedi, self.world.structure
        true = self.world.machine.seen(self.model.marking, jedi)
        with self.session.writing() as conn:
            seen = true.seen[t]
            inputs = tuple(
                InputReport(
                    self.edges[e], self.tasks[t], self.datasets[structure.edges[e].dataset],
                    true.edges_seen[e].reported_unfed, true.edges_seen[e].reported_missing,
                    self.versions[structure.edges[e].dataset],
                )
                for e in structure.inputs[t]
            )  # fmt: skip
            told = TaskReport(
                self.tasks[t], self._applied(conn, t), bool(seen.idle), bool(seen.rejected), seen.ready,
                seen.running, seen.ok, seen.failed, seen.skipped, inputs=inputs,
            )  # fmt: skip
            near = [
                d for d, made in enumerate(structure.producers) if made == t or self.world._is_synthetic(d, t)
            ]
            mailbox.report_datasets(conn, [self._dataset(conn, true.data_seen[d].available, d) for d in near])
            mailbox.report_tasks(conn, [told], self.session.clock.now())

    def _dataset(self, conn: Connection, available: int, d: int) -> DatasetReport:
        lost = self.model.jedi.units[d].count("l")
        applied = self._applied_of(conn, wire_order.c.dataset_id, self.datasets[d])
        size = self.world.machine.size[d]
        return DatasetReport(self.datasets[d], applied, available, lost, size, version=self.versions[d])

    def _applied(self, conn: Connection, t: int) -> int:
        return self._applied_of(conn, wire_order.c.task_id, self.tasks[t])

    def _applied_of(self, conn: Connection, column: sa.Column[int], row_id: int) -> int:
        applied = sa.select(sa.func.max(wire_order.c.seq)).where(column == row_id, wire_order.c.pending == 0)
        return int(conn.execute(applied).scalar() or 0)

    def repeat(self, t: int) -> None:
        """The last report of a task comes once more, as it was: reading it twice changes nothing."""
        with self.session.writing() as conn:
            row = conn.execute(sa.select(wire_task).where(wire_task.c.task_id == self.tasks[t])).first()
            if row is not None:
                conn.execute(sa.insert(wire_changed).values(task_id=self.tasks[t]))

    # --- the comparison ---

    def compare(self) -> None:
        """Every token that DEFT keeps, and every order that waits."""
        with self.session.reading() as conn:
            d, o = deft_dataset.c, wire_order.c
            rows = {row.id: row for row in conn.execute(sa.select(deft_node))}
            members = dict(map(tuple, conn.execute(sa.select(d.id, d.membership))))
            hold = conn.execute(sa.select(deft_metatask.c.hold)).scalar_one()
            orders = sa.select(o.kind, o.task_id, o.dataset_id).where(o.pending == 1).order_by(o.id)
            waiting = conn.execute(orders).all()
        marking = self.model.marking
        assert hold == marking.metatask_hold
        for t, mark in enumerate(marking.tasks):
            row = rows[self.tasks[t]]
            assert (row.state, *(row._mapping[name] for name in _CONTROLS), int(row.done_revision > 0)) == (
                mark.state, *(getattr(mark, name) for name in _CONTROLS), mark.done_revision,
            ), f"t{t}"  # fmt: skip
        assert [members[one] for one in self.datasets] == [mark.membership for mark in marking.datasets]
        queue = [
            (one.order.kind.value, self.tasks[one.order.task] if one.order.task >= 0 else None,
             self.datasets[one.order.dataset] if one.order.dataset >= 0 else None)
            for one in self.model.queue
        ]  # fmt: skip
        assert [tuple(row) for row in waiting] == queue


def metatask(graph: Graph) -> MetaTask:
    """The Meta-Task of a graph of the proof, as an author would write it."""
    made = MetaTask(NAME)
    roots = {t for t in range(graph.tasks) if all(target != t for _, target in graph.edges)}
    for t in range(graph.tasks):
        settings: dict[str, Value] = {
            "command": "true",
            "goal": graph.goal,
            "allow_empty": bool(graph.allow_empty),
        }
        if t in roots or graph.policies.get("role") == "secondary":
            settings["split.jobs"] = graph.units
        made.add(Task(f"t{t}", NodeKind.TASK, settings))
    for number, (a, b) in enumerate(graph.edges):
        policies = graph.policies
        if graph.second is not None and number == len(graph.edges) - 1:
            policies = graph.second
        made.join(Edge(f"t{a}", f"t{b}", _settings(policies)))
    return made


def _settings(policies: Mapping[str, str | int]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, value in policies.items():
        if key == "reduce":
            found[key] = bool(value)
        elif key == "start_kind":
            found["start_when"] = f"{policies['start_amount']}{'%' if value == 'percent' else ''}"
        elif key != "start_amount":
            found[key] = value
    return found
