"""The tables between DEFT and JEDI: orders one way, absolute reports and answers the other.

DEFT writes wire_order; JEDI writes all the others (and marks orders as applied). Each side may read all.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint

from deft.base.database import Flag, Id, Name, Utc, Word, metadata

__all__ = ["metadata", "wire_answer", "wire_changed", "wire_dataset", "wire_input", "wire_order", "wire_task"]

wire_order = Table(
    "wire_order",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True, comment="Orders are applied in this order"),
    Column("task_id", sa.BigInteger, comment="The task ordered about, or null for a dataset's order"),
    Column("dataset_id", sa.BigInteger, comment="The dataset ordered about, or null for a task's order"),
    Column("seq", sa.BigInteger, nullable=False, comment="1, 2, 3 per task or dataset"),
    Column("kind", Word, nullable=False, comment="run, hold, resume, retry, scan …"),
    Column("idempotency_key", Name, nullable=False, comment="The same order given twice has the same key"),
    Column("body", Text, nullable=False, comment="JSON; run and retry carry the whole task"),
    Column("created", Utc, nullable=False),
    Column("pending", Flag, nullable=False, server_default="1", comment="1 until JEDI has applied it"),
    Column("applied", Utc, comment="When JEDI applied it"),
    UniqueConstraint("idempotency_key"),
    UniqueConstraint("task_id", "seq"),
    UniqueConstraint("dataset_id", "seq"),
    Index(None, "pending", "id"),
    comment="Orders of DEFT to JEDI: append-only",
)

wire_task = Table(
    "wire_task",
    metadata,
    Column("task_id", Id, primary_key=True, autoincrement=False),
    Column("order_seq_applied", sa.BigInteger, nullable=False, server_default="0"),
    Column("idle", Flag, nullable=False, server_default="0", comment="1: feeds nothing until ordered to"),
    Column("rejected", Flag, nullable=False, server_default="0", comment="1: the definition cannot be run"),
    Column("ready", Integer, nullable=False, server_default="0", comment="Units waiting for a job or a slot"),
    Column("running", Integer, nullable=False, server_default="0", comment="Units in jobs handed out"),
    Column("ok", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("skipped", Integer, nullable=False, server_default="0"),
    Column("jobs", Integer, nullable=False, server_default="0", comment="Jobs made so far"),
    Column("jobs_running", Integer, nullable=False, server_default="0"),
    Column("jobs_ok", Integer, nullable=False, server_default="0"),
    Column("jobs_failed", Integer, nullable=False, server_default="0"),
    Column("phase", Word, comment="JEDI's own word for what it does; shown, never a state"),
    Column("reason", Text, comment="Why it failed, stopped or was rejected, in plain words"),
    Column("summary", Text, comment="JSON: durations, memory and CPU measured so far"),
    Column("updated", Utc),
    comment="JEDI's absolute report of a task",
)

wire_input = Table(
    "wire_input",
    metadata,
    Column("edge_id", Id, primary_key=True, autoincrement=False),
    Column("task_id", sa.BigInteger, nullable=False),
    Column("dataset_id", sa.BigInteger, nullable=False),
    Column("unfed", Integer, nullable=False, server_default="0", comment="Available units without a row"),
    Column("missing", Integer, nullable=False, server_default="0", comment="Lost units without an ok row"),
    Column("seen_version", sa.BigInteger, nullable=False, server_default="0"),
    Index(None, "task_id"),
    Index(None, "dataset_id"),
    comment="JEDI's absolute report of one input of a task",
)

wire_dataset = Table(
    "wire_dataset",
    metadata,
    Column("dataset_id", Id, primary_key=True, autoincrement=False),
    Column("order_seq_applied", sa.BigInteger, nullable=False, server_default="0"),
    Column("available", Integer, nullable=False, server_default="0"),
    Column("lost", Integer, nullable=False, server_default="0"),
    Column("expected", Integer, nullable=False, server_default="0", comment="0: not known yet"),
    Column("events", sa.BigInteger, nullable=False, server_default="0"),
    Column("bytes", sa.BigInteger, nullable=False, server_default="0"),
    Column("version", sa.BigInteger, nullable=False, server_default="0", comment="+1 on every change"),
    Column("reason", Text, comment="What the last listing found wrong, in plain words"),
    comment="JEDI's absolute report of a dataset",
)

wire_answer = Table(
    "wire_answer",
    metadata,
    Column("order_id", Id, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False, comment="JSON"),
    Column("created", Utc, nullable=False),
    comment="JEDI's answer to one order (dry runs, refusals)",
)

wire_changed = Table(
    "wire_changed",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("task_id", sa.BigInteger, comment="The task whose report changed, or null"),
    Column("dataset_id", sa.BigInteger, comment="The dataset whose report changed, or null"),
    comment="Journal of changed reports; DEFT deletes what it has looked at",
)
