"""A folder of its own for each test, far from the settings of whoever runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.scene import Leash, Place, surroundings


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder, and commands in it."""
    folder = tmp_path / "here"
    folder.mkdir()
    return Place(folder, surroundings(tmp_path))


@pytest.fixture
def leash(tmp_path: Path) -> Iterator[Leash]:
    """Payloads that wait for the test."""
    made = Leash(tmp_path / "leash")
    yield made
    made.close()
