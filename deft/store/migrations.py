"""Bring an existing database to the newest revision with Alembic; the scripts lie in sql/migrations."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.engine import Engine

from deft.base.database import writing
from deft.base.errors import OtherRevision
from deft.data import folder
from deft.store import ddl, schema


def upgrade(engine: Engine, to: str = "head") -> tuple[str | None, str | None]:
    """Upgrade, and make the tables where there are none. Returns the revisions before and after.

    Raises OtherRevision for a database of a revision that this program does not know, Unreachable.
    """
    before = schema.revision(engine)
    if before is None:
        schema.create(engine)
        return before, schema.revision(engine)
    config = Config()
    config.set_main_option("script_location", str(folder("sql") / "migrations").replace("%", "%%"))
    config.attributes["engine"] = engine
    try:
        command.upgrade(config, to)
    except CommandError as fault:
        raise OtherRevision(
            f"there is no way from revision {before} of the database to {schema.REVISION}, the one that this "
            f"program needs ({fault}); use the deft that made it, or a newer one"
        ) from None
    after = schema.revision(engine)
    if before != after == schema.REVISION:
        with writing(engine) as conn:
            ddl.explain(conn)
    return before, after
