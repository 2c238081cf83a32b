"""Fixtures: fresh databases on SQLite and on a real PostgreSQL, the same test on each.

database_url    the URL of a fresh, empty database; the test runs once for each kind
engine          an Engine on that database, with every table of DEFT, the wire and JEDI in it
database_kind   "sqlite" or "postgresql"; a test for one alone says
                `@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)`
postgres        the PostgreSQL cluster of this pytest process; `restart`, `stop`, `start` for rough tests
"""

from __future__ import annotations

import importlib
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from deft.base import database
from tests.support import postgres as server
from tests.support.needs import need

KINDS = ("sqlite", "postgresql")
TABLES = ("deft.store.tables", "deft.wire.tables", "deft.jedi.tables")
EMPTY = "template0"
WITH_TABLES = "deft_template"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[server.Cluster]:
    """The throwaway PostgreSQL cluster of this process, started when the first test asks for it."""
    programs = server.find_programs()
    need("PostgreSQL (the server's programs)", programs, server.HOW)
    assert programs is not None
    cluster = server.open_cluster(programs)
    yield cluster
    cluster.close()


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database: empty, or with all tables where the test takes `engine` too."""
    with_tables = "engine" in request.fixturenames
    if database_kind == "sqlite":
        path = tmp_path / "deft.db"
        if with_tables:
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    cluster: server.Cluster = request.getfixturevalue("postgres")
    template = request.getfixturevalue("postgresql_template") if with_tables else EMPTY
    name = f"test_{next(_numbers)}"
    cluster.create_database(name, template)
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An Engine on a fresh database with every table."""
    made = database.open_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "deft.db"
    create_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgres: server.Cluster) -> str:
    """The name of a database with all tables, to be copied."""
    postgres.create_database(WITH_TABLES)
    create_tables(postgres.url(WITH_TABLES))
    return WITH_TABLES


def create_tables(url: str) -> None:
    """Make every table of DEFT, the wire and JEDI in an empty database."""
    for module in TABLES:
        importlib.import_module(module)
    engine = database.open_engine(url)
    try:
        database.metadata.create_all(engine)
    finally:
        engine.dispose()
