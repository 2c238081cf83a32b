"""The tables of JEDI: datasets and their units, tasks, jobs, attempts, and who may serve them.

JEDI alone writes them, under the lease; ids of units, jobs and attempts are given by it, so that many rows
go in with one statement on every database.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from deft.base.database import Flag, Id, Name, Utc, Word, metadata

__all__ = [
    "jedi_attempt",
    "jedi_dataset",
    "jedi_input",
    "jedi_job",
    "jedi_job_unit",
    "jedi_lease",
    "jedi_task",
    "jedi_unit",
    "metadata",
]

Path = sa.String(1000)
Number = sa.BigInteger


def _own(name: str, comment: str) -> Column[int]:
    """An id that JEDI itself gives."""
    return Column(name, Id, primary_key=True, autoincrement=False, comment=comment)


def _count(name: str, comment: str | None = None) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0", comment=comment)


def _flag(name: str, comment: str) -> Column[int]:
    return Column(name, Flag, nullable=False, server_default="0", comment=comment)


jedi_dataset = Table(
    "jedi_dataset",
    metadata,
    _own("id", "DEFT's id of the dataset"),
    Column("name", Name, comment="Its folder under data/"),
    Column("type", Name),
    Column("format", Word, comment="Suffix of its files, without a dot"),
    Column("task_id", Number, comment="The producing task, or null for external and synthetic ones"),
    _flag("synthetic", "1: its units are numbers, not files"),
    Column("order_seq", Number, nullable=False, server_default="0", comment="Last order applied"),
    Column("version", Number, nullable=False, server_default="0", comment="+1 on every change of its units"),
    _count("available"),
    _count("lost"),
    _count("expected", "0: not known"),
    Column("events", Number, nullable=False, server_default="0"),
    Column("bytes", Number, nullable=False, server_default="0"),
    Column("reason", Text, comment="What the last listing found wrong"),
    CheckConstraint("available >= 0 and lost >= 0 and bytes >= 0 and events >= 0", name="counters"),
    comment="A dataset as JEDI keeps it; the counters are those of its units",
)

jedi_unit = Table(
    "jedi_unit",
    metadata,
    _own("id", "In the order in which units came"),
    Column("dataset_id", Number, ForeignKey("jedi_dataset.id"), nullable=False),
    Column("key", Path, nullable=False, comment="A path, a number of a synthetic unit, or a job's key"),
    Column("path", Path, comment="Where the file is; null for a number or a mere marker"),
    Column("state", Word, nullable=False, comment="available or lost"),
    Column("bytes", Number, nullable=False, server_default="0"),
    Column("events", Number, nullable=False, server_default="0"),
    Column("content", Name, comment="Size and time of change: another content is another value"),
    Column("job_id", Number, comment="The job that made it"),
    Column("position", Number, nullable=False, comment="Order in its dataset, whenever it came"),
    UniqueConstraint("dataset_id", "key"),
    CheckConstraint("state in ('available', 'lost')", name="state"),
    comment="A unit of data: one file, or one number",
)

jedi_task = Table(
    "jedi_task",
    metadata,
    _own("id", "DEFT's id of the task"),
    Column("project", Name),
    Column("metatask", Name),
    Column("name", Name),
    Column("spec", Text, comment="JSON: the task as last ordered; null: known by name only"),
    Column("order_seq", Number, nullable=False, server_default="0", comment="Last order applied"),
    Column("priority", Integer, nullable=False, server_default="0", comment="Larger first"),
    Column("max_running", Integer, comment="Jobs handed out at once; null: no limit"),
    _flag("idle", "1: feeds nothing until ordered to"),
    _flag("rejected", "1: the definition cannot be run"),
    _flag("no_feed", "1: finish or abort is in force"),
    _flag("hard", "1: running jobs are to be killed and their units skipped"),
    Column("held", Word, comment="drain, requeue or kill; null: not held"),
    _count("ready"),
    _count("running"),
    _count("ok"),
    _count("failed"),
    _count("skipped"),
    _count("jobs", "Jobs made"),
    _count("jobs_running", "Jobs handed out"),
    _count("jobs_ok"),
    _count("jobs_failed"),
    _count("last_number", "Number of the newest job"),
    Column("phase", Word),
    Column("reason", Text, comment="Newest failure in plain words"),
    Column("measured", Text, comment="JSON: sums and maxima over its jobs"),
    _count("parked", "Units of jobs that run again once all their input is back"),
    Index(None, "idle", "priority", "id"),
    CheckConstraint(
        "ready >= 0 and running >= 0 and ok >= 0 and failed >= 0 and skipped >= 0 and jobs >= 0"
        " and jobs_running >= 0 and jobs_ok >= 0 and jobs_failed >= 0",
        name="counters",
    ),
    comment="A task as JEDI keeps it; the counters are those of jedi_job_unit and jedi_job",
)

jedi_input = Table(
    "jedi_input",
    metadata,
    _own("edge_id", "DEFT's id of the edge"),
    Column("task_id", Number, ForeignKey("jedi_task.id"), nullable=False),
    Column("dataset_id", Number, ForeignKey("jedi_dataset.id"), nullable=False),
    Column("role", Word, nullable=False, comment="primary: split over jobs; secondary: goes to all"),
    _flag("reduce", "1: one job over all units"),
    _flag("closed", "1: DEFT said that no more units come"),
    _count("unfed", "Available units without a row in jedi_job_unit"),
    _count("missing", "Lost units without an ok row"),
    Index(None, "task_id"),
    Index(None, "dataset_id"),
    CheckConstraint("unfed >= 0 and missing >= 0", name="counters"),
    comment="An input edge of a task",
)

jedi_job = Table(
    "jedi_job",
    metadata,
    _own("id", "What people name it by"),
    Column("task_id", Number, ForeignKey("jedi_task.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="1, 2, 3 in the task; its six digits key the outputs"),
    Column("state", Word, nullable=False, comment="See deft/jedi/net.py"),
    _count("units", "Units of input"),
    _count("attempts", "Attempts made"),
    _count("charged", "Attempts that count against retry.max_attempts"),
    _count("losses", "Attempts lost through no fault of the job"),
    Column("message", Text, comment="What the newest attempt ended with"),
    Column("created", Utc, nullable=False),
    _flag("remake", "1: it makes what was lost again; 2: under way, and its input has another content"),
    UniqueConstraint("task_id", "number"),
    Index(None, "task_id", "state", "number"),
    comment="A job: a set of units of one task",
)

jedi_job_unit = Table(
    "jedi_job_unit",
    metadata,
    Column("edge_id", Number, primary_key=True, autoincrement=False),
    Column("unit_id", Number, ForeignKey("jedi_unit.id"), primary_key=True, autoincrement=False),
    Column("task_id", Number, nullable=False),
    Column("job_id", Number, comment="The job it is packed in; null until then"),
    Column("state", Word, nullable=False, comment="See deft/jedi/jobs.py"),
    _count("attempts", "Charged attempts"),
    Column("position", Number, nullable=False, comment="That of the unit: jobs take units in this order"),
    Index(None, "task_id", "state", "position"),
    Index(None, "job_id"),
    Index(None, "unit_id"),
    CheckConstraint(
        "state in ('ready', 'running', 'ok', 'failed', 'skipped', 'used', 'parked')", name="state"
    ),
    comment="A unit fed to a task by one of its edges",
)

jedi_attempt = Table(
    "jedi_attempt",
    metadata,
    _own("id", "In the order in which attempts were made"),
    Column("job_id", Number, ForeignKey("jedi_job.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="1, 2, 3 in the job"),
    Column("token", Word, nullable=False, comment="Known to the back-end: looked up before submitting again"),
    Column("state", Word, nullable=False),
    Column("open", Flag, comment="1 until it ended, then null"),
    Column("backend", Word, nullable=False),
    Column("folder", Path, nullable=False),
    Column("host", Name),
    Column("pid", Integer, comment="Of the payload"),
    Column("submitted", Utc, nullable=False),
    Column("started", Utc),
    Column("ended", Utc),
    Column("exit_code", Integer),
    Column("signal", Integer),
    Column("outcome", Word, comment="ok exit signal timeout no-output no-space lost cancelled revoked …"),
    Column("message", Text),
    Column("wall_s", sa.Double),
    Column("cpu_s", sa.Double),
    Column("max_rss_mb", sa.Double),
    Column("leftovers", Integer, comment="Processes the payload left behind, killed"),
    UniqueConstraint("token"),
    UniqueConstraint("job_id", "number"),
    Index(None, "open"),
    comment="One submission of a job; a row never changes once it has ended",
)

jedi_lease = Table(
    "jedi_lease",
    metadata,
    Column("name", Word, primary_key=True),
    Column("token", Word, nullable=False, comment="Of this holding"),
    Column("host", Name, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_start", Word, nullable=False, comment="Tells a process from a later one of the same pid"),
    Column("started", Utc, nullable=False),
    Column("expires", Utc, nullable=False),
    comment="Who serves this database: one executor at a time",
)
