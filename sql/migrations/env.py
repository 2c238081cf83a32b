"""Alembic's entry: run the migrations on the engine that deft.store.migrations hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy.engine import Engine

engine: Engine = context.config.attributes["engine"]
with engine.connect() as opened:
    connection = opened.execution_options(deft_write=True, deft_durable=True)
    context.configure(connection=connection, transactional_ddl=engine.dialect.name != "oracle")
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
