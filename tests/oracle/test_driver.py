"""python-oracledb itself, as far as it goes without a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import oracledb
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.oracle import oracledb as dialect
from sqlalchemy.exc import DatabaseError
from sqlalchemy.sql.compiler import SQLCompiler

from deft.base import database
from deft.base.database import open_engine
from deft.base.errors import Contended, DeftError, NotAllowed, Refused, Unreachable
from deft.store.locks import _LOCK
from deft.wire.tables import wire_order
from tests.support.repository import ROOT

URL = "oracle+oracledb://deft:hidden@127.0.0.1:9/?service_name=FREE"


def test_an_oracle_that_does_not_answer_is_told_without_the_password(tmp_path: Path) -> None:
    (tmp_path / "deft.toml").write_text("")
    environ = {**os.environ, "DEFT_DATABASE__URL": URL, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-m", "deft", "list"], env=environ, cwd=tmp_path, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 7, ran.stderr
    assert "127.0.0.1" in ran.stderr
    assert "hidden" not in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        ("ORA-00060: deadlock detected while waiting for resource", Contended),
        ("ORA-08177: can't serialize access for this transaction", Contended),
        ("ORA-01031: insufficient privileges", NotAllowed),
        ("ORA-00942: table or view does not exist", Refused),
        ("DPY-4011: the database or network closed the connection", Unreachable),
    ],
)
def test_what_oracle_says_is_told_apart(says: str, kind: type[DeftError]) -> None:
    """By its manual: these texts were not heard from a server."""
    fault = DatabaseError("SELECT 1 FROM dual", None, oracledb.DatabaseError(says))
    engine = open_engine(URL)
    assert database.is_refusal(fault)
    assert type(database.unreachable(engine, fault)) is kind
    engine.dispose()


def test_its_engine_is_thin() -> None:
    engine = open_engine(URL)
    assert (engine.dialect.name, engine.dialect.driver) == ("oracle", "oracledb")
    assert oracledb.is_thin_mode()
    engine.dispose()


def bound(statement: sa.ClauseElement) -> dict[str, object]:
    """What the driver is told of the types of bound values."""
    spoken: sa.Dialect = dialect.dialect(dbapi=oracledb)  # type: ignore[no-untyped-call]
    compiled = statement.compile(dialect=spoken)
    assert isinstance(compiled, SQLCompiler)
    told: dict[sa.BindParameter[object], object]
    told = compiled._get_set_input_sizes_lookup()  # type: ignore[no-untyped-call]
    return {bind.key: kind for bind, kind in told.items()}


def test_a_list_of_ids_is_handed_over_as_a_clob() -> None:
    """As a string it would have 32,767 bytes at most, some 4,000 ids."""
    assert bound(_LOCK)["ids"] is oracledb.DB_TYPE_CLOB


def test_a_time_keeps_its_fractions() -> None:
    assert bound(sa.insert(wire_order))["created"] is oracledb.DB_TYPE_TIMESTAMP
