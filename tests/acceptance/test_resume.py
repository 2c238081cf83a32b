"""kill -9 in the middle, and the same command again: what was done stays done."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.scene import Leash, Place, Task, graph

ALL = [f"end {number}" for number in (1, 2, 3, 4)]


@pytest.fixture
def path(place: Place, leash: Leash) -> Path:
    """Four jobs on a leash, two at a time, and one that joins what they made."""
    tasks = {"nap": Task(leash.command, jobs=4), "join": Task("cat {inputs} > {output}")}
    return graph(place.folder, tasks, [("nap", "join")])


def _all_done_once(place: Place, leash: Leash) -> None:
    assert Counter(line for line in leash.ran if line.startswith("end")) == Counter(ALL)
    assert place.text("data/*join*/*") == "1\n2\n3\n4\n"
    assert place.ok("status", "m").startswith("default/m is done")


@pytest.mark.parametrize("both", [False, True], ids=["deft run", "both"])
def test_killed_in_the_middle_the_same_command_goes_on(
    place: Place, leash: Leash, path: Path, both: bool
) -> None:
    with place.started("run", str(path)) as run:
        leash.wait(2)
        leash.release()
        leash.wait()  # the first is done, two run
        if both:
            child = run.child()
            run.kill()
            os.kill(child, signal.SIGKILL)
        else:
            run.kill()
    leash.let_all_go()
    again = place.run(path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stderr.startswith("going on with default/m: ")
    _all_done_once(place, leash)


def test_an_executor_that_is_killed_is_started_again(place: Place, leash: Leash, path: Path) -> None:
    with place.started("run", str(path)) as run:
        leash.wait(2)
        os.kill(run.child(), signal.SIGKILL)
        leash.let_all_go()
        code, out, err = run.end()
    assert code == 0, out + err
    _all_done_once(place, leash)


def test_a_second_run_in_the_same_work_folder_is_refused_and_harms_nothing(
    place: Place, leash: Leash, path: Path
) -> None:
    with place.started("run", str(path)) as run:
        leash.wait(2)
        second = place.run(path)
        assert second.returncode == 4
        assert f"deft run (process {run.process.pid}) already works in {place.work}" in second.stderr
        assert "deft status" in second.stderr
        assert "--workdir" in second.stderr
        leash.let_all_go()
        assert run.end()[0] == 0
    _all_done_once(place, leash)


@pytest.mark.slow
def test_an_executor_that_cannot_start_ends_the_run_with_its_words(place: Place, path: Path) -> None:
    # It dies at the first look at the database, as often as it is started.
    ran = place.run(path, DEFT_TEST_FAULT="jedi.lease-taken")
    assert ran.returncode == 7
    assert "the executor stopped" in ran.stderr
    assert "jedi.log" in ran.stderr
    assert place.ok("status", "m").startswith("default/m is running")
