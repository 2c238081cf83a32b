"""Alembic's entry: run the migrations on the engine that deft.store.migrations hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy.engine import Connection, Engine

from deft.base.errors import Refused


def _references(connection: Connection, on: bool) -> None:
    """SQLite follows foreign keys or not; it hears that outside of a transaction only."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({f"{row[0]} -> {row[2]}" for row in broken}))
        raise Refused(f"{len(broken)} rows refer to what is not there ({tables}); nothing was changed")


engine: Engine = context.config.attributes["engine"]
sqlite = engine.dialect.name == "sqlite"
with engine.connect() as opened:
    # A table of SQLite is changed by making another one and dropping the first, whatever refers to it.
    if sqlite:
        _references(opened, on=False)
    try:
        connection = opened.execution_options(deft_write=True, deft_durable=True)
        context.configure(connection=connection, transactional_ddl=engine.dialect.name != "oracle")
        with context.begin_transaction():
            context.run_migrations()
            if sqlite:
                _check_references(connection)
        connection.commit()
    finally:
        if sqlite:
            opened.rollback()
            _references(opened, on=True)
