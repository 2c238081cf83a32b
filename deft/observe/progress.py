"""How a Meta-Task moves: what is done, how fast, how long the rest may take, what waits for what.

Rates are measured while somebody looks: units that became ok in the last half minute. A time left is given
only where units were seen to end; it is that of the units there are now, not of tasks that wait.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.model.tasks import ENDED, State
from deft.observe import status
from deft.observe.status import TaskLine
from deft.store import selection, standing
from deft.store.session import Session
from deft.store.tables import deft_dataset, deft_edge, deft_node
from deft.wire.tables import wire_dataset, wire_task

WINDOW_S = 30.0
SETTLED_S = 2.0  # a rate of less than that says nothing


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """One task: `inside` are units done in running jobs by their own word; `left_s` None where unknown."""

    line: TaskLine
    inside: float
    rate_per_s: float | None
    left_s: float | None
    waits_for: str

    @property
    def part(self) -> float:
        """0 to 1."""
        if State(self.line.state) is State.DONE:
            return 1.0
        return min(1.0, (self.line.ok + self.inside) / self.line.expected) if self.line.expected else 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """A Meta-Task at one moment."""

    metatask: str
    state: str
    tasks: tuple[TaskProgress, ...]

    @property
    def ended(self) -> int:
        """Tasks that ended."""
        return sum(1 for task in self.tasks if State(task.line.state) in ENDED)


class Meter:
    """Looks at one Meta-Task again and again, and remembers how fast it went."""

    def __init__(self, session: Session, actor: Actor, text: str) -> None:
        roles.require(actor, "read")
        self._session = session
        self._text = text
        self._seen: dict[str, deque[tuple[float, float]]] = {}

    def look(self) -> Progress:
        """The progress now. Raises NotFound."""
        with self._session.reading() as conn:
            chosen = selection.resolve(conn, self._text)
            lines = status.task_lines(conn, chosen.metatask_id, None if chosen.whole else chosen.node_ids)
            waits = _waits(conn, chosen.metatask_id)
            inside = _inside(conn, chosen.metatask_id)
            state = standing.of(conn, [chosen.metatask_id])[chosen.metatask_id].state
        now = self._session.clock.monotonic()
        tasks = tuple(self._progress(line, inside.get(line.task, 0.0), waits, now) for line in lines)
        return Progress(chosen.full_name, state, tasks)

    def _progress(self, line: TaskLine, inside: float, waits: Mapping[str, str], now: float) -> TaskProgress:
        done = line.ok + inside
        rate = self._rate(line.task, done, now) if line.state == State.RUNNING else None
        left = (line.expected - done) / rate if rate and line.expected > done else None
        return TaskProgress(line, inside, rate, left, waits.get(line.task, ""))

    def _rate(self, task: str, done: float, now: float) -> float | None:
        seen = self._seen.setdefault(task, deque())
        seen.append((now, done))
        while now - seen[0][0] > WINDOW_S and len(seen) > 2:
            seen.popleft()
        began, first = seen[0]
        return (done - first) / (now - began) if now - began >= SETTLED_S and done > first else None


def _inside(conn: Connection, metatask_id: int) -> dict[str, float]:
    """Units done inside running jobs, by task."""
    query = sa.select(deft_node.c.name, wire_task.c.summary).join(
        wire_task, wire_task.c.task_id == deft_node.c.id
    )
    running = (deft_node.c.metatask_id == metatask_id, deft_node.c.state == State.RUNNING.value)
    found = conn.execute(query.where(*running, wire_task.c.summary.is_not(None)))
    return {row.name: float(json.loads(row.summary).get("inside", 0.0)) for row in found}


def _waits(conn: Connection, metatask_id: int) -> dict[str, str]:
    """For each waiting task: the producers that have not ended, and data that are not listed yet."""
    n, d, producer = deft_node.c, deft_dataset.c, deft_node.alias()
    source = (
        deft_edge.join(deft_node, n.id == deft_edge.c.target_id)
        .join(deft_dataset, d.id == deft_edge.c.dataset_id)
        .outerjoin(producer, producer.c.id == d.producer_id)
        .outerjoin(wire_dataset, wire_dataset.c.dataset_id == d.id)
    )
    columns = (n.name, producer.c.name.label("producer"), producer.c.state, d.membership, d.type)
    waiting = (n.metatask_id == metatask_id, n.state == State.WAITING.value, d.membership != "closed")
    found: dict[str, list[str]] = {}
    for row in conn.execute(sa.select(*columns).select_from(source).where(*waiting).order_by(deft_edge.c.id)):
        what = row.producer or f"{row.type} to be listed"
        found.setdefault(row.name, []).append(what)
    return {task: _joined(names) for task, names in found.items()}


def _joined(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(unique[:3]) + (f" and {len(unique) - 3} more" if len(unique) > 3 else "")
