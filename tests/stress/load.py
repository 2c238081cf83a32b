"""The load: services as they run in production, and Meta-Tasks that come at a steady rate."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deft.access.roles import Actor, Role
from deft.base import config
from deft.engine.intake import enter
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, NodeKind, Task
from deft.store import session as sessions
from deft.store.session import Session

STEPS, JOBS = (
    5,
    100,
)  # a chain of so many tasks, each of so many jobs: a day of 1,000,000 jobs has 10,000 tasks
ACTOR = Actor("stress", Role.ADMIN)


@contextmanager
def services(workdir: Path, url: str | None, sweepers: int, every_s: float) -> Iterator[Session]:
    """A database with its services at work, and a session on it."""
    environ = dict(os.environ)
    if url is not None:
        environ["DEFT_DATABASE__URL"] = url
    deft = [sys.executable, "-m", "deft", "--workdir", str(workdir)]
    subprocess.run([*deft, "init"], check=True, env=environ, stdout=subprocess.DEVNULL)
    commands = [[*deft, "jedi", "run"], *[[*deft, "sweep", "--every", f"{every_s}s"]] * sweepers]
    with ExitStack() as stack, (workdir / "services.log").open("ab") as log:
        for command in commands:
            child = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
            stack.callback(child.wait)
            stack.callback(child.terminate)
        with sessions.opened(config.load(workdir, environ)) as session:
            yield session


def arrive(session: Session, jobs_a_second: float, seconds: float, prefix: str) -> int:
    """Import and start Meta-Tasks at that rate for so long; how many came."""
    apart_s = STEPS * JOBS / jobs_a_second
    begin, number = time.monotonic(), 0
    while (now := time.monotonic()) < begin + seconds:
        if now < begin + number * apart_s:
            time.sleep(min(0.05, begin + number * apart_s - now))
            continue
        enter(session, production(f"{prefix}_{number}"), actor=ACTOR, start=True)
        number += 1
    return number


def production(name: str) -> MetaTask:
    """A chain of tasks whose jobs do nothing."""
    made = MetaTask(name)
    for step in range(STEPS):
        settings = {"command": "true"} | ({"split.jobs": JOBS} if step == 0 else {})
        made.add(Task(f"s{step}", NodeKind.TASK, settings))
    for step in range(1, STEPS):
        made.join(Edge(f"s{step - 1}", f"s{step}", {}, id=f"e{step}"))
    return made
