"""`make stress`: double the load until it is too much; say where that is, what gave out, and what is left.

Each level lasts `--seconds`; Meta-Tasks of 5 tasks with 100 jobs each come at a steady rate, and the
services of a production (`deft sweep --every 5s`, `deft jedi run` with its local pool) work them off. The
first level is a day of 10,000 tasks and 1,000,000 jobs. It is too much where the sweep sees the end of a task
later than its period, where the next task of a chain is not on its way within ten seconds (the 95th of 100 of
both), or where more comes than goes.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deft.base.clock import SystemClock
from deft.store.session import Session
from tests.bench import measure
from tests.stress import load, plot, readings
from tests.support import postgres

DAY_JOBS, DAY_TASKS, DAY_S = 1_000_000, 10_000, 86_400
PERIOD_S, LINK_S = 5.0, 10.0
DRAIN_S = 120.0
FULL = 0.9  # of a core: a process that cannot do more


@dataclass(frozen=True, slots=True)
class Level:
    """One load and what came of it; `cores` is what each part used."""

    offered: float
    came: float
    ended: float
    waiting: int
    found: readings.Delays
    cores: dict[str, float]
    fault: str


def main() -> int:
    """Climb until it is too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each load lasts")
    parser.add_argument(
        "--first", type=float, default=DAY_JOBS / DAY_S, help="jobs a second of the first load"
    )
    parser.add_argument("--sweepers", type=int, default=1)
    parser.add_argument("--sqlite", action="store_true", help="the embedded database instead of PostgreSQL")
    parser.add_argument("--plot", type=Path, help="write the picture here (SVG)")
    given = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    what = "SQLite" if given.sqlite else "PostgreSQL"
    busy = f"load {os.getloadavg()[0]:.1f} before"
    print(f"{platform.machine()}, {cores} cores, {what}, sweepers: {given.sweepers}, {busy}")
    with tempfile.TemporaryDirectory(prefix="deft-stress-") as folder:
        levels = _with_database(given, lambda url: _climb(given, Path(folder), url))
    _tell(levels, cores)
    if given.plot:
        given.plot.write_text(plot.picture(levels), encoding="utf-8")
    return 0


def _with_database(given: argparse.Namespace, act: Callable[[str | None], list[Level]]) -> list[Level]:
    if given.sqlite:
        return act(None)
    programs = postgres.find_programs()
    if programs is None:
        raise SystemExit(f"PostgreSQL: not here. {postgres.HOW}")
    cluster = postgres.open_cluster(programs)
    try:
        cluster.create_database("stress")
        return act(cluster.url("stress"))
    finally:
        cluster.close()


def _climb(given: argparse.Namespace, workdir: Path, url: str | None) -> list[Level]:
    levels: list[Level] = []
    with load.services(workdir, url, given.sweepers, PERIOD_S) as session:
        load.arrive(session, load.STEPS * load.JOBS, 0.5, "warm")
        _drain(session)
        while not levels or not levels[-1].fault:
            levels.append(_level(session, given.first * 2 ** len(levels), given.seconds, len(levels)))
            print(_line(levels[-1]), flush=True)
            _drain(session)
    return levels


def _level(session: Session, offered: float, seconds: float, number: int) -> Level:
    clock, before = SystemClock(), readings.cpu_by_role()
    begin, began = clock.now(), time.monotonic()
    came = load.arrive(session, offered, seconds, f"l{number}")
    end, took = clock.now(), time.monotonic() - began
    cores = {role: (used - before.get(role, 0.0)) / took for role, used in readings.cpu_by_role().items()}
    waiting, found = readings.waiting(session), readings.delays(session, begin, end)
    jobs = came * load.STEPS * load.JOBS
    fault = _fault(found, arrived=jobs, took=took, seconds=seconds)
    return Level(offered, jobs / took, found.jobs / took, waiting, found, cores, fault)


def _fault(found: readings.Delays, *, arrived: int, took: float, seconds: float) -> str:
    if found.sweep_s > PERIOD_S:
        return f"the sweep sees the end of a task after {found.sweep_s:.1f} s"
    if found.link_s > LINK_S:
        return f"a link takes {found.link_s:.1f} s"
    if took > 1.1 * seconds:
        return "Meta-Tasks cannot be imported as fast as they come"
    if found.jobs < 0.7 * arrived and arrived > 5 * load.STEPS * load.JOBS:
        return "more jobs come than go"
    return ""


def _drain(session: Session) -> None:
    """Let what is there come to its end, so that each load begins alone."""
    deadline = time.monotonic() + DRAIN_S
    quiet = 0
    while quiet < 3 and time.monotonic() < deadline:
        time.sleep(0.5)
        quiet = 0 if readings.waiting(session) else quiet + 1


def _line(level: Level) -> str:
    used = ", ".join(
        f"{role} {cores:.2f}" for role, cores in sorted(level.cores.items(), key=lambda one: -one[1])
    )
    return (
        f"{level.offered:7.0f} jobs/s offered: {level.ended:6.1f} ended, sweep {level.found.sweep_s:.2f} s, "
        f"link {level.found.link_s:.2f} s; cores: {used}{'; ' + level.fault if level.fault else ''}"
    )


def _tell(levels: list[Level], cores: int) -> None:
    rows = [
        (
            f"{one.offered:.0f}",
            one.ended,
            one.found.tasks,
            one.found.sweep_s,
            one.found.link_s,
            sum(one.cores.values()),
        )
        for one in levels
    ]
    measure.table(("jobs/s offered", "ended/s", "tasks", "sweep s", "link s", "cores"), rows)
    knee = levels[-1]
    best = max(one.ended for one in levels)
    print(f"too much at {knee.offered:.0f} jobs a second: {knee.fault}")
    total, (role, most) = sum(knee.cores.values()), max(knee.cores.items(), key=lambda one: one[1])
    if total > FULL * cores:
        print(f"what gave out: the machine's {cores} cores ({total:.2f} in use, most by {role}: {most:.2f})")
    elif most > FULL and role != "wrappers and jobs":
        print(f"what gave out: {role}, which has one core ({most:.2f} in use)")
    else:
        print(f"what gave out is no CPU: {total:.2f} of {cores} cores in use, most by {role}: {most:.2f}")
    print(
        f"headroom: {best:.0f} jobs a second are {best * DAY_S / 1e6:.1f} million a day, "
        f"{best * DAY_S / DAY_JOBS:.0f} times {DAY_TASKS:,} tasks and {DAY_JOBS:,} jobs"
    )


if __name__ == "__main__":
    raise SystemExit(main())
