"""Commands of operators as a log; the series of a dataset, which `reset --discard` counts up.

Each step may be repeated: Oracle commits every DDL statement at once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from deft.base.database import Id, Name, Utc, Word

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Two new tables, one new column."""
    found = sa.inspect(op.get_bind())
    if not found.has_table("deft_command"):
        _commands()
    if not found.has_table("deft_command_metatask"):
        _metatasks_of_commands()
    if "series" not in {column["name"] for column in found.get_columns("deft_dataset")}:
        op.add_column("deft_dataset", sa.Column(
            "series", sa.Integer, nullable=False, server_default="1",
            comment="In its name; +1 when it is discarded"))  # fmt: skip


def _commands() -> None:
    op.create_table(
        "deft_command",
        sa.Column("id", Id, primary_key=True, autoincrement=True),
        sa.Column(
            "idempotency_key", Name, comment="Given again, the first answer is given again; null if refused"
        ),
        sa.Column("actor", Name, nullable=False, comment="Who: user@host"),
        sa.Column("verb", Word, nullable=False),
        sa.Column("selection", sa.Text, comment="What it was to act on, as it was written"),
        sa.Column("options", sa.Text, nullable=False, comment="JSON: what else was said"),
        sa.Column("created", Utc, nullable=False),
        sa.Column("outcome", Word, nullable=False, comment="done or refused"),
        sa.Column(
            "tasks", sa.Integer, nullable=False, server_default="0", comment="How many tasks it changed"
        ),
        sa.Column("why", sa.Text, comment="Why it was refused"),
        sa.Column("answer", sa.Text, comment="JSON: its answer, where it has a key"),
        sa.PrimaryKeyConstraint("id", name="pk_deft_command"),
        sa.UniqueConstraint("idempotency_key", name="uq_deft_command_idempotency_key"),
        comment="Commands of operators and what came of them: append-only",
    )


def _metatasks_of_commands() -> None:
    name = "deft_command_metatask"
    op.create_table(
        name,
        sa.Column("command_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("metatask_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("command_id", "metatask_id", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["command_id"], ["deft_command.id"], name=f"fk_{name}_command_id"),
        sa.ForeignKeyConstraint(["metatask_id"], ["deft_metatask.id"], name=f"fk_{name}_metatask_id"),
        comment="The Meta-Tasks that a command was about",
    )
    op.create_index(f"ix_{name}_metatask_id_command_id", name, ["metatask_id", "command_id"])
