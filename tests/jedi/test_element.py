"""One element of an array: the wrapper on a line of a list, and who has the last word on its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deft.jedi import claims, wrapper
from deft.jedi.backends import evidence
from deft.jedi.backends.evidence import Word
from deft.jedi.jobs import Ending, Flight


class Elements:
    """Attempt folders and the list that names them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.list = folder, folder / "jobs"
        self.paths: list[Path] = []

    def add(self, command: str, **facts: object) -> Path:
        """One more attempt, whose output is published into `data`."""
        path = self.folder / f"attempt {len(self.paths)}"
        (path / "out").mkdir(parents=True)
        target = str(self.folder / "data" / path.name)
        output = {"dataset": "7", "type": "out", "file": "out/x", "target": target, "required": False}
        job = {"v": 1, "token": "t", "command": command, "env": {}, "walltime_s": 0, "kill_grace_s": 0.5,
               "beat_s": 0, "log_max_bytes": 0, "outputs": [output], "guarded": True, **facts}  # fmt: skip
        (path / "job.json").write_text(json.dumps(job))
        self.paths.append(path)
        self.list.write_bytes(b"".join(os.fsencode(one) + b"\n" for one in self.paths))
        return path

    def run(self, index: int | str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run one, as a batch system would."""
        return subprocess.run(
            [sys.executable, "-S", "-E", wrapper.__file__, "--element", str(self.list), str(index)],
            capture_output=True, text=True, check=False, env={**os.environ, **environ},
        )  # fmt: skip


@pytest.fixture
def elements(tmp_path: Path) -> Elements:
    """None yet."""
    return Elements(tmp_path)


def _result(path: Path) -> dict[str, Any]:
    return dict(json.loads((path / "attempt.json").read_text()))


def test_the_line_of_the_index_is_run_and_no_other(elements: Elements) -> None:
    first, second = elements.add("true"), elements.add("echo 2 > out/x")
    ran = elements.run(1, SLURM_ARRAY_JOB_ID="4711", SLURMD_NODENAME="n7")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert not (first / "claim").exists()
    assert (_result(second)["class"], _result(second)["host"]) == ("ok", "n7")
    claim = claims.read_claim(second)
    assert claim is not None
    assert claim.job_id == "4711"


def test_the_exit_code_says_to_the_batch_system_whether_it_went_well(elements: Elements) -> None:
    elements.add("exit 3")
    assert elements.run(0).returncode == 1


def test_a_second_one_of_the_same_line_does_nothing(elements: Elements) -> None:
    path = elements.add("echo x >> ../ran; true")
    assert [elements.run(0).returncode for _ in range(2)] == [0, 0]
    assert (path.parent / "ran").read_text() == "x\n"


@pytest.mark.parametrize("index", ["5", "x"])
def test_a_line_that_is_not_there_is_said(elements: Elements, index: str) -> None:
    elements.add("true")
    ran = elements.run(index)
    assert ran.returncode == 2
    assert "wrapper: " in ran.stderr


def test_who_was_given_up_publishes_nothing(elements: Elements) -> None:
    path = elements.add("echo late > out/x")
    assert claims.give_up(path)
    assert elements.run(0).returncode == 1
    assert not (elements.folder / "data").exists()
    assert not (path / "attempt.json").exists()


def test_who_has_ended_is_not_given_up(elements: Elements) -> None:
    path = elements.add("echo in time > out/x")
    elements.run(0)
    assert not claims.give_up(path)
    assert _result(path)["class"] == "ok"


# --- the word of the system and the folder: one rule a case ------------------------------------------------


def _flight(path: Path, *, cancelled: bool = False) -> Flight:
    return Flight(1, 1, 1, 1, 1, path, "t", 1, 0, 0, cancelled=cancelled)


def _word(state: str, ending: Ending | None) -> Word:
    return Word(ending, state, "n1", "12")


CASES = [
    # command, state, its ending, what it is, outside
    ("true", "OUT_OF_MEMORY", Ending.MEMORY, Ending.OK, False),
    ("exit 3", "FAILED", None, Ending.EXIT, False),
    ("exit 137", "OUT_OF_MEMORY", Ending.MEMORY, Ending.MEMORY, False),
    ("kill -9 $$", "OUT_OF_MEMORY", Ending.MEMORY, Ending.MEMORY, False),
    ("kill -9 $$", "FAILED", None, Ending.SIGNAL, False),
    ("kill -TERM $PPID; sleep 9", "TIMEOUT", Ending.TIMEOUT, Ending.TIMEOUT, False),
    ("kill -TERM $PPID; sleep 9", "PREEMPTED", Ending.PREEMPTED, Ending.PREEMPTED, False),
    ("kill -TERM $PPID; sleep 9", "CANCELLED", Ending.CANCELLED, Ending.CANCELLED, True),
    (None, "NODE_FAIL", Ending.NODE, Ending.NODE, False),
    (None, "BOOT_FAIL", Ending.NODE, Ending.NODE, False),
    (None, "CANCELLED", Ending.CANCELLED, Ending.CANCELLED, True),
    (None, "FAILED", None, Ending.LAUNCH, False),
    (None, "COMPLETED", None, Ending.LAUNCH, False),
]


@pytest.mark.parametrize(("command", "state", "ending", "meant", "outside"), CASES)
def test_the_folder_comes_first_and_the_system_explains(
    elements: Elements, command: str | None, state: str, ending: Ending | None, meant: Ending, outside: bool
) -> None:
    path = elements.add(command or "true")
    if command is not None:
        elements.run(0)
    result = evidence.ended(_flight(path), _word(state, ending), elements.folder / "log")
    assert result is not None
    assert (result.ending, result.outside) == (meant, outside)


def test_what_we_cancelled_ourselves_is_not_from_outside(elements: Elements) -> None:
    path = elements.add("true")
    word = _word("CANCELLED", Ending.CANCELLED)
    result = evidence.ended(_flight(path, cancelled=True), word, elements.folder / "log")
    assert result is not None
    assert (result.ending, result.outside) == (Ending.CANCELLED, False)


@pytest.mark.parametrize(("step", "meant"), [("12", Ending.MEMORY), ("13", Ending.LOST)])
def test_memory_that_a_polling_slurm_saw_is_read_from_its_log(
    elements: Elements, step: str, meant: Ending
) -> None:
    path, log = elements.add("true"), elements.folder / "log"
    (path / "claim").write_text('{"pid": 999999999, "start": "1", "host": "elsewhere"}\n')
    log.write_text(f"slurmstepd: error: StepId={step}.batch exceeded memory limit (1 > 0), being killed\n")
    result = evidence.ended(_flight(path), _word("FAILED", None), log)
    assert result is not None
    assert result.ending is meant


def _claimed(path: Path, host: str) -> None:
    (path / "claim").write_text(f'{{"pid": 999999999, "start": "1", "host": "{host}"}}\n')


def test_of_what_nobody_knows_the_start_of_the_controller_tells(elements: Elements) -> None:
    taken, forgotten = elements.add("true"), elements.add("true")
    result = evidence.vanished(_flight(taken), was_waiting=True, grace_is_over=False)
    assert result is not None
    assert (result.ending, result.outside) == (Ending.CANCELLED, True)
    assert evidence.vanished(_flight(forgotten), was_waiting=False, grace_is_over=False) is None
    result = evidence.vanished(_flight(forgotten), was_waiting=False, grace_is_over=True)
    assert result is not None
    assert result.ending is Ending.LOST
    assert elements.run(1).returncode == 0  # it may still come: it finds its claim taken
    assert not (forgotten / "stdout").exists()


def test_a_wrapper_that_still_beats_is_waited_for(elements: Elements) -> None:
    path = elements.add("true")
    _claimed(path, "elsewhere")
    assert evidence.vanished(_flight(path), was_waiting=False, grace_is_over=True) is None
    os.utime(path / "claim", (1, 1))
    result = evidence.vanished(_flight(path), was_waiting=False, grace_is_over=True)
    assert result is not None
    assert result.ending is Ending.LOST
    assert claims.give_up(path)  # and would find that it was given up
