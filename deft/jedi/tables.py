"""The tables of JEDI: datasets and their units, tasks, jobs, attempts, and who may serve them.

JEDI alone writes them, under the lease; ids of units, jobs and attempts are given by it, so that many rows
go in with one statement on every database.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from deft.base.constraints import counters, flags, one_of
from deft.base.database import Flag, Id, Name, Utc, Word, metadata
from deft.jedi.jobs import Fed, JobState

__all__ = [
    "jedi_attempt",
    "jedi_dataset",
    "jedi_input",
    "jedi_job",
    "jedi_job_unit",
    "jedi_lease",
    "jedi_submission",
    "jedi_task",
    "jedi_unit",
    "metadata",
]

Path = sa.String(1000)
Number = sa.BigInteger


def _own(name: str, comment: str) -> Column[int]:
    """An id that JEDI itself gives."""
    return Column(name, Id, primary_key=True, autoincrement=False, comment=comment)


def _count(name: str, comment: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0", comment=comment)


def _flag(name: str, comment: str) -> Column[int]:
    return Column(name, Flag, nullable=False, server_default="0", comment=comment)


def _reference(name: str, target: str, comment: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Number, ForeignKey(target), nullable=nullable, comment=comment)


jedi_dataset = Table(
    "jedi_dataset",
    metadata,
    _own("id", "DEFT's id of the dataset"),
    Column("name", Name, comment="Its folder under data/"),
    Column("type", Name, comment="Kind of data"),
    Column("format", Word, comment="Suffix of its files, without a dot"),
    Column("task_id", Number, comment="The producing task, or null for external and synthetic ones"),
    _flag("synthetic", "1: its units are numbers, not files"),
    Column("order_seq", Number, nullable=False, server_default="0", comment="Last order applied"),
    Column("version", Number, nullable=False, server_default="0", comment="+1 on every change of its units"),
    _count("available", "Units whose file is there"),
    _count("lost", "Units whose file is gone"),
    _count("expected", "Units there will be; 0: not known"),
    Column("events", Number, nullable=False, server_default="0", comment="In its available units"),
    Column("bytes", Number, nullable=False, server_default="0", comment="Of its available units"),
    Column("reason", Text, comment="What the last listing found wrong"),
    flags("synthetic"),
    counters("order_seq", "version", "available", "lost", "expected", "events", "bytes"),
    comment="A dataset as JEDI keeps it; the counters are those of its units",
)

jedi_unit = Table(
    "jedi_unit",
    metadata,
    _own("id", "In the order in which units came"),
    _reference("dataset_id", "jedi_dataset.id", "Its dataset"),
    Column("key", Path, nullable=False, comment="A path, a number of a synthetic unit, or a job's key"),
    Column("path", Path, comment="Where the file is; null for a number or a mere marker"),
    Column("state", Word, nullable=False, comment="Whether its file is there"),
    Column("bytes", Number, nullable=False, server_default="0", comment="Size of the file"),
    Column("events", Number, nullable=False, server_default="0", comment="Events in it, as far as known"),
    Column("content", Name, comment="Size and time of change: another content is another value"),
    Column("job_id", Number, comment="The job that made it"),
    Column("position", Number, nullable=False, comment="Order in its dataset, whenever it came"),
    UniqueConstraint("dataset_id", "key"),
    one_of("state", ("available", "lost")),
    counters("bytes", "events"),
    comment="A unit of data: one file, or one number",
)

jedi_task = Table(
    "jedi_task",
    metadata,
    _own("id", "DEFT's id of the task"),
    Column("project", Name, comment="Project of its Meta-Task"),
    Column("metatask", Name, comment="Name of its Meta-Task"),
    Column("name", Name, comment="What people call it"),
    Column("spec", Text, comment="JSON: the task as last ordered; null: known by name only"),
    Column("order_seq", Number, nullable=False, server_default="0", comment="Last order applied"),
    Column("priority", Integer, nullable=False, server_default="0", comment="Larger first"),
    Column("max_running", Integer, comment="Jobs handed out at once; null: no limit"),
    _flag("idle", "1: feeds nothing until ordered to"),
    _flag("rejected", "1: the definition cannot be run"),
    _flag("no_feed", "1: finish or abort is in force"),
    _flag("hard", "1: running jobs are to be killed and their units skipped"),
    Column("held", Word, comment="What becomes of jobs under way while it is held; null: not held"),
    _count("ready", "Units waiting for a job or a slot"),
    _count("running", "Units in jobs handed out"),
    _count("ok", "Units that are ok"),
    _count("failed", "Units that failed"),
    _count("skipped", "Units that were skipped"),
    _count("jobs", "Jobs made"),
    _count("jobs_running", "Jobs handed out"),
    _count("jobs_ok", "Jobs that ended well"),
    _count("jobs_failed", "Jobs that failed"),
    _count("last_number", "Number of the newest job"),
    Column("phase", Word, comment="What is being done, in a word"),
    Column("reason", Text, comment="Newest failure in plain words"),
    Column("measured", Text, comment="JSON: sums and maxima over its jobs"),
    _count("parked", "Units of jobs that run again once all their input is back"),
    Column("cluster", Word, comment="Where its jobs run; null: where the settings say"),
    Index(None, "idle", "priority", "id"),
    flags("idle", "rejected", "no_feed", "hard"),
    one_of("held", ("drain", "requeue", "kill")),
    counters(
        "order_seq",
        "ready",
        "running",
        "ok",
        "failed",
        "skipped",
        "jobs",
        "jobs_running",
        "jobs_ok",
        "jobs_failed",
        "last_number",
        "parked",
    ),
    comment="A task as JEDI keeps it; the counters are those of jedi_job_unit and jedi_job",
)

jedi_input = Table(
    "jedi_input",
    metadata,
    _own("edge_id", "DEFT's id of the edge"),
    _reference("task_id", "jedi_task.id", "The consumer"),
    _reference("dataset_id", "jedi_dataset.id", "What it consumes"),
    Column("role", Word, nullable=False, comment="primary: split over jobs; secondary: goes to all"),
    _flag("reduce", "1: one job over all units"),
    _flag("closed", "1: DEFT said that no more units come"),
    _count("unfed", "Available units without a row in jedi_job_unit"),
    _count("missing", "Lost units without an ok row"),
    Index(None, "task_id"),
    Index(None, "dataset_id"),
    one_of("role", ("primary", "secondary")),
    flags("reduce", "closed"),
    counters("unfed", "missing"),
    comment="An input edge of a task",
)

jedi_job = Table(
    "jedi_job",
    metadata,
    _own("id", "What people name it by"),
    _reference("task_id", "jedi_task.id", "Its task"),
    Column("number", Integer, nullable=False, comment="1, 2, 3 in the task; its six digits key the outputs"),
    Column("state", Word, nullable=False, comment="See deft/jedi/net.py"),
    _count("units", "Units of input"),
    _count("attempts", "Attempts made"),
    _count("charged", "Attempts that count against retry.max_attempts"),
    _count("losses", "Attempts lost through no fault of the job"),
    Column("message", Text, comment="What the newest attempt ended with"),
    Column("created", Utc, nullable=False, comment="When it was made"),
    _flag("remake", "1: it makes what was lost again; 2: under way, and its input has another content"),
    Column("memory_mb", Integer, comment="What it needs, once its task's own was too little"),
    Column("walltime_s", Integer, comment="The same, of time"),
    UniqueConstraint("task_id", "number"),
    Index(None, "task_id", "state", "number"),
    one_of("state", JobState),
    counters("units", "attempts", "charged", "losses"),
    CheckConstraint("remake IN (0, 1, 2)", name="remake"),
    comment="A job: a set of units of one task",
)

jedi_job_unit = Table(
    "jedi_job_unit",
    metadata,
    Column(
        "edge_id",
        Number,
        ForeignKey("jedi_input.edge_id"),
        primary_key=True,
        autoincrement=False,
        comment="The edge",
    ),
    Column(
        "unit_id",
        Number,
        ForeignKey("jedi_unit.id"),
        primary_key=True,
        autoincrement=False,
        comment="The unit",
    ),
    Column("task_id", Number, nullable=False, comment="The consumer: that of the edge"),
    _reference("job_id", "jedi_job.id", "The job it is packed in; null until then", nullable=True),
    Column("state", Word, nullable=False, comment="See deft/jedi/jobs.py"),
    _count("attempts", "Charged attempts"),
    Column("position", Number, nullable=False, comment="That of the unit: jobs take units in this order"),
    Index(None, "task_id", "state", "position"),
    Index(None, "job_id"),
    Index(None, "unit_id"),
    one_of("state", Fed),
    counters("attempts"),
    comment="A unit fed to a task by one of its edges",
)

jedi_attempt = Table(
    "jedi_attempt",
    metadata,
    _own("id", "In the order in which attempts were made"),
    _reference("job_id", "jedi_job.id", "Its job"),
    Column("number", Integer, nullable=False, comment="1, 2, 3 in the job"),
    Column("token", Word, nullable=False, comment="Known to the back-end: looked up before submitting again"),
    Column("state", Word, nullable=False, comment="See deft/jedi/net.py"),
    Column("open", Flag, comment="1 until it ended, then null"),
    Column("backend", Word, nullable=False, comment="The cluster; local: this machine"),
    Column("folder", Path, nullable=False, comment="Where its job.json and its output lie"),
    Column("host", Name, comment="Where it ran"),
    Column("pid", Integer, comment="Of the payload"),
    Column("submitted", Utc, nullable=False, comment="When it was intended"),
    Column("started", Utc, comment="When the payload began"),
    Column("ended", Utc, comment="When the payload ended"),
    Column("exit_code", Integer, comment="Of the payload"),
    Column("signal", Integer, comment="The signal that ended the payload"),
    Column("outcome", Word, comment="ok exit signal timeout no-output no-space lost cancelled revoked …"),
    Column("message", Text, comment="The same in plain words"),
    Column("wall_s", sa.Double, comment="Seconds it ran"),
    Column("cpu_s", sa.Double, comment="Seconds of CPU it used, its children's too"),
    Column("max_rss_mb", sa.Double, comment="The most memory one of its processes had"),
    Column("leftovers", Integer, comment="Processes the payload left behind, killed"),
    Column("submission_id", Number, comment="The array it went in; null: none"),
    Column("array_index", Integer, comment="Its place there, from 0"),
    Column("asked_mb", Integer, comment="Memory asked for; null: whatever the cluster gives"),
    Column("asked_s", Integer, comment="Walltime asked for; null: whatever the cluster gives"),
    UniqueConstraint("token"),
    UniqueConstraint("job_id", "number"),
    Index(None, "open"),
    one_of("state", JobState),
    CheckConstraint("open = 1", name="open"),
    comment="One submission of a job; a row never changes once it has ended",
)

jedi_submission = Table(
    "jedi_submission",
    metadata,
    _own("id", "In the order in which arrays were made"),
    Column("cluster", Word, nullable=False, comment="Which batch system"),
    Column("token", Word, nullable=False, comment="The name of the array there: looked up by it"),
    Column("size", Integer, nullable=False, comment="Elements, from 0"),
    Column("created", Utc, nullable=False, comment="When it was intended"),
    Column("job_id", Word, comment="The cluster's own id, which it may give again; null: not known yet"),
    Column("accepted", Utc, comment="When the cluster had taken it"),
    UniqueConstraint("token"),
    comment="Attempts given to a batch system as one array; written before it hears of them",
)

jedi_lease = Table(
    "jedi_lease",
    metadata,
    Column("name", Word, primary_key=True, comment="What is held"),
    Column("token", Word, nullable=False, comment="Of this holding"),
    Column("host", Name, nullable=False, comment="Where its holder runs"),
    Column("pid", Integer, nullable=False, comment="The process of its holder"),
    Column("process_start", Word, nullable=False, comment="Tells a process from a later one of the same pid"),
    Column("started", Utc, nullable=False, comment="When it was taken"),
    Column("expires", Utc, nullable=False, comment="When somebody else may take it"),
    comment="Who serves this database: one executor at a time",
)
