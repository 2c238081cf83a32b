"""The house keeps its shape: floors, the size of rooms, one subject each."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repository import ROOT, modules, name

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
# It travels to the node alone, as one file of the standard library.
ONE_FILE = {"deft/jedi/wrapper.py": 600}
NO_SUBJECT = frozenset({"util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"})

EVERY_MODULE = pytest.mark.parametrize("path", modules(), ids=name)


def test_every_floor_imports_only_floors_below_it() -> None:
    command: list[str | Path] = [
        Path(sys.executable).with_name("lint-imports"),
        "--config",
        "setup.cfg",
        "--no-cache",
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@EVERY_MODULE
def test_a_module_says_its_subject(path: Path) -> None:
    if path.name == "__init__.py" and not path.read_text(encoding="utf-8"):
        return  # it only makes a folder a package
    docstring = ast.get_docstring(_parsed(path))
    assert docstring, f"{name(path)} has no docstring"
    assert docstring.splitlines()[0].endswith((".", ":")), f"the first line of {name(path)} is no sentence"


@EVERY_MODULE
def test_a_module_is_small_and_has_a_subject(path: Path) -> None:
    assert not NO_SUBJECT & {path.stem, *path.parent.relative_to(ROOT).parts}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= ONE_FILE.get(name(path), MAX_MODULE_LINES)


@EVERY_MODULE
def test_a_function_is_short(path: Path) -> None:
    long = [
        f"{found.name}: {_lines(found)} lines"
        for found in _functions(path)
        if _lines(found) > MAX_FUNCTION_LINES
    ]
    assert long == []


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name(path))


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1
