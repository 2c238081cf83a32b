"""Commands that people give to look, in a large database: from the shell, wall time and memory.

10,000 Meta-Tasks of 100 tasks, and one of 100 tasks with 1,000,000 jobs. Bar: 0.5 s for list and status.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from deft.base.database import open_engine
from tests.bench import jobs, measure, stock
from tests.bench.measure import Used
from tests.support import postgres

METATASKS, TASKS, JOBS = 10_000, 100, 1_000_000
COMMANDS = (
    "list", "list --json", "list --where state==running", "status big", "status big --json", "status m17",
    "jobs big", "jobs big/t99 --state failed", "explain big", "explain m1", "history big", "history m17",
    "show big", "db size --database",
)  # fmt: skip


def main() -> None:
    """Print a table a database."""
    if len(sys.argv) == 4 and sys.argv[1] == "--fill":
        return _fill(sys.argv[2], int(sys.argv[3]))
    given = measure.options(__doc__)
    by = 100 if given.quick else 1
    with contextlib.ExitStack() as stack:
        for name, url in _databases(stack):
            # By another process: the memory of a command counts no less than ours at its start.
            subprocess.run([sys.executable, "-m", "tests.bench.lists", "--fill", url, str(by)], check=True)
            print(f"{name}: {METATASKS // by:,} Meta-Tasks, {JOBS // by:,} jobs in one of them")
            _measure(url, given.runs)
    return None


def _fill(url: str, by: int) -> None:
    engine = open_engine(url)
    stock.fill(engine, METATASKS // by * stock.TASKS, range(50))
    jobs.fill(engine, "big", TASKS, JOBS // by // TASKS)
    stock.settle(engine)
    engine.dispose()


def _databases(stack: contextlib.ExitStack) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{measure.scratch() / 'deft.db'}"
    programs = postgres.find_programs()
    if programs is None:
        print(f"PostgreSQL: not here. {postgres.HOW}")
        return
    cluster = postgres.open_cluster(programs)
    stack.callback(cluster.close)
    cluster.create_database("bench")
    yield "PostgreSQL", cluster.url("bench")


def _measure(url: str, runs: int) -> None:
    os.environ["DEFT_DATABASE__URL"] = url
    where = ["--workdir", str(measure.scratch())]
    rows = []
    for command in COMMANDS:
        words = [*measure.DEFT, *command.split(), *where]
        _run(words)  # once for all that is read from the disk
        used = measure.medians(lambda words=words: _run(words), runs)  # type: ignore[misc]
        rows.append((f"deft {command}", used.wall_s, used.cpu_s, used.peak_mb))
    measure.table(("command", "wall s", "CPU s", "peak MB"), rows)


def _run(command: list[str]) -> Used:
    """Run one process; the database server is another child of ours, and goes on."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)}: {said.read().decode()[-2000:]}")
    return Used(usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
