"""The workbench of the tests of JEDI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jedi.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A work folder with an embedded database."""
    made = Bench(tmp_path)
    yield made
    made.engine.dispose()
