"""JEDI in the abstract: units, rows and counters of each task, as a value; what orders and events make of it.

It says what the executor may do, unit by unit and in any order, not how: no jobs, no attempts, no time. Its
rules follow deft/jedi (orders.py, feeding.py, settling.py, recovery.py), and the same invariants are checked
of that code by runs on a real database.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from deft.model.firing import DataSeen, EdgeSeen, Marking, Structure, TaskSeen
from deft.wire.orders import OrderKind
from tests.proof.shapes import Graph

# Rows of units on an edge: none, ready, running, ok, failed, skipped, used (secondary).
# Units of a dataset: none, available, lost.
NONE, READY, RUNNING, OK, FAILED, SKIPPED, USED = ".rRkfsu"
AVAILABLE, LOST = "al"


class Worker(NamedTuple):
    """The executor's own tokens of a task."""

    known: int = 0
    idle: int = 0
    no_feed: int = 0
    hard: int = 0
    held: str = ""
    rejected: int = 0


class Jedi(NamedTuple):
    """All that the executor knows: tasks, the rows of each edge, the units of each dataset, closed edges."""

    workers: tuple[Worker, ...]
    rows: tuple[str, ...]
    units: tuple[str, ...]
    closed: tuple[int, ...]
    listed: tuple[int, ...]


class Event(NamedTuple):
    """One thing that happens: what, and to which row of which edge, or unit of which dataset."""

    kind: str
    at: int
    unit: int = 0

    def __str__(self) -> str:
        return f"{self.kind}({self.at}.{self.unit})"


def _hold_in_force(marking: Marking, t: int, known: str) -> str:
    held = marking.metatask_hold or marking.tasks[t].hold
    return (known or "drain") if held else ""


class Machine:
    """The rules of the executor for one graph."""

    def __init__(self, graph: Graph, structure: Structure) -> None:
        self.graph, self.structure = graph, structure
        s = structure
        self.primary = [s.policies[e]["role"] == "primary" for e in range(len(s.edges))]
        self.reduce = [any(s.policies[e]["reduce"] for e in s.inputs[t]) for t in range(len(s.tasks))]
        self.primaries = [[e for e in s.inputs[t] if self.primary[e]] for t in range(len(s.tasks))]
        self.size = self._sizes()
        # The first row of each edge among the output units of its task.
        self.offset = [0] * len(s.edges)
        for t in range(len(s.tasks)):
            place = 0
            for e in self.primaries[t]:
                self.offset[e] = place
                place += self.size[s.edges[e].dataset]

    def _sizes(self) -> list[int]:
        """How many units each dataset may ever have."""
        s = self.structure
        size = [self.graph.units] * len(s.producers)
        for dataset, producer in enumerate(s.producers):  # producers stand before their consumers
            if producer >= 0:
                fed = sum(size[s.edges[e].dataset] for e in self.primaries[producer])
                size[dataset] = 1 if self.reduce[producer] else fed
        return size

    def empty(self) -> Jedi:
        """Nothing known; synthetic units are there from the beginning."""
        s = self.structure
        units = tuple(
            (AVAILABLE if made < 0 and d not in s.listed else NONE) * self.size[d]
            for d, made in enumerate(s.producers)
        )
        rows = tuple(NONE * self.size[edge.dataset] for edge in s.edges)
        nothing = (0,) * len(s.edges)
        return Jedi((Worker(),) * len(s.tasks), rows, units, nothing, (0,) * len(s.producers))

    # --- what DEFT reads ---

    def seen(self, marking: Marking, jedi: Jedi) -> Marking:
        """The marking with reports that are fresh: sequence numbers are of no more use and put to zero."""
        s = self.structure
        tasks = tuple(self._task_seen(jedi, t) for t in range(len(s.tasks)))
        edges = tuple(self._edge_seen(jedi, e) for e in range(len(s.edges)))
        data = tuple(
            DataSeen(
                1 if marking.datasets[d].dataset_order_seq else 0,
                units.count(AVAILABLE),
                units.count(LOST),
                self.size[d] * self.graph.expects,
                jedi.listed[d],
            )
            for d, units in enumerate(jedi.units)
        )
        marks = tuple(mark._replace(order_seq=0) if mark.order_seq else mark for mark in marking.tasks)
        datasets = tuple(
            mark._replace(dataset_order_seq=1) if mark.dataset_order_seq else mark
            for mark in marking.datasets
        )
        return Marking(marking.metatask_hold, marks, tasks, datasets, data, edges)

    def _task_seen(self, jedi: Jedi, t: int) -> TaskSeen:
        worker = jedi.workers[t]
        rows = "".join([jedi.rows[e] for e in self.primaries[t]])
        return TaskSeen(0, worker.idle, worker.rejected, rows.count(READY), rows.count(RUNNING),
                        rows.count(OK), rows.count(FAILED), rows.count(SKIPPED))  # fmt: skip

    def _edge_seen(self, jedi: Jedi, e: int) -> EdgeSeen:
        d = self.structure.edges[e].dataset
        return EdgeSeen(self.unfed(jedi, e), self.missing(jedi, e), jedi.listed[d])

    def unfed(self, jedi: Jedi, e: int) -> int:
        """Available units without a row."""
        units = jedi.units[self.structure.edges[e].dataset]
        return sum(u == AVAILABLE and row == NONE for u, row in zip(units, jedi.rows[e], strict=True))

    def missing(self, jedi: Jedi, e: int) -> int:
        """Lost units without an ok row; all lost ones of a secondary input."""
        units = jedi.units[self.structure.edges[e].dataset]
        if not self.primary[e]:
            return units.count(LOST)
        return sum(u == LOST and row != OK for u, row in zip(units, jedi.rows[e], strict=True))

    # --- feeding ---

    def follow(self, jedi: Jedi) -> Jedi:
        """Feed every task that may be fed, then set the latch where nothing is left."""
        rows, workers = list(jedi.rows), list(jedi.workers)
        now = jedi
        for t, worker in enumerate(jedi.workers):
            if not worker.known or worker.idle:
                continue
            if not (worker.no_feed or worker.rejected):
                self._feed(now, rows, t)
                now = now._replace(rows=tuple(rows))
            own = "".join([rows[e] for e in self.primaries[t]])
            if RUNNING in own:
                continue
            unfed = any(self.unfed(now, e) for e in self.structure.inputs[t])
            if worker.rejected or not (READY in own or (unfed and not worker.no_feed)):
                workers[t] = worker._replace(idle=1)
        return now._replace(workers=tuple(workers))

    def _feed(self, jedi: Jedi, rows: list[str], t: int) -> None:
        edges = self.structure.inputs[t]
        if not any(self.unfed(jedi, e) for e in edges):
            return
        if self.reduce[t]:
            busy = any(RUNNING in rows[e] for e in edges)
            if busy or not all(jedi.closed[e] for e in edges):
                return
        for e in edges:
            units = jedi.units[self.structure.edges[e].dataset]
            fed = READY if self.primary[e] else USED
            rows[e] = "".join(
                fed if row == NONE and u == AVAILABLE else row for u, row in zip(units, rows[e], strict=True)
            )
            if self.reduce[t]:  # its one job takes the whole set again
                rows[e] = rows[e].replace(OK, READY).replace(FAILED, READY).replace(SKIPPED, READY)

    # --- what may happen ---

    def events(self, jedi: Jedi) -> Iterator[Event]:
        """Everything the executor may do next."""
        for t, worker in enumerate(jedi.workers):
            if not worker.known:
                continue
            for e in self.primaries[t]:
                for u, row in enumerate(jedi.rows[e]):
                    if self.reduce[t] and (e, u) != self._first(jedi, t):
                        continue
                    if row == READY and self.may_start(worker):
                        yield Event("begin", e, u)
                    elif row == RUNNING:
                        yield Event("succeed", e, u)
                        yield Event("fail", e, u)
                        if worker.hard or worker.held == "kill":
                            yield Event("cancel", e, u)

    def may_start(self, worker: Worker) -> bool:
        """Whether jobs of a task are handed out."""
        return not (worker.held or worker.idle or worker.rejected)

    def _first(self, jedi: Jedi, t: int) -> tuple[int, int] | None:
        """The row that stands for the one job of a reduce task."""
        rows = ((e, u) for e in self.primaries[t] for u, row in enumerate(jedi.rows[e]) if row != NONE)
        return next(rows, None)

    def losses(self, jedi: Jedi) -> Iterator[Event]:
        """Units whose file may vanish."""
        for d, units in enumerate(jedi.units):
            if self.structure.producers[d] >= 0 or d in self.structure.listed:
                for u, unit in enumerate(units):
                    if unit == AVAILABLE:
                        yield Event("lose", d, u)

    def happen(self, jedi: Jedi, event: Event) -> Jedi:
        """The state after an event."""
        kind, at, u = event
        if kind == "lose":
            return self.follow(self._unit(jedi, at, u, LOST))
        if kind == "return":
            return self.follow(self._unit(jedi, at, u, AVAILABLE))
        t = self.structure.edges[at].target
        if kind == "begin":
            return self._set(jedi, t, at, u, RUNNING)
        if kind == "succeed":
            return self.follow(self._publish(self._set(jedi, t, at, u, OK), t, at, u))
        worker = jedi.workers[t]
        if kind == "fail":
            result = SKIPPED if worker.hard else FAILED
        else:
            result = SKIPPED if worker.hard else READY
        if kind == "cancel" and result == SKIPPED and self._has_output(jedi, t, at, u):
            result = OK  # a cancelled remake leaves the earlier output
        return self.follow(self._set(jedi, t, at, u, result))

    def _set(self, jedi: Jedi, t: int, e: int, u: int, value: str) -> Jedi:
        rows = list(jedi.rows)
        if self.reduce[t]:
            old = rows[e][u]
            for edge in self.primaries[t]:
                rows[edge] = rows[edge].replace(old, value)
        else:
            rows[e] = rows[e][:u] + value + rows[e][u + 1 :]
        return jedi._replace(rows=tuple(rows))

    def output_unit(self, t: int, e: int, u: int) -> int:
        """Which unit of its output the job of a row makes."""
        return 0 if self.reduce[t] else self.offset[e] + u

    def _publish(self, jedi: Jedi, t: int, e: int, u: int) -> Jedi:
        for d in self.structure.outputs[t]:
            jedi = self._unit(jedi, d, self.output_unit(t, e, u), AVAILABLE)
        return jedi

    def _has_output(self, jedi: Jedi, t: int, e: int, u: int) -> bool:
        made = self.output_unit(t, e, u)
        return all(jedi.units[d][made] == AVAILABLE for d in self.structure.outputs[t])

    def _unit(self, jedi: Jedi, d: int, u: int, value: str) -> Jedi:
        units = list(jedi.units)
        units[d] = units[d][:u] + value + units[d][u + 1 :]
        return jedi._replace(units=tuple(units))

    # --- orders ---

    def apply(self, jedi: Jedi, kind: OrderKind, t: int, marking: Marking, mode: str = "") -> Jedi:
        """The state after an order about a task; feeding follows at the end of the transaction.

        Every order of a verb carries the hold in force, so that a task that is held does not start by it.
        """
        worker = jedi.workers[t]
        in_force = _hold_in_force(marking, t, worker.held)
        match kind:
            case OrderKind.RUN:
                jedi = self._define(jedi, t, marking)
                worker = worker._replace(known=1, idle=0, no_feed=0, hard=0, rejected=self._unfit(worker, t))
            case OrderKind.RETRY:
                jedi = self._again(self._define(jedi, t, marking), t, FAILED + SKIPPED)
                worker = worker._replace(known=1, idle=0, no_feed=0, hard=0, rejected=0, held=in_force)
            case OrderKind.HOLD:
                worker = worker._replace(held=mode or "drain")
            case OrderKind.RESUME:
                worker = worker._replace(held="")
            case OrderKind.FINISH | OrderKind.ABORT:
                jedi = self.follow(jedi)
                rows = tuple(
                    row.replace(READY, SKIPPED) if e in self.primaries[t] else row
                    for e, row in enumerate(jedi.rows)
                )
                jedi = jedi._replace(rows=rows)
                hard = 1 if kind is OrderKind.ABORT or mode == "hard" else worker.hard
                worker = jedi.workers[t]._replace(no_feed=1, hard=hard, held=in_force)
            case OrderKind.RECOVER:
                jedi = self._remake(jedi, t, consumer=mode == "consumer")
                worker = worker._replace(idle=0, hard=0, held=in_force)
                if mode == "consumer":
                    worker = worker._replace(no_feed=0)
            case OrderKind.DISCARD:
                jedi = self._forget(jedi, t)
                # DEFT starts nothing that it holds, and would never tell of the end of this hold.
                worker = worker._replace(idle=1, no_feed=0, hard=0, rejected=0, held="")
        workers = (*jedi.workers[:t], worker, *jedi.workers[t + 1 :])
        return jedi._replace(workers=workers)

    def _unfit(self, worker: Worker, t: int) -> int:
        """The executor refuses the first definition of some tasks; a retry brings a better one."""
        return int(t in self.graph.rejects and (not worker.known or worker.rejected))

    def _define(self, jedi: Jedi, t: int, marking: Marking) -> Jedi:
        closed = tuple(
            int(marking.datasets[edge.dataset].membership == "closed") if edge.target == t else jedi.closed[e]
            for e, edge in enumerate(self.structure.edges)
        )
        return jedi._replace(closed=closed)

    def _again(self, jedi: Jedi, t: int, states: str) -> Jedi:
        """Rows in these states are ready again; where the input is lost, fed once it is back."""
        rows = list(jedi.rows)
        for e in self.primaries[t]:
            units = jedi.units[self.structure.edges[e].dataset]
            rows[e] = "".join(
                (READY if u == AVAILABLE else NONE) if row in states else row
                for u, row in zip(units, rows[e], strict=True)
            )
        return jedi._replace(rows=tuple(rows))

    def _remake(self, jedi: Jedi, t: int, *, consumer: bool) -> Jedi:
        """The jobs that made lost outputs run again; of a consumer, those that used units now lost."""
        rows = list(jedi.rows)
        for e in self.primaries[t]:
            units = jedi.units[self.structure.edges[e].dataset]
            new = ""
            for u, row in enumerate(rows[e]):
                wanted = units[u] == LOST if consumer else self._lost_output(jedi, t, e, u)
                again = READY if units[u] == AVAILABLE else NONE
                new += again if row == OK and wanted else row
            rows[e] = new
        if self.reduce[t] and any(READY in rows[e] or NONE in rows[e] for e in self.primaries[t]):
            for e in self.primaries[t]:
                rows[e] = rows[e].replace(OK, READY)
        return jedi._replace(rows=tuple(rows))

    def _lost_output(self, jedi: Jedi, t: int, e: int, u: int) -> bool:
        made = self.output_unit(t, e, u)
        return any(jedi.units[d][made] == LOST for d in self.structure.outputs[t])

    def _forget(self, jedi: Jedi, t: int) -> Jedi:
        rows = list(jedi.rows)
        for e in self.structure.inputs[t]:
            rows[e] = NONE * len(rows[e])
        return jedi._replace(rows=tuple(rows))

    # --- orders about datasets ---

    def emptied(self, jedi: Jedi, d: int) -> Jedi:
        """All units of a dataset are dropped, and that they were fed."""
        rows = [
            NONE * len(row) if self.structure.edges[e].dataset == d else row
            for e, row in enumerate(jedi.rows)
        ]
        units = (*jedi.units[:d], NONE * len(jedi.units[d]), *jedi.units[d + 1 :])
        return jedi._replace(rows=tuple(rows), units=units)

    def listing(self, jedi: Jedi, d: int, units: int) -> Jedi:
        """JEDI lists a source and finds its first `units` files, those that were lost among them."""
        found = (AVAILABLE * units).ljust(self.size[d], NONE)
        kept = "".join(new if new != NONE else old for new, old in zip(found, jedi.units[d], strict=True))
        all_units = (*jedi.units[:d], kept, *jedi.units[d + 1 :])
        listed = (*jedi.listed[:d], 1, *jedi.listed[d + 1 :])
        return jedi._replace(units=all_units, listed=listed)
