"""Bring an existing database to the newest revision with Alembic; the scripts lie in sql/migrations."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Engine

from deft.data import folder
from deft.store import schema


def upgrade(engine: Engine) -> tuple[str | None, str | None]:
    """Upgrade, and make the tables where there are none. Returns the revisions before and after."""
    before = schema.revision(engine)
    if before is None:
        schema.create(engine)
        return before, schema.revision(engine)
    config = Config()
    config.set_main_option("script_location", str(folder("sql") / "migrations").replace("%", "%%"))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
    return before, schema.revision(engine)
