"""A sweep after 2,000 datasets changed, in a database of 1,000,000 tasks, on SQLite and on PostgreSQL.

Bars: at most 1.5 times the same sweep among 10,000 tasks; at most 3 times hand-written SQL that does only the
update of the same rows, with history; transitions with history at 40 % of the rate at which the raw driver
updates the same rows; 200 MB. CPU is that of this process and of the server's processes that serve it.
"""

from __future__ import annotations

import gc
import json
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.engine import Connection, Engine

from deft.access.roles import Actor, Role
from deft.base.clock import SystemClock
from deft.base.config import Settings
from deft.base.database import open_engine, reading, writing
from deft.engine.perform import Cause, perform
from deft.engine.sweep import SweepRequest, sweep
from deft.model.net import Row
from deft.model.tasks import State
from deft.store import guards
from deft.store.session import Session
from deft.wire.hints import SilentBell
from tests.bench import by_hand, measure, stock
from tests.support import postgres

MANY, FEW = 1_000_000, 10_000
TOGETHER = 100  # Meta-Tasks with 20 changed datasets each
ACTOR = Actor("bench", Role.ADMIN)
# A transition and nothing else.
PLAIN = Row("bench", "state == 'waiting'", State.DEFINED)


def main() -> None:
    """Print the figures of each database."""
    if len(sys.argv) == 4 and sys.argv[1] == "--child":
        return _child(*sys.argv[2:])
    given = measure.options(__doc__)
    gc.freeze()  # as a service that sweeps does
    many, runs = (100_000, 1) if given.quick else (MANY, given.runs)
    _measure("SQLite", _SQLite(measure.scratch()), many, runs)
    programs = postgres.find_programs()
    if programs is None:
        print(f"PostgreSQL: not here. {postgres.HOW}")
        return None
    cluster = postgres.open_cluster(programs)
    try:
        _measure("PostgreSQL", _PostgreSQL(cluster), many, runs)
    finally:
        cluster.close()
    return None


def _measure(name: str, server: _SQLite | _PostgreSQL, many: int, runs: int) -> None:
    groups = iter(_groups(many, 5 * runs + 2))
    engine = server.made(str(many), many, at_work=[n for group in _groups(many, 5 * runs + 2) for n in group])
    few = list(range(1, TOGETHER + 1))
    server.made(str(FEW), (TOGETHER + 1) * stock.TASKS, at_work=few).dispose()
    _swept(engine, next(groups))  # once for all that is made at the first use
    among_many = [_swept(engine, next(groups)) for _ in range(runs)]
    rows = [_changed(engine, by_hand.row_by_row, next(groups), ended=True) for _ in range(runs)]
    sets = [_changed(engine, by_hand.by_sets, next(groups), ended=True) for _ in range(runs)]
    plain = [_fired(engine, next(groups)) for _ in range(runs)]
    raw = [_changed(engine, by_hand.updated, next(groups)) for _ in range(runs)]
    among_few = [_swept(server.copied(str(FEW)), few) for _ in range(runs)]
    with writing(engine) as conn:
        stock.ended(conn, next(groups))
    engine.dispose()
    print(f"{name}: CPU ms, medians of {runs}")
    _table(many, *map(statistics.median, (among_many, among_few, rows, sets, plain, raw)))
    children = [(kind, *_run_child(server.url(str(many)), kind)) for kind in ("journal", "full")]
    measure.table(("sweep by a new process", "CPU s", "looked at", "peak MB (bar: 200)"), children)


def _table(many: int, sweep: float, few: float, rows: float, sets: float, plain: float, raw: float) -> None:
    lines = [
        (f"sweep, 2,000 datasets of {many:,} tasks", sweep, "", ""),
        (f"the same of {FEW:,} tasks", few, sweep / few, "at most 1.5"),
        ("by hand, row by row", rows, sweep / rows, "at most 3"),
        ("by hand, by sets", sets, sweep / sets, ""),
        ("2,000 plain transitions with history", plain, "", ""),
        ("raw update of their rows", raw, raw / plain, "at least 0.4"),
    ]
    measure.table(("what", "CPU ms", "ratio", "bar"), lines)


def _groups(tasks: int, count: int) -> list[list[int]]:
    """Sets of Meta-Tasks that are at work, each spread over the whole database."""
    drawn = random.Random(1).sample(range(2, tasks // stock.TASKS), count * TOGETHER)
    return [sorted(drawn[n::count]) for n in range(count)]


# --- what is measured --------------------------------------------------------------------------------------


def _session(engine: Engine) -> Session:
    bell = SilentBell()
    return Session(engine, SystemClock(), Settings(Path.cwd()), bell, bell)


def _swept(engine: Engine, group: Sequence[int]) -> float:
    """CPU ms of a sweep after the jobs of these Meta-Tasks ended."""
    with writing(engine) as conn:
        stock.ended(conn, group)
    before = _used(engine)
    answer = sweep(_session(engine), SweepRequest(ACTOR))
    used = _used(engine) - before
    assert len(answer.fired) == len(group) * stock.ENDING, "not all that ended were found"
    return 1000 * used


def _changed(
    engine: Engine,
    act: Callable[[Connection, Sequence[int]], int],
    group: Sequence[int],
    *,
    ended: bool = False,
) -> float:
    """CPU ms of one transaction by hand over tasks of these Meta-Tasks."""
    if ended:
        with writing(engine) as conn:
            stock.ended(conn, group)
    before = _used(engine)
    with writing(engine) as conn:
        changed = act(conn, group)
    used = _used(engine) - before
    assert changed == len(group) * stock.ENDING, "not all rows were changed"
    return 1000 * used


def _fired(engine: Engine, group: Sequence[int]) -> float:
    """CPU ms of one set of transitions of the tasks that wait; to find them is no part of it."""
    with reading(engine) as conn:
        ids = [task for number in group for task in stock.waiting(number)]
        enabled = guards.first_enabled(conn, ids, (PLAIN,))
    before = _used(engine)
    with writing(engine) as conn:
        done = perform(conn, enabled, Cause("bench"), SystemClock().now()).done
    used = _used(engine) - before
    assert len(done) == len(ids), "not all of them fired"
    return 1000 * used


def _used(engine: Engine) -> float:
    """CPU seconds of this process, and of the server's processes that serve it."""
    own = time.process_time()
    if engine.dialect.name == "sqlite":
        return own
    with reading(engine) as conn:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        pids = conn.exec_driver_sql(query).scalars().all()
    spent = (Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0] for pid in pids)
    return own + sum(map(int, spent)) / 1e9


def _run_child(url: str, kind: str) -> tuple[float, int, float]:
    """CPU seconds, tasks looked at and peak memory of a sweep in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.sweep", "--child", url, kind]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    cpu_s, looked_at, peak_mb = json.loads(said)
    return cpu_s, looked_at, peak_mb


def _child(url: str, kind: str) -> None:
    engine = open_engine(url)
    answer = sweep(_session(engine), SweepRequest(ACTOR, full=kind == "full"))
    status = Path("/proc/self/status").read_text(encoding="ascii")  # ru_maxrss begins with the parent's
    peak_kb = int(status.partition("VmHWM:")[2].split()[0])
    print(json.dumps((_used(engine), answer.looked_at, peak_kb / 1024)))


# --- databases ---------------------------------------------------------------------------------------------


class _SQLite:
    """Files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._copies = 0

    def url(self, name: str) -> str:
        return f"sqlite:///{self._folder / name}.db"

    def made(self, name: str, tasks: int, at_work: Sequence[int]) -> Engine:
        filling = open_engine(self.url(name))
        stock.fill(filling, tasks, at_work)
        filling.dispose()
        return open_engine(self.url(name))

    def copied(self, name: str) -> Engine:
        self._copies += 1
        copy = f"{name}-{self._copies}"
        shutil.copy(self._folder / f"{name}.db", self._folder / f"{copy}.db")
        return open_engine(self.url(copy))


class _PostgreSQL:
    """Databases of a throwaway cluster."""

    def __init__(self, cluster: postgres.Cluster) -> None:
        self._cluster = cluster
        self._copies = 0

    def url(self, name: str) -> str:
        return self._cluster.url(f"bench_{name}")

    def made(self, name: str, tasks: int, at_work: Sequence[int]) -> Engine:
        self._cluster.create_database(f"bench_{name}")
        filling = open_engine(self.url(name))
        stock.fill(filling, tasks, at_work)
        filling.dispose()
        return open_engine(self.url(name))

    def copied(self, name: str) -> Engine:
        self._copies += 1
        copy = f"{name}_{self._copies}"
        self._cluster.create_database(f"bench_{copy}", f"bench_{name}")
        return open_engine(self.url(copy))


if __name__ == "__main__":
    main()
