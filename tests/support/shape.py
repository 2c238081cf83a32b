"""The shape of a database as it tells it itself: to compare two databases that should be alike."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine


def shape(engine: Engine) -> dict[str, Any]:
    """Tables, columns, keys, rules and indices as the database itself tells them."""
    found = sa.inspect(engine)
    return {
        table: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c["default"], c.get("comment"), c.get("identity"))
                for c in found.get_columns(table)
            ],
            "indices": sorted((str(i["column_names"]), i["unique"]) for i in found.get_indexes(table)),
            "references": sorted(
                (str(key["name"]), str(key["constrained_columns"]), key["referred_table"])
                for key in found.get_foreign_keys(table)
            ),
            "unique": sorted(str(key["column_names"]) for key in found.get_unique_constraints(table)),
            "rules": sorted(
                (str(rule["name"]), rule["sqltext"]) for rule in found.get_check_constraints(table)
            ),
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "comment": found.get_table_comment(table) if found.dialect.supports_comments else None,
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }
