"""Make the tables of a new database from sql/<dialect>/schema.sql, and know its revision."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError

from deft.base import faults
from deft.base.database import reading, writing
from deft.base.errors import BadInput, Refused
from deft.data import folder

REVISION = "0004"
"""The newest revision of the schema; sql/migrations leads to it from every earlier one."""


def revision(engine: Engine) -> str | None:
    """The revision of a database; None where it holds no tables of ours. Raises Unreachable."""
    with reading(engine) as conn:
        return _revision(conn)


def _revision(conn: Connection) -> str | None:
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    found = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def create(engine: Engine) -> bool:
    """Make all tables where there are none. Returns whether it did.

    Raises Refused where the database has another revision, BadInput for a dialect without DDL, Unreachable.
    """
    with writing(engine, durable=True) as conn:
        found = _revision(conn)
        if found is not None:
            _check(found)
            return False
        try:
            for statement in statements(conn.dialect.name):
                conn.exec_driver_sql(statement)
        except DatabaseError as fault:
            if sa.inspect(engine).has_table("alembic_version"):
                return False  # another process made them meanwhile
            raise BadInput(f"the tables could not be made: {fault.orig}") from fault
        faults.point("schema.before-commit")
    faults.point("schema.after-commit")
    return True


def check(engine: Engine) -> None:
    """Raise Refused unless the database is of the revision this program needs."""
    found = revision(engine)
    if found is None:
        where = engine.url.render_as_string(hide_password=True)
        raise Refused(f"the database {where} holds no tables of DEFT yet; `deft init` makes them")
    _check(found)


def _check(found: str) -> None:
    if found < REVISION:
        raise Refused(
            f"the database is of revision {found}, older than {REVISION}; `deft db upgrade` brings it up"
        )
    if found > REVISION:
        raise Refused(
            f"the database is of revision {found}, newer than this program's {REVISION}; upgrade deft"
        )


def statements(dialect: str) -> list[str]:
    """The statements of a dialect's schema.sql. Raises BadInput for a dialect without one."""
    path = folder("sql") / dialect / "schema.sql"
    if not path.is_file():
        raise BadInput(f"DEFT has no tables for {dialect}; known: sqlite, postgresql, oracle")
    return statements_in(path.read_text(encoding="utf-8"))


def statements_in(script: str) -> list[str]:
    """The statements of a schema.sql, without its comments."""
    text = "\n".join(line for line in script.splitlines() if not line.startswith("--"))
    return [statement.strip() for statement in text.split(";\n") if statement.strip()]
