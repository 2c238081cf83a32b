"""Make the tables of a new database from sql/<dialect>/schema.sql, and know its revision."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError

from deft.base import faults, urls
from deft.base import revision as revisions
from deft.base.database import is_refusal, reading, writing
from deft.base.errors import BadInput, Refused
from deft.base.revision import REVISION
from deft.data import folder

__all__ = ["REVISION", "check", "create", "revision", "statements", "statements_in"]


def revision(engine: Engine) -> str | None:
    """The revision of a database; None where it holds no tables of ours. Raises Unreachable."""
    with reading(engine) as conn:
        return revisions.of(conn)


def create(engine: Engine) -> bool:
    """Make all tables where there are none. Returns whether it did.

    Raises Refused where the database has another revision, BadInput for a dialect without DDL, Unreachable.
    """
    with writing(engine, durable=True) as conn:
        found = revisions.of(conn)
        if found is not None:
            revisions.check(found)
            return False
        try:
            for statement in statements(conn.dialect.name):
                _execute(conn, statement)
        except DatabaseError as fault:
            if sa.inspect(engine).has_table("alembic_version"):
                return False  # another process made them meanwhile
            if is_refusal(fault):
                raise
            raise BadInput(f"the tables could not be made: {fault.orig}") from fault
        faults.point("schema.before-commit")
    faults.point("schema.after-commit")
    return True


def _execute(conn: Connection, statement: str) -> None:
    try:
        conn.exec_driver_sql(statement)
    except DatabaseError as fault:
        # Oracle commits every table at once: what an earlier try left is there already.
        if not str(fault.orig).startswith(_EXISTS):
            raise


_EXISTS = "ORA-00955"


def check(engine: Engine) -> None:
    """Raise Refused unless the database is of the revision this program needs."""
    found = revision(engine)
    if found is None:
        where = urls.shown(engine.url)
        raise Refused(f"the database {where} holds no tables of DEFT yet; `deft init` makes them")
    revisions.check(found)


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
