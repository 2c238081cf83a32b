"""SQLite only: the ids of reports and answers become the row ids of their tables, found without an index.

`BIGINT PRIMARY KEY` is looked up in an index first there; `INTEGER PRIMARY KEY` is the row itself.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_KEYS = {
    "wire_task": "task_id",
    "wire_input": "edge_id",
    "wire_dataset": "dataset_id",
    "wire_answer": "order_id",
}


def upgrade() -> None:
    """Another type of four keys."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for name, key in _KEYS.items():
        with op.batch_alter_table(name, recreate="always") as table:
            table.alter_column(
                key, type_=sa.Integer(), existing_type=sa.BigInteger(), existing_nullable=False
            )
