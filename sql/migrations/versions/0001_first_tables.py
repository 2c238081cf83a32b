"""The first tables: a database without any gets those of sql/<dialect>/schema.sql at once.

Revisions after this one change them step by step; each step must be safe to repeat, because Oracle commits
every DDL statement at once.
"""

from __future__ import annotations

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing: `deft db upgrade` makes new tables itself, from the readable DDL."""
