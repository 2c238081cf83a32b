"""Slurm by its commands: what to say, and how to read what it answers. Pure: nothing is started here.

Every read asks for what is not COMPLETED: what ended well is known from its folder, and a queue that shows
it for minutes would be long. Times are seconds since 1970 (SLURM_TIME_FORMAT), lists of array indices are
never cut short (SLURM_BITSTR_LEN).
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deft.base.config import Cluster
from deft.jedi.backends.host import Command, Said
from deft.jedi.jobs import Ending, Needs

ENVIRON = {"SLURM_TIME_FORMAT": "%s", "SLURM_BITSTR_LEN": "0"}

WAITING = frozenset({"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD"})
LIVE = WAITING | {
    "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING", "STAGE_OUT",
}  # fmt: skip
HOPELESS = ("DependencyNeverSatisfied", "launch failed")  # reasons to wait that never pass
# None: its own record, or what is left of it, says more than Slurm.
ENDINGS: Mapping[str, Ending | None] = {
    "COMPLETED": None,
    "FAILED": None,
    "SPECIAL_EXIT": None,
    "REVOKED": None,
    "OUT_OF_MEMORY": Ending.MEMORY,
    "TIMEOUT": Ending.TIMEOUT,
    "DEADLINE": Ending.TIMEOUT,
    "NODE_FAIL": Ending.NODE,
    "BOOT_FAIL": Ending.NODE,
    "PREEMPTED": Ending.PREEMPTED,
    "CANCELLED": Ending.CANCELLED,
}
_ASKED = "PD,R,S,CG,CF,CA,F,TO,NF,PR,BF,DL,OOM"
_FIELDS = "%F|%K|%T|%A|%j|%N|%m|%r"
_HISTORY = "JobID,State,DerivedExitCode,NodeList,JobName"
OUT_OF_MEMORY_EXIT = "0:125"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the cluster says of itself."""

    max_array: int
    message_timeout_s: float
    has_accounting: bool
    booted: float  # when its controller was last started


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue: a job, or the elements of an array that wait together."""

    job_id: str
    indices: tuple[range, ...]
    state: str
    raw_id: str
    token: str
    node: str = ""
    memory_mb: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The array has this id."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Declined:
    """Slurm will never take it as it is."""

    words: str


@dataclass(frozen=True, slots=True)
class Later:
    """Slurm did not take it, and may do so later."""

    words: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody knows whether it took it."""

    words: str


Answer = Accepted | Declined | Later | Unclear


@dataclass(frozen=True, slots=True)
class Job:
    """An array to be: its token, how many elements, what each needs, its files."""

    token: str
    size: int
    needs: Needs
    script: str
    log: str
    workdir: str
    exclude: Sequence[str] = field(default_factory=tuple)


# --- submission --------------------------------------------------------------------------------------------


def submit(job: Job, cluster: Cluster) -> Command:
    """Submit an array; its indices always begin with 0, as a cluster limits the index itself."""
    words = [
        "sbatch", "--parsable", "--no-requeue", "--kill-on-invalid-dep=yes",
        f"--job-name={job.token}", f"--comment=deft:{job.token}", f"--array=0-{job.size - 1}",
        f"--chdir={job.workdir}", f"--output={job.log}", "--open-mode=append",
        *_resources(job.needs, cluster),
    ]  # fmt: skip
    if job.exclude:
        words.append(f"--exclude={','.join(job.exclude)}")
    return Command((*words, job.script), cluster.timeout_s)


def _resources(needs: Needs, cluster: Cluster) -> Iterator[str]:
    given: dict[str, object] = {
        "partition": needs.partition or cluster.partition,
        "account": needs.account or cluster.account,
        "qos": needs.qos or cluster.qos,
        "constraint": needs.constraint,
        "nodes": needs.nodes,
        "ntasks": needs.tasks,
        "ntasks-per-node": needs.tasks_per_node,
        "cpus-per-task": needs.cores,
        "mem": f"{needs.memory_mb}M" if needs.memory_mb else None,
        "time": minutes(needs.walltime_s) if needs.walltime_s else None,
        "gpus": needs.gpus,
    }
    yield from (f"--{name}={value}" for name, value in given.items() if value)
    yield from shlex.split(cluster.options)
    yield from shlex.split(needs.extra)


def minutes(walltime_s: float) -> int:
    """The limit that Slurm is given, in its smallest unit; the wrapper keeps the walltime to the second."""
    return math.ceil(walltime_s / 60)


_UNCLEAR = re.compile(
    r"unable to contact slurm controller|socket timed out|connection (refused|reset|timed out)|"
    r"transport endpoint|zero bytes were transmitted|unexpected message|slurm_receive_msg|"
    r"munge|communication|insane message|slurmctld is (down|starting)|backup controller",
    re.IGNORECASE,
)
_LATER = re.compile(
    r"maxsubmitjob|maxjobcount|submit.?jobs?.?(per\w*)?.?limit|too many jobs|"
    r"slurm temporarily unable to accept job|resource temporarily unavailable|"
    r"system reached job count|node .* not available at this time",
    re.IGNORECASE,
)


def read_submit(said: Said) -> Answer:
    """What became of a submission."""
    if said.exit_code == 0:
        found = re.fullmatch(r"(\d+)(;\S*)?", said.stdout.strip().splitlines()[-1] if said.stdout else "")
        return Accepted(found[1]) if found else Unclear(said.words)
    if said.exit_code is None or said.exit_code < 0 or _UNCLEAR.search(said.stderr):
        return Unclear(said.words)
    if said.exit_code in (126, 127):
        return Later(said.words)  # there is no sbatch: nothing was submitted
    if _LATER.search(said.stderr):
        return Later(said.words)
    if not re.search(r"sbatch: ", said.stderr):
        return Unclear(said.words)
    return Declined(_plain(said.stderr))


def _plain(stderr: str) -> str:
    lines = [re.sub(r"^sbatch: (error: )?", "", line).strip() for line in stderr.splitlines()]
    said = [re.sub(r"^Batch job submission failed: ", "", line) for line in lines if line]
    return "; ".join(dict.fromkeys(said))


# What Slurm speaks of when it declines, and the field by which that is changed.
_FIELDS_OF: tuple[tuple[str, str], ...] = (
    ("partition name", "resources.partition"),
    ("account", "resources.account"),
    ("qos", "resources.qos"),
    ("time limit", "resources.walltime_s"),
    ("feature|constraint", "resources.constraint"),
    ("gres|generic resource|gpu", "resources.gpus"),
    ("job array", "[clusters.{cluster}] max_array"),
    ("memory", "resources.memory_mb"),
    ("node count", "resources.nodes"),
    ("cpu count|cpus|processors|core", "resources.cores, resources.tasks or resources.nodes"),
    ("node configuration", "resources.memory_mb, resources.cores or resources.nodes"),
    ("unrecognized option|invalid option|invalid argument", "resources.extra"),
)


def advice(words: str, cluster: str) -> str:
    """Which field of the task, or of the settings, to change."""
    for pattern, name in _FIELDS_OF:
        if re.search(pattern, words, re.IGNORECASE):
            return name.format(cluster=cluster)
    return "the resources of the task"


# --- following ---------------------------------------------------------------------------------------------


def poll(cluster: Cluster, user: str) -> Command:
    """Ask for all our jobs at once."""
    return Command(("squeue", "-h", "-u", user, "-t", _ASKED, "-o", _FIELDS), cluster.timeout_s)


def find(tokens: Sequence[str], cluster: Cluster, user: str) -> Command:
    """Ask for arrays by their tokens, whatever became of them."""
    names = ",".join(tokens)
    return Command(
        ("squeue", "-h", "-u", user, "-t", "all", f"--name={names}", "-o", _FIELDS), cluster.timeout_s
    )


def read_rows(said: Said) -> list[Row] | None:
    """The lines of the queue; None where nothing is known. A line that nobody understands is left out."""
    if said.exit_code != 0:
        return None
    return [row for row in map(_row, said.stdout.splitlines()) if row is not None]


def _row(line: str) -> Row | None:
    fields = line.split("|", 7)
    if len(fields) != 8:
        return None
    array_id, indices, state, raw_id, token, node, memory, reason = (one.strip() for one in fields)
    try:
        ranges = tuple(read_indices(indices))
    except ValueError:
        return None
    return Row(array_id, ranges, state.split(" ")[0], raw_id, token, node, _megabytes(memory), reason)


def read_indices(text: str) -> Iterator[range]:
    """`0-4,7,9-11%2` as ranges. Raises ValueError for anything else."""
    for piece in text.partition("%")[0].strip("[]").split(","):
        first, dash, last = piece.partition("-")
        yield range(int(first), int(last if dash else first) + 1)


def write_indices(numbers: Sequence[int]) -> str:
    """The shortest text that `read_indices` reads."""
    pieces: list[list[int]] = []
    for number in sorted(numbers):
        if pieces and pieces[-1][1] == number - 1:
            pieces[-1][1] = number
        else:
            pieces.append([number, number])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in pieces)


_UNITS = {"": 1.0, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}


def _megabytes(text: str) -> int | None:
    found = re.fullmatch(r"([\d.]+)([KMGT]?)[nc]?", text)
    return round(float(found[1]) * _UNITS[found[2]]) or None if found else None


def history(ids: Sequence[str], cluster: Cluster) -> Command:
    """Ask the accounting for arrays by their ids."""
    return Command(("sacct", "-X", "-P", "-n", "-j", ",".join(ids), "-o", _HISTORY), cluster.timeout_s)


def history_of(tokens: Sequence[str], cluster: Cluster) -> Command:
    """Ask the accounting for arrays by their tokens."""
    names = ",".join(tokens)
    return Command(
        ("sacct", "-X", "-P", "-n", "-S", "now-7days", f"--name={names}", "-o", _HISTORY), cluster.timeout_s
    )


def read_history(said: Said) -> list[Row] | None:
    """The records; None where nothing is known."""
    if said.exit_code != 0:
        return None
    return [row for row in map(_record, said.stdout.splitlines()) if row is not None]


def _record(line: str) -> Row | None:
    fields = line.split("|")
    if len(fields) != 5:
        return None
    job, state, derived, node, token = fields
    job_id, _, indices = job.partition("_")
    try:
        ranges = tuple(read_indices(indices)) if indices else ()
    except ValueError:
        return None
    state = state.split(" ")[0]  # "CANCELLED by 0"
    if derived == OUT_OF_MEMORY_EXIT and state == "FAILED":
        state = "OUT_OF_MEMORY"  # of a step; the script lived on
    return Row(job_id, ranges, state, job, token, "" if node == "None assigned" else node)


# --- the rest ----------------------------------------------------------------------------------------------


def cancel(job_id: str, token: str, indices: Sequence[int] | None, cluster: Cluster) -> Command:
    """End elements of an array, or all of it. The name guards against another job of the same id."""
    target = job_id if indices is None else f"{job_id}_[{write_indices(indices)}]"
    return Command(("scancel", f"--name={token}", target), cluster.timeout_s)


def limits(cluster: Cluster) -> Command:
    """Ask the controller for its settings."""
    return Command(("scontrol", "show", "config"), cluster.timeout_s)


def read_limits(said: Said, cluster: Cluster) -> Limits | None:
    """The settings that matter here; None where nothing is known."""
    if said.exit_code != 0:
        return None
    pairs = (line.partition("=") for line in said.stdout.splitlines())
    known = {name.strip(): value.strip() for name, _, value in pairs}
    by_scheduler = re.search(r"max_array_tasks=(\d+)", known.get("SchedulerParameters", ""))
    sizes = [cluster.max_array, _number(known.get("MaxArraySize", "1001"))]
    if by_scheduler:
        sizes.append(int(by_scheduler[1]))
    return Limits(
        max_array=max(1, min(sizes)),
        message_timeout_s=float(_number(known.get("MessageTimeout", "10"))),
        has_accounting=known.get("AccountingStorageType", "").endswith(("slurmdbd", "mysql")),
        booted=float(_number(known.get("BOOT_TIME", "0"))),
    )


def _number(text: str) -> int:
    found = re.match(r"\d+", text)
    return int(found[0]) if found else 0
