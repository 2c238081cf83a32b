"""A folder of its own for each test, far from the settings of whoever runs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.scene import Leash, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder, and commands in it."""
    folder = tmp_path / "here"
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DEFT_", "XDG_"))}
    kept |= {"HOME": str(tmp_path), "DEFT_JEDI__SLOTS": "2"}
    return Place(folder, kept)


@pytest.fixture
def leash(tmp_path: Path) -> Iterator[Leash]:
    """Payloads that wait for the test."""
    made = Leash(tmp_path / "leash")
    yield made
    made.close()
