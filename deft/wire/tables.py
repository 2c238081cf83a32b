"""The tables between DEFT and JEDI: orders one way, absolute reports and answers the other.

DEFT writes wire_order; JEDI writes all the others (and marks orders as applied). Each side may read all.
What each side's user may do is said in the `info` of a table: `deft db ddl --grants` makes grants of it.
No foreign key leads to a table of one side: each lives and is cleared by itself.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from deft.base.constraints import counters, flags, one_alone, one_of
from deft.base.database import Flag, Id, Name, Utc, Word, metadata, row_id
from deft.wire.orders import OrderKind

__all__ = ["metadata", "wire_answer", "wire_changed", "wire_dataset", "wire_input", "wire_order", "wire_task"]

_ORDERS = {"deft": "SELECT, INSERT", "jedi": "SELECT, UPDATE (pending, applied)"}
_REPORTS = {"deft": "SELECT", "jedi": "SELECT, INSERT, UPDATE"}


def _flag(name: str, comment: str, default: int = 0) -> Column[int]:
    return Column(name, Flag, nullable=False, server_default=str(default), comment=comment)


def _count(name: str, comment: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0", comment=comment)


def _large(name: str, comment: str) -> Column[int]:
    return Column(name, sa.BigInteger, nullable=False, server_default="0", comment=comment)


def _about(name: str, comment: str) -> Column[int]:
    """An id of DEFT's that a report is keyed by."""
    return Column(name, Id, primary_key=True, autoincrement=False, comment=comment)


# So the numbers of a task's orders, and of a dataset's, are unique too. UNIQUE (task_id, seq) would not do:
# to Oracle (null, 1) equals (null, 1).
_ABOUT = "CASE WHEN task_id IS NULL THEN 'd' || dataset_id ELSE 't' || task_id END"

wire_order = Table(
    "wire_order",
    metadata,
    row_id("Orders are applied in this order"),
    Column("task_id", sa.BigInteger, comment="The task ordered about, or null for a dataset's order"),
    Column("dataset_id", sa.BigInteger, comment="The dataset ordered about, or null for a task's order"),
    Column("seq", sa.BigInteger, nullable=False, comment="1, 2, 3 per task or dataset"),
    Column("kind", Word, nullable=False, comment="What is ordered"),
    Column("idempotency_key", Name, nullable=False, comment="t or d, the id, its seq: t12-3"),
    Column("body", Text, nullable=False, comment="JSON; run and retry carry the whole task"),
    Column("created", Utc, nullable=False, comment="When DEFT gave it"),
    _flag("pending", "1 until JEDI has applied it", 1),
    Column("applied", Utc, comment="When JEDI applied it"),
    UniqueConstraint("idempotency_key"),
    Index(None, "task_id"),
    Index(None, "dataset_id"),
    Index(None, "pending", "id"),
    CheckConstraint(f"idempotency_key = {_ABOUT} || '-' || seq", name="key"),
    one_alone("task_id", "dataset_id"),
    one_of("kind", OrderKind),
    flags("pending"),
    CheckConstraint("seq >= 1", name="seq"),
    CheckConstraint("pending = 1 OR applied IS NOT NULL", name="applied"),
    comment="Orders of DEFT to JEDI: append-only",
    info=_ORDERS,
)

_COUNTED = ("ready", "running", "ok", "failed", "skipped", "jobs", "jobs_running", "jobs_ok", "jobs_failed")

wire_task = Table(
    "wire_task",
    metadata,
    _about("task_id", "The task: DEFT's id of it"),
    _large("order_seq_applied", "The last order applied; DEFT trusts the rest if it is the last one given"),
    _flag("idle", "1: feeds nothing until ordered to"),
    _flag("rejected", "1: the definition cannot be run"),
    _count("ready", "Units waiting for a job or a slot"),
    _count("running", "Units in jobs handed out"),
    _count("ok", "Units that are ok"),
    _count("failed", "Units that failed"),
    _count("skipped", "Units that were skipped"),
    _count("jobs", "Jobs made so far"),
    _count("jobs_running", "Jobs handed out"),
    _count("jobs_ok", "Jobs that ended well"),
    _count("jobs_failed", "Jobs that failed"),
    Column("phase", Word, comment="JEDI's own word for what it does; shown, never a state"),
    Column("reason", Text, comment="Why it failed, stopped or was rejected, in plain words"),
    Column("summary", Text, comment="JSON: durations, memory and CPU measured so far"),
    Column("updated", Utc, comment="When JEDI wrote it"),
    flags("idle", "rejected"),
    counters("order_seq_applied", *_COUNTED),
    comment="JEDI's absolute report of a task",
    info=_REPORTS,
)

wire_input = Table(
    "wire_input",
    metadata,
    _about("edge_id", "The edge: DEFT's id of it"),
    Column("task_id", sa.BigInteger, nullable=False, comment="The consumer"),
    Column("dataset_id", sa.BigInteger, nullable=False, comment="What it consumes"),
    _count("unfed", "Available units without a row"),
    _count("missing", "Lost units without an ok row"),
    _large("seen_version", "Version of the dataset that the two were counted at"),
    Index(None, "task_id"),
    Index(None, "dataset_id"),
    counters("unfed", "missing", "seen_version"),
    comment="JEDI's absolute report of one input of a task",
    info=_REPORTS,
)

wire_dataset = Table(
    "wire_dataset",
    metadata,
    _about("dataset_id", "The dataset: DEFT's id of it"),
    _large("order_seq_applied", "The last order applied"),
    _count("available", "Units whose file is there"),
    _count("lost", "Units whose file is gone"),
    _count("expected", "Units there will be; 0: not known yet"),
    _large("events", "Events in the available units"),
    _large("bytes", "Bytes of the available units"),
    _large("version", "+1 on every change"),
    Column("reason", Text, comment="What the last listing found wrong, in plain words"),
    counters("order_seq_applied", "available", "lost", "expected", "events", "bytes", "version"),
    comment="JEDI's absolute report of a dataset",
    info=_REPORTS,
)

wire_answer = Table(
    "wire_answer",
    metadata,
    Column(
        "order_id",
        Id,
        ForeignKey("wire_order.id"),
        primary_key=True,
        autoincrement=False,
        comment="The order it answers",
    ),
    Column("body", Text, nullable=False, comment="JSON"),
    Column("created", Utc, nullable=False, comment="When JEDI gave it"),
    comment="JEDI's answer to one order (dry runs, refusals)",
    info={"deft": "SELECT", "jedi": "SELECT, INSERT"},
)

wire_changed = Table(
    "wire_changed",
    metadata,
    row_id(),
    Column("task_id", sa.BigInteger, comment="The task whose report changed, or null"),
    Column("dataset_id", sa.BigInteger, comment="The dataset whose report changed, or null"),
    one_alone("task_id", "dataset_id"),
    comment="Journal of changed reports; DEFT deletes what it has looked at",
    info={"deft": "SELECT, UPDATE, DELETE", "jedi": "SELECT, INSERT"},  # to lock a row is to update it
)
