"""A command starts fast: it imports and spends no more than it needs."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT, deft

HELLO = ROOT / "docs" / "examples" / "hello.graphml"
QUICK = ("status hello", "list", "hold hello --dry-run", "jobs hello")
HEAVY = ("networkx", "lxml", "alembic")
TRIES = 5  # the least of them: what else the machine does only ever adds

PROBE = """
import atexit, sys
atexit.register(lambda: print("MODULES", *sorted({name.partition(".")[0] for name in sys.modules})))
from deft.__main__ import main
sys.argv = ["deft", *sys.argv[1:]]
main()
"""


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder with one Meta-Task."""
    folder = tmp_path_factory.mktemp("start") / "work"
    for command in (("init",), ("import", str(HELLO))):
        made = deft(*command, "--workdir", str(folder))
        assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.parametrize("command", QUICK)
def test_a_quick_command_imports_nothing_heavy(command: str, workdir: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, *command.split(), "--workdir", str(workdir)],
        capture_output=True,
        text=True,
        check=False,
    )
    imported = ran.stdout.rpartition("MODULES")[2].split()
    assert "sqlalchemy" in imported, ran.stdout + ran.stderr
    assert ran.returncode == 0, ran.stderr
    assert [module for module in HEAVY if module in imported] == []


def test_help_imports_no_database() -> None:
    ran = subprocess.run([sys.executable, "-c", PROBE, "--help"], capture_output=True, text=True, check=True)
    assert "sqlalchemy" not in ran.stdout.rpartition("MODULES")[2].split()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "floor", "times"),
    [("--help", "import click", 2.5), *((command, "import click, sqlalchemy", 2.0) for command in QUICK)],
)
def test_a_command_spends_little_more_than_its_libraries(
    command: str, floor: str, times: float, workdir: Path
) -> None:
    # A ratio within one run, since a busy machine is slow for both; seconds are for tests/bench.
    environ = {**os.environ, "DEFT_WORKDIR": str(workdir)}
    pairs = [(_command_s(command, environ), _floor_s(floor)) for _ in range(TRIES)]
    assert min(own for own, _ in pairs) < times * min(least for _, least in pairs)


def _command_s(command: str, environ: dict[str, str]) -> float:
    before = _children_s()
    deft(*command.split(), environ=environ)
    return _children_s() - before


def _floor_s(program: str) -> float:
    before = _children_s()
    subprocess.run([sys.executable, "-c", program], check=True)
    return _children_s() - before


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
