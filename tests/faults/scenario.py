"""A small Meta-Task whose payloads say when they ran, and the processes that carry it out and are killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base import database, faults
from deft.store.tables import deft_node
from tests.support.repository import ROOT

UNITS = 6
DEADLINE_S = 60.0
KEYS = {
    "node": {"command": "string", "split.jobs": "int", "split.units_per_job": "int"},
    "edge": {"format": "string", "reduce": "boolean", "start_when": "string"},
}
TASKS: dict[str, dict[str, object]] = {
    "gen": {"command": "echo {unit.key} > {output}", "split.jobs": UNITS},
    "map": {"command": "cat {inputs} > {output}", "split.units_per_job": 2},
    "reduce": {"command": "sort -n {inputs} > {output}"},
    "report": {"command": "echo total $(cat {input}) > {output}"},
}
EDGES: dict[tuple[str, str], dict[str, object]] = {
    ("gen", "map"): {"format": "txt", "start_when": "any"},
    ("map", "reduce"): {"format": "txt", "reduce": "true"},
    ("reduce", "report"): {"format": "txt"},
}
# One line at the start and one at the end, each by a single appending write. Whoever runs a job holds its
# lock: another one at the same time finds it taken.
PAYLOAD = (
    "L='{log}' K={task}/$DEFT_JOB; exec 9>>$L.{task}.$DEFT_JOB; "
    'flock -n 9 || echo "overlap $K $DEFT_ATTEMPT" >> $L; echo "start $K $DEFT_ATTEMPT" >> $L; '
    'sleep {pause}; {command}; echo "end $K $DEFT_ATTEMPT" >> $L'
)


def graphml(log: Path, pause_s: float) -> str:
    """The document of the Meta-Task."""
    keys = "".join(
        f'<key id="{scope[0]}.{name}" for="{scope}" attr.name="{name}" attr.type="{kind}"/>'
        for scope, names in KEYS.items()
        for name, kind in names.items()
    )
    nodes = "".join(
        f'<node id="{task}">{_data("n", _with_log(task, settings, log, pause_s))}</node>'
        for task, settings in TASKS.items()
    )
    edges = "".join(
        f'<edge source="{source}" target="{target}">{_data("e", settings)}</edge>'
        for (source, target), settings in EDGES.items()
    )
    name = '<key id="g.name" for="graph" attr.name="name" attr.type="string"/>'
    graph = f'<graph edgedefault="directed"><data key="g.name">crash</data>{nodes}{edges}</graph>'
    return f'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{name}{keys}{graph}</graphml>'


def _with_log(task: str, settings: Mapping[str, object], log: Path, pause_s: float) -> dict[str, object]:
    words = {
        "{log}": str(log),
        "{task}": task,
        "{pause}": str(pause_s),
        "{command}": str(settings["command"]),
    }
    command = PAYLOAD
    for word, value in words.items():
        command = command.replace(word, value)
    return {**settings, "command": command}


def _data(scope: str, settings: Mapping[str, object]) -> str:
    return "".join(f'<data key="{scope}.{k}">{escape(str(v))}</data>' for k, v in settings.items())


class Place:
    """A work folder, its database, and the processes at work there."""

    def __init__(self, folder: Path, url: str | None, *, pause_s: float = 0.01) -> None:
        self.workdir, self.log = folder / "w", folder / "ran.log"
        self.workdir.mkdir()
        self.url = url or f"sqlite:///{self.workdir / 'deft.db'}"
        self.file = folder / "crash.graphml"
        self.file.write_text(graphml(self.log, pause_s))
        self.died = folder / "died"
        self.environ = {
            **{name: text for name, text in os.environ.items() if not name.startswith("DEFT_")},
            "DEFT_WORKDIR": str(self.workdir),
            "DEFT_JEDI__SLOTS": "2",
            "XDG_CONFIG_HOME": str(folder),
            "PYTHONPATH": str(ROOT),
        }
        if url is not None:
            self.environ["DEFT_DATABASE__URL"] = url
        self._said = folder / "said"
        self._engine: Engine | None = None
        self._started: list[subprocess.Popen[bytes]] = []

    def close(self) -> None:
        """Kill whatever is left, and let go of the database."""
        for pid in self.processes():
            kill(pid)
        for process in self._started:
            process.wait()
        if self._engine is not None:
            self._engine.dispose()

    # --- processes ---

    def fault(self, point: str, passing: int, *, stop: bool = False) -> None:
        """From now on the first process that passes that point so often dies there, or stops."""
        self.died.unlink(missing_ok=True)
        self.environ |= {faults.VARIABLE: f"{point}:{passing}", faults.ONCE: str(self.died)}
        self.environ[faults.SIGNAL] = "STOP" if stop else "KILL"

    def no_fault(self) -> None:
        """Nobody dies from now on."""
        for name in (faults.VARIABLE, faults.ONCE, faults.SIGNAL):
            self.environ.pop(name, None)

    def victim(self) -> int:
        """The process that died or stopped of the fault; 0 while none did."""
        with contextlib.suppress(FileNotFoundError):
            return int(self.died.read_text() or 0)
        return 0

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `deft` with these arguments."""
        with self._said.open("ab") as said:
            said.write(f"\n== deft {' '.join(arguments)}\n".encode())
            said.flush()
            process = subprocess.Popen(
                [sys.executable, "-m", "deft", *arguments], cwd=self.workdir, env=self.environ,
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
        self._started.append(process)
        return process

    def do(self, *arguments: str) -> int:
        """Run `deft` to its end."""
        return self.start(*arguments).wait(DEADLINE_S)

    def start_run(self) -> subprocess.Popen[bytes]:
        """Start `deft run` of the scenario."""
        return self.start("run", str(self.file))

    def run(self) -> int:
        """`deft run` of the scenario, to its end."""
        return self.start_run().wait(DEADLINE_S)

    def processes(self) -> dict[int, str]:
        """Every living process at work here, with its command line: DEFT, JEDI, wrappers, payloads."""
        mark = b"DEFT_WORKDIR=" + os.fsencode(self.workdir)
        found = {}
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(folder.name)] = os.fsdecode(words)
        return found

    def find(self, word: str) -> list[int]:
        """Living processes here with that word in their command line."""
        return sorted(pid for pid, words in self.processes().items() if word in words)

    # --- what is known of it ---

    @property
    def engine(self) -> Engine:
        """The database, as the test reads it."""
        if self._engine is None:
            self._engine = database.open_engine(self.url)
        return self._engine

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """All rows of a table, in the order of their ids."""
        with database.reading(self.engine) as conn:
            return [dict(row._mapping) for row in conn.execute(sa.select(table).order_by(*table.primary_key))]

    def states(self) -> dict[str, str]:
        """The state of every task."""
        return {row["name"]: row["state"] for row in self.rows(deft_node) if row["kind"] == "task"}

    def is_done(self) -> bool:
        """Whether every task is done."""
        return set(self.states().values()) == {"done"}

    def lines(self) -> list[list[str]]:
        """What the payloads wrote: word, job key, token."""
        return [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def said(self) -> str:
        """Everything that commands, JEDI and wrappers printed."""
        paths = [self._said, *sorted((self.workdir / "log").glob("*.log"))]
        return "\n".join(f"-- {path.name}\n{path.read_text()}" for path in paths if path.exists())


def until(claim: Callable[[], Any], what: str) -> None:
    """Wait for other processes to make a claim true."""
    end = time.monotonic() + DEADLINE_S
    while not claim():
        assert time.monotonic() < end, f"never came true: {what}"
        time.sleep(0.02)


def has_stopped(pid: int) -> bool:
    """Whether a process stands still (SIGSTOP has come into force)."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"T"
    return False


def kill(*pids: int) -> None:
    """SIGKILL, all at the same moment."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def names(points: Sequence[tuple[str, int]]) -> list[str]:
    """The ids of tests of a point and a passing."""
    return [f"{point}:{passing}" for point, passing in points]
