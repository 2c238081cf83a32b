"""The revision of the tables: the one this program needs, and the one that a database has.

Whoever stays (a sweep, JEDI) looks again and again: the tables may be changed while it runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.errors import OtherRevision

REVISION = "0006"
"""The newest revision of the schema; sql/migrations leads to it from every earlier one."""


def of(conn: Connection) -> str | None:
    """The revision of a database; None where it holds no tables of ours."""
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    found = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def check(found: str) -> None:
    """Raise OtherRevision unless it is the one that this program needs."""
    if found < REVISION:
        raise OtherRevision(
            f"the database is of revision {found}, older than {REVISION}; `deft db upgrade` brings it up"
        )
    if found > REVISION:
        raise OtherRevision(
            f"the database is of revision {found}, newer than this program's {REVISION}; upgrade deft"
        )
