"""What is said to Slurm and how its answers are read: pure, on any machine."""

from __future__ import annotations

import pytest

from deft.base.config import Cluster
from deft.jedi.backends import slurm
from deft.jedi.backends.host import Said
from deft.jedi.backends.slurm import Accepted, Declined, Job, Later, Limits, Row, Unclear
from deft.jedi.jobs import Needs

CLUSTER = Cluster()
PLAIN = Job("deft-1", 3, Needs(), "/w/script", "/w/log", "/w")


def _failed(stderr: str, code: int | None = 1) -> Said:
    return Said(code, "", stderr)


def test_a_submission_says_who_it_is_and_asks_for_nothing_by_itself() -> None:
    words = slurm.submit(PLAIN, CLUSTER).words
    assert words[:4] == ("sbatch", "--parsable", "--no-requeue", "--kill-on-invalid-dep=yes")
    assert {"--job-name=deft-1", "--comment=deft:deft-1", "--array=0-2"} < set(words)
    assert words[-1] == "/w/script"
    assert not any(word.startswith(("--mem", "--time", "--partition")) for word in words)


def test_a_task_asks_for_more_than_its_cluster() -> None:
    cluster = Cluster(partition="main", account="us", options="--nice=5")
    needs = Needs(cores=2, memory_mb=500, walltime_s=61, partition="urgent", extra="--hint='no thread'")
    job = Job("deft-1", 1, needs, "s", "l", "/w", exclude=["n3", "n1"])
    words = slurm.submit(job, cluster).words
    assert {"--partition=urgent", "--account=us", "--mem=500M", "--time=2", "--cpus-per-task=2"} < set(words)
    assert {"--nice=5", "--hint=no thread", "--exclude=n3,n1"} < set(words)


SAID = [
    (Said(0, "123\n", ""), Accepted("123")),
    (Said(0, "123;farm\n", ""), Accepted("123")),
    (Said(0, "", ""), Unclear("it said nothing")),
    (Said(0, "Submitted", ""), Unclear("Submitted")),
    (_failed("sbatch: error: Batch job submission failed: Unable to contact slurm controller"), Unclear),
    (_failed("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"), Unclear),
    (_failed("sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received"), Unclear),
    (_failed("sbatch: error: Munge encode failed: Failed to connect"), Unclear),
    (_failed("Segmentation fault"), Unclear),
    (_failed("", None), Unclear),
    (_failed("sbatch: No such file or directory", 127), Later),
    (_failed("sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job "
             "violates accounting/QOS policy"), Later),
    (_failed("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying"), Later),
    (_failed("sbatch: error: invalid partition specified: x\nsbatch: error: Batch job submission failed: "
             "Invalid partition name specified"),
     Declined("invalid partition specified: x; Invalid partition name specified")),
]  # fmt: skip


@pytest.mark.parametrize(("said", "meant"), SAID)
def test_every_answer_to_a_submission_has_one_meaning(said: Said, meant: object) -> None:
    answer = slurm.read_submit(said)
    assert isinstance(answer, meant) if isinstance(meant, type) else answer == meant


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("Invalid account or account/partition combination specified", "resources.account"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "resources.walltime_s"),
        ("Invalid job array specification", "[clusters.farm] max_array"),
        ("Memory specification can not be satisfied", "resources.memory_mb"),
        ("Invalid generic resource (gres) specification", "resources.gpus"),
        ("something new", "the resources of the task"),
    ],
)
def test_what_was_declined_names_the_field_to_change(words: str, field: str) -> None:
    assert slurm.advice(words, "farm") == field


QUEUE = """\
7|0-1,5%2|PENDING|7|deft-a||100M|Resources
7|3|RUNNING|9|deft-a|n2|1G|None
7|4|OUT_OF_MEMORY|10|deft-a|n2|100Mn|OutOfMemory
8|N/A|RUNNING|8|other|n1|0|None
nonsense
"""


def test_the_queue_is_read_line_by_line_and_nonsense_is_left_out() -> None:
    rows = slurm.read_rows(Said(0, QUEUE, ""))
    assert rows == [
        Row("7", (range(2), range(5, 6)), "PENDING", "7", "deft-a", "", 100, "Resources"),
        Row("7", (range(3, 4),), "RUNNING", "9", "deft-a", "n2", 1024, "None"),
        Row("7", (range(4, 5),), "OUT_OF_MEMORY", "10", "deft-a", "n2", 100, "OutOfMemory"),
    ]


@pytest.mark.parametrize("code", [1, None, -9])
def test_a_look_that_failed_says_nothing(code: int | None) -> None:
    said = Said(code, QUEUE, "")
    assert (slurm.read_rows(said), slurm.read_history(said), slurm.read_limits(said, CLUSTER)) == (None,) * 3


def test_the_accounting_is_read() -> None:
    text = (
        "7_0|CANCELLED by 0|0:0|None assigned|deft-a\n7_1|FAILED|0:125|n1|deft-a\n"
        "7_[2-3]|PENDING|0:0|None assigned|deft-a\n8|COMPLETED|0:0|n1|x\n"
    )
    rows = slurm.read_history(Said(0, text, ""))
    assert rows is not None
    assert [(row.indices, row.state, row.node) for row in rows] == [
        ((range(1),), "CANCELLED", ""),
        ((range(1, 2),), "OUT_OF_MEMORY", "n1"),
        ((range(2, 4),), "PENDING", ""),
        ((), "COMPLETED", "n1"),
    ]


def test_limits_are_the_least_of_all() -> None:
    text = """
BOOT_TIME               = 1795200035
AccountingStorageType   = accounting_storage/slurmdbd
MaxArraySize            = 1001
MessageTimeout          = 10 sec
SchedulerParameters     = bf_interval=5,max_array_tasks=500
"""
    found = slurm.read_limits(Said(0, text, ""), Cluster(max_array=2000))
    assert found == Limits(500, 10.0, True, 1795200035.0)


@pytest.mark.parametrize(
    ("numbers", "text"), [([0], "0"), ([3, 1, 2], "1-3"), ([9, 0, 1, 5], "0-1,5,9"), ([], "")]
)
def test_indices_are_written_shortly(numbers: list[int], text: str) -> None:
    assert slurm.write_indices(numbers) == text
    if text:
        assert sorted(numbers) == [n for part in slurm.read_indices(text) for n in part]


def test_what_is_ended_is_named_twice() -> None:
    assert slurm.cancel("7", "deft-a", [1, 2, 5], CLUSTER).words == ("scancel", "--name=deft-a", "7_[1-2,5]")
    assert slurm.cancel("7", "deft-a", None, CLUSTER).words == ("scancel", "--name=deft-a", "7")
