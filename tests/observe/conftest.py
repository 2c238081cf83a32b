"""A session on a fresh database, for every test of the read side."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from deft.store.session import Session
from tests.support.build import session_on


@pytest.fixture
def session(engine: Engine, tmp_path: Path) -> Session:
    return session_on(engine, tmp_path)
