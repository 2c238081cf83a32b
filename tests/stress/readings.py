"""What is read off while the load is on: delays from the tables, CPU from /proc."""

from __future__ import annotations

import os
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.jedi.tables import jedi_attempt, jedi_job
from deft.store.session import Session
from deft.store.tables import deft_history, deft_node
from deft.wire.orders import OrderKind
from deft.wire.tables import wire_order

# By a word of the command line; the first that fits.
ROLES = {"wrapper": "wrappers and jobs", "jedi run": "JEDI", " sweep ": "sweepers", "postgres": "database"}
LOADER = "the loader itself"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Delays:
    """What ended in a window, and the 95th of 100 of two delays after the last job of a task.

    Until the sweep saw the task's end, and until JEDI had the order for the next one.
    """

    jobs: int
    tasks: int
    sweep_s: float
    link_s: float


def delays(session: Session, begin: datetime, end: datetime) -> Delays:
    """Of what ended in that window."""
    with session.reading() as conn:
        ended = _last_ends(conn, begin, end)
        done = {node: at for node, at in _history(conn, begin) if node in ended}
        applied = _applied(conn, begin)
        after = _consumers(conn)
        a = jedi_attempt.c
        jobs = conn.execute(sa.select(sa.func.count()).where(a.ended >= begin, a.ended < end)).scalar_one()
    sweep = [(done[node] - ended[node]).total_seconds() for node in done]
    link = [
        (applied[follower] - ended[node]).total_seconds()
        for node in done
        if (follower := after.get(node)) in applied
    ]
    return Delays(jobs, len(done), _p95(sweep), _p95(link))


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else max(values, default=0.0)


def _last_ends(conn: Connection, begin: datetime, end: datetime) -> dict[int, datetime]:
    """When the last job of each task ended, of tasks whose last job ended in the window."""
    joined = jedi_attempt.join(jedi_job, jedi_job.c.id == jedi_attempt.c.job_id)
    last = sa.func.max(jedi_attempt.c.ended)
    query = sa.select(jedi_job.c.task_id, last).select_from(joined).group_by(jedi_job.c.task_id)
    return dict(map(tuple, conn.execute(query.having(last >= begin, last < end))))


def _history(conn: Connection, begin: datetime) -> list[tuple[int, datetime]]:
    h = deft_history.c
    query = sa.select(h.node_id, h.at).where(h.new == "done", h.at >= begin)
    return [(node, at) for node, at in conn.execute(query)]


def _applied(conn: Connection, begin: datetime) -> dict[int, datetime]:
    o = wire_order.c
    query = sa.select(o.task_id, o.applied).where(o.kind == OrderKind.RUN.value, o.applied >= begin)
    return dict(map(tuple, conn.execute(query)))


def _consumers(conn: Connection) -> dict[int, int]:
    """The next task of each chain."""
    n = deft_node.c
    chains = defaultdict[int, list[int]](list)
    for metatask_id, node_id in conn.execute(sa.select(n.metatask_id, n.id).order_by(n.id)):
        chains[metatask_id].append(node_id)
    return {before: after for tasks in chains.values() for before, after in pairwise(tasks)}


def waiting(session: Session) -> int:
    """Jobs that are planned or handed out and have not ended."""
    with session.reading() as conn:
        return int(conn.execute(sa.select(sa.func.count()).where(jedi_attempt.c.open == 1)).scalar_one())


def cpu_by_role() -> dict[str, float]:
    """CPU seconds so far of all that works for us, by what it is; of children that have ended, too."""
    used = defaultdict[str, float](float)
    for process in _processes():
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            numbers = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        role = next((role for word, role in ROLES.items() if word in words), None)
        if process.name == str(os.getpid()):
            role = LOADER
        if role is not None:
            # Own time, and a wrapper's payloads; JEDI's children are the wrappers, which are counted alive.
            own, children = map(int, numbers[11:13]), map(int, numbers[13:15])
            used[role] += (sum(own) + (sum(children) if role.startswith("wrapper") else 0)) / TICKS
    return dict(used)


def _processes() -> Iterator[Path]:
    return (path for path in Path("/proc").iterdir() if path.name.isdigit())
