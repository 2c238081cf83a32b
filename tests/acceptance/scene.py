"""What the acceptance tests share: small GraphML files, commands as a user gives them, payloads on a leash.

A payload tells a test where it is, and waits for it, by a `Leash`: two FIFOs, so that nobody sleeps.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock
from xml.sax.saxutils import escape

from deft.cli.root import main
from tests.support.repository import deft

PATIENCE_S = 60.0
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="g.name" for="graph" attr.name="name" attr.type="string"/>
  <key id="n.kind" for="node" attr.name="kind" attr.type="string"/>
  <key id="n.command" for="node" attr.name="command" attr.type="string"/>
  <key id="n.split.jobs" for="node" attr.name="split.jobs" attr.type="int"/>
  <key id="n.armed" for="node" attr.name="armed" attr.type="boolean"/>
  <key id="n.resources.walltime_s" for="node" attr.name="resources.walltime_s" attr.type="int"/>
  <key id="n.retry.max_attempts" for="node" attr.name="retry.max_attempts" attr.type="int"/>
  <key id="e.source" for="edge" attr.name="source" attr.type="string"/>
  <key id="e.format" for="edge" attr.name="format" attr.type="string"/>
  <key id="e.reduce" for="edge" attr.name="reduce" attr.type="boolean"/>
  <graph edgedefault="directed">
    <data key="g.name">{name}</data>
"""
_TAIL = "  </graph>\n</graphml>\n"


@dataclass(frozen=True, slots=True)
class Task:
    """A node: its command, and what it says besides."""

    command: str
    jobs: int = 1
    walltime_s: int = 600
    attempts: int = 1
    armed: bool = True


def graph(
    folder: Path,
    tasks: Mapping[str, Task | str],
    edges: Sequence[tuple[str, str]] = (),
    *,
    name: str = "m",
    source: str | None = None,
) -> Path:
    """Write a GraphML file; an edge `("files", task)` brings the external files of `source`."""
    body = ['<node id="files"><data key="n.kind">entry</data></node>'] if source is not None else []
    for task_name, given in tasks.items():
        task = Task(given) if isinstance(given, str) else given
        values = {
            "command": task.command,
            "split.jobs": str(task.jobs) if task.jobs > 1 else None,
            "armed": None if task.armed else "false",
            "resources.walltime_s": str(task.walltime_s),
            "retry.max_attempts": str(task.attempts),
        }
        said = (f'<data key="n.{key}">{escape(value)}</data>' for key, value in values.items() if value)
        body.append(f'<node id="{task_name}">{"".join(said)}</node>')
    for producer, consumer in edges:
        key, value = ("source", source or "") if producer == "files" else ("reduce", "true")
        data = f'<data key="e.format">txt</data><data key="e.{key}">{escape(value)}</data>'
        body.append(f'<edge source="{producer}" target="{consumer}">{data}</edge>')
    path = folder / f"{name}.graphml"
    path.write_text(_HEAD.format(name=name) + "\n".join(f"    {one}" for one in body) + "\n" + _TAIL)
    return path


def surroundings(home: Path) -> dict[str, str]:
    """An environment without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DEFT_", "XDG_"))}
    return kept | {"HOME": str(home), "DEFT_JEDI__SLOTS": "2"}


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Place:
    """A folder with a work folder `W` in it, and commands given there."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """The work folder."""
        return self.folder / "W"

    def deft(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Give a command; `W` is the work folder of those that name none."""
        surroundings = {"DEFT_WORKDIR": str(self.work), **self.environ, **environ}
        return deft(*arguments, cwd=self.folder, environ=surroundings)

    def run(self, path: Path | str, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """`deft run` with the work folder named, as in the README."""
        return deft(
            "run", str(path), "--workdir", "W", *options, cwd=self.folder, environ={**self.environ, **environ}
        )

    def said(self, *arguments: str, **environ: str) -> Said:
        """The same within this process, which is quicker: exit code, standard output, standard error."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        surroundings = {"DEFT_WORKDIR": str(self.work), **self.environ, **environ}
        with (
            mock.patch.dict(os.environ, surroundings, clear=True),
            mock.patch.object(sys, "argv", ["deft", *arguments]),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 0
        out.seek(0)
        err.seek(0)
        told = Said(code, out.read(), err.read())
        assert "Traceback" not in told.err
        assert "fault of DEFT itself" not in told.err, told.err
        return told

    def answered(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Give a command, and this to what it asks."""
        surroundings = {"DEFT_WORKDIR": str(self.work), **self.environ}
        return subprocess.run(
            (sys.executable, "-m", "deft", *arguments), cwd=self.folder, env=surroundings, text=True,
            input=text, capture_output=True, check=False,
        )  # fmt: skip

    def ok(self, *arguments: str) -> str:
        """Give a command that must succeed; what it printed."""
        ran = self.deft(*arguments)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def until(self, words: str, *question: str) -> None:
        """Ask again and again until the answer holds these words."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in (answer := self.said(*question).out):
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)

    def text(self, path: str) -> str:
        """What the one file under this pattern holds, seen from the work folder."""
        (found,) = self.work.glob(path)
        return found.read_text()

    @contextmanager
    def started(self, *arguments: str, **environ: str) -> Iterator[Started]:
        """A command that runs beside the test; killed with it."""
        surroundings = {"DEFT_WORKDIR": str(self.work), **self.environ, **environ}
        process = subprocess.Popen(
            (sys.executable, "-m", "deft", *arguments), cwd=self.folder, env=surroundings, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            yield Started(process)
        finally:
            process.kill()
            process.communicate()


@dataclass(frozen=True, slots=True)
class Started:
    """A command that runs."""

    process: subprocess.Popen[str]

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def wait_for(self, word: str) -> None:
        """Until it says this on standard error."""
        assert self.process.stderr is not None
        stream, told, deadline = self.process.stderr.fileno(), b"", time.monotonic() + PATIENCE_S
        while word.encode() not in told:
            ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(stream, 65536) if ready else b""
            assert piece, f"not a word of {word!r}: {told.decode()}"
            told += piece

    def child(self) -> int:
        """The process id of its executor."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(listed[0])

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def end(self) -> tuple[int, str, str]:
        """Wait for its end: exit code, standard output, standard error."""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err


class Leash:
    """Payloads on a leash: `command` says that it is there, then waits until it is let go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        for name in ("here", "go"):
            os.mkfifo(folder / name)
        self._here = os.open(folder / "here", os.O_RDWR | os.O_NONBLOCK)
        self._go = os.open(folder / "go", os.O_RDWR | os.O_NONBLOCK)

    @property
    def command(self) -> str:
        """The shell commands of the payload: each run is noted in the file `ran`."""
        here, ran = self._folder / "here", self._folder / "ran"
        return (
            f"echo begin {{unit.key}} >> {ran}; echo x > {here}; read word < {self._folder}/go; "
            f"echo end {{unit.key}} >> {ran}; echo {{unit.key}} > {{output}}"
        )

    @property
    def ran(self) -> list[str]:
        """What the payloads noted, in order."""
        return (self._folder / "ran").read_text().splitlines()

    def wait(self, payloads: int = 1) -> None:
        """Until so many payloads (more) are there."""
        told, deadline = 0, time.monotonic() + PATIENCE_S
        while told < payloads:
            ready, _, _ = select.select([self._here], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "no payload came"
            # A line is two bytes; several may come at once.
            told += os.read(self._here, 2 * (payloads - told)).count(b"\n")

    def release(self, payloads: int = 1) -> None:
        """Let so many of them go on."""
        os.write(self._go, b"\n" * payloads)

    def let_all_go(self) -> None:
        """From now on nobody waits."""
        (self._folder / "go").unlink()
        (self._folder / "go").write_text("\n")
        os.write(self._go, b"\n" * 16)

    def close(self) -> None:
        """Let go of the FIFOs."""
        os.close(self._here)
        os.close(self._go)
