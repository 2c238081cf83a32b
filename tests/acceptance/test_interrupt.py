"""Ctrl-C: once holds, twice stops at once; the same command goes on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.acceptance.scene import Leash, Place, Task, graph

REASON = "deft run was interrupted"
HELD = "held: running jobs get ten seconds"


def _held(place: Place) -> bool:
    return place.ok("status", "m").startswith("default/m is held")


@pytest.fixture
def path(place: Place, leash: Leash) -> Path:
    """Four jobs on a leash, two at a time."""
    return graph(place.folder, {"nap": Task(leash.command, jobs=4)})


def test_the_first_ctrl_c_holds_running_jobs_end_and_the_same_command_goes_on(
    place: Place, leash: Leash, path: Path
) -> None:
    with place.started("run", str(path), "--workdir", "W") as run:
        leash.wait(2)
        run.interrupt()
        run.wait_for(HELD)
        leash.release(2)
        code, out, _ = run.end()
    assert code == 130
    assert out.startswith("default/m is held, interrupted after ")
    assert f"deft run {path} --workdir W\n" in out
    assert "deft abort default/m --workdir W\n" in out
    assert len(leash.ran) == 4
    assert _held(place)
    assert REASON in place.ok("status", "m")
    leash.let_all_go()
    again = place.run(path)
    assert again.returncode == 0, again.stderr
    assert sorted(leash.ran) == sorted(f"{word} {n}" for n in (1, 2, 3, 4) for word in ("begin", "end"))


def test_the_second_ctrl_c_stops_at_once_and_its_jobs_run_again(
    place: Place, leash: Leash, path: Path
) -> None:
    with place.started("run", str(path)) as run:
        leash.wait(2)
        run.interrupt()
        run.wait_for(HELD)
        run.interrupt()
        code, out, _ = run.end()
    assert code == 130
    assert "is held, interrupted" in out
    assert sorted(leash.ran) == ["begin 1", "begin 2"]
    assert _held(place)
    leash.let_all_go()
    assert place.run(path).returncode == 0
    assert sum(line.startswith("end") for line in leash.ran) == 4
    assert sum(line.startswith("begin") for line in leash.ran) == 6


@pytest.mark.slow
def test_a_job_that_does_not_end_within_ten_seconds_is_stopped(
    place: Place, leash: Leash, path: Path
) -> None:
    with place.started("run", str(path)) as run:
        leash.wait(2)
        run.interrupt()
        code, out, _ = run.end()
    assert code == 130
    seconds = float(out.splitlines()[0].partition(" after ")[2].removesuffix(" s"))
    assert 9 < seconds < 25
    assert [line.split()[0] for line in leash.ran] == ["begin", "begin"]


def test_a_request_to_end_is_taken_like_ctrl_c(place: Place, leash: Leash, path: Path) -> None:
    with place.started("run", str(path)) as run:
        leash.wait(2)
        run.process.send_signal(signal.SIGTERM)
        run.wait_for(HELD)
        leash.release(2)
        assert run.end()[0] == 130
    assert _held(place)


def test_the_next_run_lifts_its_own_hold_and_no_other(place: Place, leash: Leash, path: Path) -> None:
    with place.started("run", str(path)) as run:
        leash.wait(2)
        place.ok("hold", "m", "--reason", "coffee")
        run.interrupt()
        leash.release(2)
        run.end()
    leash.let_all_go()
    with place.started("run", str(path)) as run:
        run.wait_for("coffee")
        assert _held(place)
        place.ok("resume", "m")
        code, _, _ = run.end()
    assert code == 0
