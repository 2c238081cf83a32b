"""PyUtilib itself, and modules with workflows, each of a name of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.workflows import need_pyutilib

HEAD = """
import pyutilib.workflow

class Add(pyutilib.workflow.Task):
    def __init__(self, *args, **kwds):
        super().__init__(*args, **kwds)
        self.inputs.declare("x")
        self.inputs.declare("y")
        self.outputs.declare("z")

    def execute(self):
        self.z = self.x + self.y


class Total(pyutilib.workflow.Task):
    def __init__(self, *args, **kwds):
        super().__init__(*args, **kwds)
        self.inputs.declare("all", action="append")
        self.outputs.declare("sum")

    def execute(self):
        self.sum = sum(self.all)


def of(*tasks):
    workflow = pyutilib.workflow.Workflow()
    for task in tasks:
        workflow.add(task)
    return workflow
"""
_NUMBERS = count()
Write = Callable[[str], str]


@pytest.fixture(scope="session", autouse=True)
def library() -> None:
    """Skip where it is missing."""
    need_pyutilib()


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a module in the test's folder; its name. What was imported of them is forgotten at the end."""
    made: list[str] = []

    def written(text: str) -> str:
        made.append(f"flow_{next(_NUMBERS)}")
        (tmp_path / f"{made[-1]}.py").write_text(HEAD + text, encoding="utf-8")
        return made[-1]

    yield written
    for name in made:
        sys.modules.pop(name, None)
