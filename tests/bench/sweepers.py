"""One sweeper and two on one PostgreSQL: the same work, how long it takes. Bar: two are 1.3 times as fast.

The jobs of 10,000 tasks in 500 Meta-Tasks of a database of 100,000 tasks have come to their end; the clock
runs from the word to begin until the journals are empty. Wall time: nothing else should run meanwhile.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy.engine import Engine

from deft.access.roles import Actor, Role
from deft.base.clock import SystemClock
from deft.base.config import Settings
from deft.base.database import open_engine, writing
from deft.engine.sweep import SweepRequest, sweep
from deft.store.session import Session
from deft.wire.hints import SilentBell
from tests.bench import measure, stock
from tests.support import postgres

TASKS, TOGETHER = 100_000, 500
ACTOR = Actor("bench", Role.ADMIN)


def main() -> None:
    """Print the seconds of one and of two, and their ratio."""
    if len(sys.argv) == 3 and sys.argv[1] == "--child":
        return _child(sys.argv[2])
    given = measure.options(__doc__)
    programs = postgres.find_programs()
    if programs is None:
        return print(f"PostgreSQL: not here. {postgres.HOW}")
    together, runs = (50, 1) if given.quick else (TOGETHER, min(given.runs, 3))
    # Every run ends other Meta-Tasks; those are spread evenly over one and two sweepers.
    groups = [list(range(2 + n, 2 + n + 2 * runs * together, 2 * runs)) for n in range(2 * runs)]
    cluster = postgres.open_cluster(programs)
    try:
        cluster.create_database("bench")
        engine = open_engine(cluster.url("bench"))
        stock.fill(engine, TASKS, [number for group in groups for number in group])
        times = {
            count: [_swept(engine, cluster.url("bench"), groups.pop(), count) for _ in range(runs)]
            for count in (1, 2)
        }
        engine.dispose()
    finally:
        cluster.close()
    one, two = (statistics.median(times[count]) for count in (1, 2))
    rows = [("one sweeper", one, ""), ("two sweepers", two, f"{one / two:.2f} times as fast (bar: 1.3)")]
    return measure.table((f"{together * stock.ENDING:,} tasks end", "wall s", ""), rows)


def _swept(engine: Engine, url: str, group: list[int], count: int) -> float:
    command = [sys.executable, "-m", "tests.bench.sweepers", "--child", url]
    sweepers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    for one in sweepers:
        assert one.stdout is not None
        one.stdout.readline()  # it is ready
    with writing(engine) as conn:
        stock.ended(conn, group)
    began = time.monotonic()
    for one in sweepers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    fired = [int(one.stdout.readline()) for one in sweepers if one.stdout]
    took = time.monotonic() - began
    for one in sweepers:
        one.communicate()
    assert sum(fired) >= len(group) * stock.ENDING, "not all that ended were found"
    return took


def _child(url: str) -> None:
    bell = SilentBell()
    session = Session(open_engine(url), SystemClock(), Settings(Path.cwd()), bell, bell)
    sweep(session, SweepRequest(ACTOR))  # all that is made at the first use
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(sweep(session, SweepRequest(ACTOR)).fired), flush=True)


if __name__ == "__main__":
    main()
