"""The place where processes die."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.scenario import Place
from tests.support.needs import need


@pytest.fixture
def place(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A work folder on each kind of database."""
    need("flock", shutil.which("flock"), "Bring it: apt-get install util-linux.")
    url = None if database_kind == "sqlite" else request.getfixturevalue("database_url")
    made = Place(tmp_path, url)
    yield made
    made.close()
