"""What is installed is whole: every module, and what lies beside them in the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.repository import ROOT, modules, name

BESIDE = ("schemas", "sql", "templates")
SOURCES = ("deft", *BESIDE, "setup.cfg", "pyproject.toml", "README.md", "LICENSE")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built in a copy of it."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    copy.mkdir()
    for source in SOURCES:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, copy / source)
        else:
            shutil.copy(ROOT / source, copy)
    options = ("--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    _pip("wheel", str(copy), *options)
    return next(folder.glob("*.whl"))


def test_a_wheel_has_every_module(wheel: Path) -> None:
    missing = {name(path) for path in modules() if path.is_relative_to(ROOT / "deft")} - _names(wheel)
    assert missing == set()


@pytest.mark.parametrize("folder", BESIDE)
def test_a_wheel_has_what_lies_beside_the_modules(folder: str, wheel: Path) -> None:
    files = {
        path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    assert files
    assert {f"deft/data/{name(path)}" for path in files} - _names(wheel) == set()


def test_a_wheel_has_nothing_compiled(wheel: Path) -> None:
    assert [found for found in _names(wheel) if "__pycache__" in found] == []


def test_an_installed_deft_finds_its_folders(wheel: Path, tmp_path: Path) -> None:
    _pip("install", "--no-deps", "--target", str(tmp_path), str(wheel))
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from deft import data; "
        f"print(*(data.folder(name) for name in {BESIDE!r}), sep='\\n')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = [Path(line) for line in ran.stdout.splitlines()]
    assert [path.is_dir() and path.is_relative_to(tmp_path) for path in found] == [True] * len(BESIDE)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())
