"""Fixtures: fresh databases on SQLite and on a real PostgreSQL, the same test on each.

Where DEFT_TEST_ORACLE_URL names an Oracle, each of these tests runs there too. All of its user's tables with
our prefixes are dropped, before and after each test: give it a user of its own, and one process (-n 0).

database_url    the URL of a fresh, empty database; the test runs once for each kind
engine          an Engine on that database, with every table of DEFT, the wire and JEDI in it
database_kind   "sqlite", "postgresql" or "oracle"; a test for one alone says
                `@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)`
postgres        the PostgreSQL cluster of this pytest process; `restart`, `stop`, `start` for rough tests
"""

from __future__ import annotations

import importlib
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base import database
from tests.support import postgres as server
from tests.support.needs import need

ORACLE_URL = os.environ.get("DEFT_TEST_ORACLE_URL", "")
KINDS = ("sqlite", "postgresql", *(["oracle"] if ORACLE_URL else []))
TABLES = ("deft.store.tables", "deft.wire.tables", "deft.jedi.tables")
OURS = ("deft_", "wire_", "jedi_", "alembic_version")
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
    if database_kind == "oracle":
        clear(ORACLE_URL)
        if with_tables:
            create_tables(ORACLE_URL)
        yield ORACLE_URL
        clear(ORACLE_URL)
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


def clear(url: str) -> None:
    """Drop every table of ours that an Oracle user owns."""
    engine = database.open_engine(url)
    try:
        with database.writing(engine) as conn:
            for name in sa.inspect(conn).get_table_names():
                if name.startswith(OURS):
                    conn.exec_driver_sql(f"DROP TABLE {name} CASCADE CONSTRAINTS PURGE")
    finally:
        engine.dispose()


def create_tables(url: str) -> None:
    """Make every table of DEFT, the wire and JEDI in an empty database."""
    for module in TABLES:
        importlib.import_module(module)
    engine = database.open_engine(url)
    try:
        database.metadata.create_all(engine)
    finally:
        engine.dispose()
