"""A workbench for tests of JEDI: a database, orders as DEFT would post them, and the reports read back."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base.clock import SystemClock
from deft.base.config import Database, Jedi, Settings
from deft.base.database import open_engine, reading, writing
from deft.jedi import service
from deft.jedi.tables import jedi_dataset, jedi_job, jedi_job_unit, jedi_task, jedi_unit, metadata
from deft.wire import hints, mailbox
from deft.wire.orders import Input, Order, OrderKind, Output, Scan, TaskSpec, dump
from deft.wire.tables import wire_dataset, wire_input, wire_task

SERVE = """
import sys
from pathlib import Path
from deft.base.clock import SystemClock
from deft.base.config import Database, Jedi, Settings
from deft.base.database import open_engine
from deft.jedi import service
database = Database(url=sys.argv[3])
settings = Settings(workdir=Path(sys.argv[1]), jedi=Jedi(slots=2, kill_grace_s=0.5), database=database)
act = service.work_until_idle if sys.argv[2] == "once" else service.serve
options = {"until_parent_dies": True} if sys.argv[2] == "child" else {}
act(settings, open_engine(settings.database_url), SystemClock(), **options)
"""

DEADLINE_S = 30.0


@dataclass
class Bench:
    """One work folder with its embedded database."""

    workdir: Path
    jedi: Jedi = field(default_factory=lambda: Jedi(slots=2, kill_grace_s=0.5))
    url: str = ""

    def __post_init__(self) -> None:
        self.settings = Settings(workdir=self.workdir, jedi=self.jedi, database=Database(url=self.url))
        self.engine: Engine = open_engine(self.settings.database_url)
        metadata.create_all(self.engine)
        self.clock = SystemClock()
        self._seqs: dict[tuple[str, int], itertools.count[int]] = {}

    # --- what DEFT does ---

    def order(
        self, kind: str, body: Mapping[str, Any], *, task: int | None = None, dataset: int | None = None
    ) -> None:
        """Post one order, in sequence."""
        name = ("t", task) if task is not None else ("d", dataset or 0)
        seq = next(self._seqs.setdefault(name, itertools.count(1)))
        key = f"{name[0]}{name[1]}-{seq}"
        message = Order(OrderKind(kind), seq, key, body, task_id=task, dataset_id=dataset)
        with writing(self.engine) as conn:
            mailbox.post(conn, [message], self.clock.now())
        hints.bell(self.engine, hints.JEDI).ring()

    def run(self, spec: TaskSpec) -> None:
        """Order a task to run."""
        self.order("run", dump(spec), task=spec.task_id)

    def scan(self, dataset: int, *sources: str) -> None:
        """Order an external dataset to be listed."""
        self.order("scan", dump(Scan(dataset, f"d{dataset}", sources)), dataset=dataset)

    # --- JEDI ---

    def work(self) -> None:
        """Let JEDI work until it is idle."""
        service.work_until_idle(self.settings, self.engine, self.clock)

    def start(self, how: str = "serve", fault: str = "") -> subprocess.Popen[bytes]:
        """Start a JEDI of its own process: serve, once, or child (ends with its standard input)."""
        environ = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2]))
        if fault:
            environ["DEFT_TEST_FAULT"] = fault
        return subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self.workdir), how, self.url],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environ,
        )  # fmt: skip

    # --- what JEDI says ---

    def task(self, task_id: int = 1) -> dict[str, Any]:
        """The report of a task."""
        return self._row(wire_task, wire_task.c.task_id, task_id)

    def edge(self, edge_id: int) -> dict[str, Any]:
        """The report of an input."""
        return self._row(wire_input, wire_input.c.edge_id, edge_id)

    def dataset(self, dataset_id: int) -> dict[str, Any]:
        """The report of a dataset."""
        return self._row(wire_dataset, wire_dataset.c.dataset_id, dataset_id)

    def _row(self, table: sa.Table, column: sa.Column[int], row_id: int) -> dict[str, Any]:
        with reading(self.engine) as conn:
            row = conn.execute(sa.select(table).where(column == row_id)).first()
        return {} if row is None else dict(row._mapping)

    def answer(self, order_id: int) -> dict[str, Any] | None:
        """JEDI's answer to an order."""
        with reading(self.engine) as conn:
            return mailbox.answer_of(conn, order_id)

    def counts(self, task_id: int = 1) -> dict[str, int]:
        """The units of a task by what became of them; zeros left out."""
        row = self.task(task_id)
        names = ("ready", "running", "ok", "failed", "skipped")
        return {name: row[name] for name in names if row.get(name)}

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """All rows of a table, in the order of their ids."""
        with reading(self.engine) as conn:
            return [dict(row._mapping) for row in conn.execute(sa.select(table).order_by(*table.primary_key))]

    def files(self, dataset: str) -> dict[str, str]:
        """The files of an output dataset, with what is in them."""
        folder = self.workdir / "data" / dataset
        return {one.name: one.read_text() for one in sorted(folder.iterdir())} if folder.is_dir() else {}

    def log(self) -> list[str]:
        """What the payloads wrote into the common log."""
        path = self.workdir / "ran.log"
        return path.read_text().split() if path.exists() else []

    def check_books(self) -> None:
        """The counters are those of the rows."""
        units, jobs = self.rows(jedi_job_unit), self.rows(jedi_job)
        for task in self.rows(jedi_task):
            for state in ("ready", "running", "ok", "failed", "skipped"):
                have = sum(u["task_id"] == task["id"] and u["state"] == state for u in units)
                assert task[state] == have, (task["id"], state)
            mine = [job["state"] for job in jobs if job["task_id"] == task["id"]]
            assert task["jobs"] == len(mine)
            assert task["jobs_ok"] == mine.count("ok")
            assert task["jobs_failed"] == sum(mine.count(s) for s in ("failed", "killed", "lost"))
        stored = self.rows(jedi_unit)
        for dataset in self.rows(jedi_dataset):
            mine = [u["state"] for u in stored if u["dataset_id"] == dataset["id"]]
            assert (dataset["available"], dataset["lost"]) == (mine.count("available"), mine.count("lost"))


def until(claim: Callable[[], Any], what: str = "") -> None:
    """Wait for another process to make a claim true."""
    end = time.monotonic() + DEADLINE_S
    while not claim():
        assert time.monotonic() < end, f"never came true: {what}"
        time.sleep(0.01)


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
    """Send a signal to a process of ours and wait for its end."""
    process.send_signal(number)
    process.communicate(timeout=DEADLINE_S)
    return process.returncode


def synthetic(count: int, *, edge: int = 1, dataset: int = 1) -> Input:
    """The input of a task without data."""
    return Input(edge, dataset, f"numbers{dataset}", "number", synthetic=count)


def output(dataset: int, *, type: str = "out", format: str = "") -> Output:
    """An output dataset."""
    return Output(dataset, f"p.m.t.{type}{dataset}", type, format)


def spec(
    command: str, *, inputs: tuple[Input, ...] = (synthetic(1),), task: int = 1, **other: Any
) -> TaskSpec:
    """A task."""
    return TaskSpec(task, 1, "p", "m", f"t{task}", command, inputs=inputs, **other)


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """The summary of a task's report."""
    return dict(json.loads(report["summary"]))
