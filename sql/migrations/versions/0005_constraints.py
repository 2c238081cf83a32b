"""What rows may hold becomes a matter of the database: words, flags, counters, references, one key an order.

On PostgreSQL the ids become identity columns, which need no grant of their own. On SQLite a table gets a
constraint only by being made anew. There were no earlier tables on Oracle that could take a row.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from deft.base.errors import Refused

revision = "0005"
down_revision = "0004"

_STATES = "defined waiting running done finished failed exhausted aborted broken"
_JOB_STATES = "planned submitting queued running ok failed killed lost cancelled"
_ORDERS = "run spec hold resume finish abort retry recover discard grow close limit scan"
_ONE = "task_id IS NULL AND dataset_id IS NOT NULL OR task_id IS NOT NULL AND dataset_id IS NULL"
_UNITS = ("ready", "running", "ok", "failed", "skipped", "jobs", "jobs_running", "jobs_ok", "jobs_failed")


def _one_of(column: str, words: str) -> str:
    # Not IN: for every row that changes SQLite would make a table of the words first.
    return " OR ".join(f"{column} = '{word}'" for word in words.split())


def _flags(*columns: str) -> str:
    return " AND ".join(f"{column} IN (0, 1)" for column in columns)


def _counters(*columns: str) -> str:
    return " AND ".join(f"{column} >= 0" for column in columns)


_CHECKS: dict[str, dict[str, str]] = {
    "deft_metatask": {"flags": _flags("hold")},
    "deft_node": {
        "state": _one_of("state", _STATES),
        "kind": _one_of("kind", "task entry exit metatask"),
        "flags": _flags(
            "complete", "arms", "armed", "hold", "force", "finish", "abort", "started", "allow_empty"
        ),
        "counters": _counters("position", "depth", "done_revision", "order_seq"),
        "goal": "goal >= 0 AND goal <= 1",
    },
    "deft_dataset": {
        "membership": _one_of("membership", "declared open closed retired"),
        "flags": _flags("open"),
        "counters": _counters("order_seq", "synthetic"),
        "revisions": "revision >= 1 AND series >= 1",
        "source": "producer_id IS NULL OR (open = 0 AND synthetic = 0)",
    },
    "deft_edge": {
        "role": _one_of("role", "primary secondary"),
        "start_kind": _one_of("start_kind", "complete count percent"),
        "on_growth": _one_of("on_growth", "process ask ignore"),
        "on_loss": _one_of("on_loss", "wait proceed"),
        "on_abort": _one_of("on_abort", "propagate use_partial"),
        "flags": _flags("reduce"),
        "counters": _counters("start_amount"),
        "ends": "source_id <> target_id",
    },
    "deft_control": {
        "kind": _one_of("kind", "armed hold force finish abort"),
        "mode": _one_of("mode", "drain requeue kill"),
    },
    "deft_count": {"state": _one_of("state", _STATES), "counters": _counters("tasks")},
    "deft_history": {"old": _one_of("old", _STATES), "new": _one_of("new", _STATES)},
    "deft_command": {"outcome": _one_of("outcome", "done refused"), "counters": _counters("tasks")},
    "wire_order": {
        "about": _ONE,
        "kind": _one_of("kind", _ORDERS),
        "flags": _flags("pending"),
        "seq": "seq >= 1",
        "applied": "pending = 1 OR applied IS NOT NULL",
        "key": "idempotency_key = CASE WHEN task_id IS NULL THEN 'd' || dataset_id ELSE 't' || task_id END "
        "|| '-' || seq",
    },
    "wire_task": {"flags": _flags("idle", "rejected"), "counters": _counters("order_seq_applied", *_UNITS)},
    "wire_input": {"counters": _counters("unfed", "missing", "seen_version")},
    "wire_dataset": {
        "counters": _counters(
            "order_seq_applied", "available", "lost", "expected", "events", "bytes", "version"
        )
    },
    "wire_changed": {"about": _ONE},
    "jedi_dataset": {
        "flags": _flags("synthetic"),
        "counters": _counters("order_seq", "version", "available", "lost", "expected", "events", "bytes"),
    },
    "jedi_unit": {"state": _one_of("state", "available lost"), "counters": _counters("bytes", "events")},
    "jedi_task": {
        "flags": _flags("idle", "rejected", "no_feed", "hard"),
        "held": _one_of("held", "drain requeue kill"),
        "counters": _counters("order_seq", *_UNITS, "last_number", "parked"),
    },
    "jedi_input": {
        "role": _one_of("role", "primary secondary"),
        "flags": _flags("reduce", "closed"),
        "counters": _counters("unfed", "missing"),
    },
    "jedi_job": {
        "state": _one_of("state", _JOB_STATES),
        "counters": _counters("units", "attempts", "charged", "losses"),
        "remake": "remake IN (0, 1, 2)",
    },
    "jedi_job_unit": {
        "state": _one_of("state", "ready running ok failed skipped used parked"),
        "counters": _counters("attempts"),
    },
    "jedi_attempt": {"state": _one_of("state", _JOB_STATES), "open": "open = 1"},
}
# Table, column, and the table and column that it refers to.
_KEYS = (
    ("wire_answer", "order_id", "wire_order", "id"),
    ("jedi_job_unit", "edge_id", "jedi_input", "edge_id"),
    ("jedi_job_unit", "job_id", "jedi_job", "id"),
)
_NUMBERED = (
    "deft_metatask", "deft_node", "deft_dataset", "deft_edge", "deft_control", "deft_history", "deft_command",
    "deft_dirty", "wire_order", "wire_changed",
)  # fmt: skip


def upgrade() -> None:
    """Every table but the lease's. Raises Refused, and changes nothing, where a row breaks a rule."""
    conn = op.get_bind()
    if conn.dialect.name == "oracle":
        raise Refused("tables of that age take no rows on Oracle: drop them, and `deft init` makes them anew")
    _look(conn)
    _orders()
    for table in sorted({*_CHECKS, *(key[0] for key in _KEYS)}):
        _constrain(conn, table)
    if conn.dialect.name == "postgresql":
        for table in _NUMBERED:
            _number(conn, table)


def _look(conn: sa.Connection) -> None:
    found = []
    for table, checks in _CHECKS.items():
        for name, rule in checks.items():
            found.append((f"{table}: {name}", f"SELECT count(*) FROM {table} WHERE NOT ({rule})"))
    for table, column, target, key in _KEYS:
        orphans = (
            f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND NOT EXISTS "
            f"(SELECT 1 FROM {target} WHERE {target}.{key} = {table}.{column})"
        )
        found.append((f"{table}: {column} refers to {target}", orphans))
    counts = ((rule, int(conn.exec_driver_sql(query).scalar() or 0)) for rule, query in found)
    broken = [f"{rows} rows break {rule}" for rule, rows in counts if rows]
    if broken:
        raise Refused(f"the database holds what must not be there: {'; '.join(broken)}; nothing was changed")


def _orders() -> None:
    """Its key tells orders apart: to Oracle UNIQUE (task_id, seq) means another thing than to the others."""
    with op.batch_alter_table("wire_order") as table:
        for column in ("task_id", "dataset_id"):
            table.drop_constraint(f"uq_wire_order_{column}_seq", type_="unique")
            table.create_index(f"ix_wire_order_{column}", [column])


def _constrain(conn: sa.Connection, name: str) -> None:
    there = {check["name"] for check in sa.inspect(conn).get_check_constraints(name)}
    with op.batch_alter_table(name) as table:
        for check, rule in _CHECKS.get(name, {}).items():
            called = f"ck_{name}_{check}"
            if called in there:
                table.drop_constraint(called, type_="check")
            table.create_check_constraint(called, rule)
        for _, column, target, key in (one for one in _KEYS if one[0] == name):
            table.create_foreign_key(f"fk_{name}_{column}", target, [column], [key])


def _number(conn: sa.Connection, table: str) -> None:
    """An identity column that goes on where the sequence was."""
    last, called = conn.exec_driver_sql(f"SELECT last_value, is_called FROM {table}_id_seq").one()
    for step in (
        f"ALTER TABLE {table} ALTER COLUMN id DROP DEFAULT",
        f"DROP SEQUENCE {table}_id_seq",
        f"ALTER TABLE {table} ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY",
        f"SELECT setval('{table}_id_seq', {last}, {called})",
    ):
        conn.exec_driver_sql(step)
