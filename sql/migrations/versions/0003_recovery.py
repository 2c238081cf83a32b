"""What JEDI needs to make lost data again: jobs that run again, units that wait for the rest of a job.

Each step may be repeated: Oracle commits every DDL statement at once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from deft.base.database import Flag

revision = "0003"
down_revision = "0002"

_STATES = "state in ('ready', 'running', 'ok', 'failed', 'skipped', 'used', 'parked')"
_CHECK = "ck_jedi_job_unit_state"


def upgrade() -> None:
    """Two new columns, one more state of a fed unit."""
    found = sa.inspect(op.get_bind())
    if "parked" not in {column["name"] for column in found.get_columns("jedi_task")}:
        op.add_column("jedi_task", sa.Column(
            "parked", sa.Integer, nullable=False, server_default="0",
            comment="Units of jobs that run again once all their input is back"))  # fmt: skip
    if "remake" not in {column["name"] for column in found.get_columns("jedi_job")}:
        says = "1: it makes what was lost again; 2: under way, and its input has another content"
        op.add_column("jedi_job", sa.Column("remake", Flag, nullable=False, server_default="0", comment=says))
    with op.batch_alter_table("jedi_job_unit") as table:  # SQLite changes no constraint in place
        if _CHECK in {check["name"] for check in found.get_check_constraints("jedi_job_unit")}:
            table.drop_constraint(_CHECK, type_="check")
        table.create_check_constraint(_CHECK, _STATES)
