"""Jobs on batch systems: the arrays they go in, what they asked for, and where the jobs of a task run.

Each step may be repeated: Oracle commits every DDL statement at once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from deft.base.database import Utc, Word

revision = "0006"
down_revision = "0005"

_COLUMNS: dict[str, tuple[tuple[str, sa.types.TypeEngine[object], str], ...]] = {
    "jedi_task": (("cluster", Word, "Where its jobs run; null: where the settings say"),),
    "jedi_job": (
        ("memory_mb", sa.Integer(), "What it needs, once its task's own was too little"),
        ("walltime_s", sa.Integer(), "The same, of time"),
    ),
    "jedi_attempt": (
        ("submission_id", sa.BigInteger(), "The array it went in; null: none"),
        ("array_index", sa.Integer(), "Its place there, from 0"),
        ("asked_mb", sa.Integer(), "Memory asked for; null: whatever the cluster gives"),
        ("asked_s", sa.Integer(), "Walltime asked for; null: whatever the cluster gives"),
    ),
}


def upgrade() -> None:
    """One new table, and columns that may be null."""
    found = sa.inspect(op.get_bind())
    for table, columns in _COLUMNS.items():
        known = {column["name"] for column in found.get_columns(table)}
        for name, kind, comment in columns:
            if name not in known:
                op.add_column(table, sa.Column(name, kind, comment=comment))
    if not found.has_table("jedi_submission"):
        _create()


def _create() -> None:
    op.create_table(
        "jedi_submission",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True,
                  autoincrement=False, comment="In the order in which arrays were made"),
        sa.Column("cluster", Word, nullable=False),
        sa.Column("token", Word, nullable=False, comment="The name of the array there: looked up by it"),
        sa.Column("size", sa.Integer, nullable=False, comment="Elements, from 0"),
        sa.Column("created", Utc, nullable=False, comment="When it was intended"),
        sa.Column("job_id", Word,
                  comment="The cluster's own id, which it may give again; null: not known yet"),
        sa.Column("accepted", Utc, comment="When the cluster had taken it"),
        sa.PrimaryKeyConstraint("id", name="pk_jedi_submission"),
        sa.UniqueConstraint("token", name="uq_jedi_submission_token"),
        comment="Attempts given to a batch system as one array; written before it hears of them",
    )  # fmt: skip
