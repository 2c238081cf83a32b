"""Work for tests of JEDI: payloads that log what they do, and files to map over."""

from __future__ import annotations

from typing import Any

from deft.wire.orders import Input, TaskSpec
from tests.jedi.bench import Bench, spec

LOG = "echo {unit.key} >> $LOG"


def logging_spec(bench: Bench, command: str = LOG, **other: Any) -> TaskSpec:
    """A task whose payloads append their unit to the common log."""
    return spec(command, env={"LOG": str(bench.workdir / "ran.log")}, **other)


def raw_files(bench: Bench, *names: str) -> str:
    folder = bench.workdir / "raw"
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(name + "\n")
    return f"{folder}/*"


RAW = (Input(1, 1, "raw", "raw", closed=True),)
