"""What dies on a real cluster: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deft.base import faults
from tests.jedi.bench import output, stop, synthetic, until
from tests.jedi.work import logging_spec
from tests.slurm.bench import SlurmBench
from tests.support import slurm

pytestmark = pytest.mark.faults

JOBS = 6
PATIENCE_S = 60.0


def _work(bench: SlurmBench, command: str = "true", **settings: object) -> None:
    """Jobs that say when they begin and when they end, and that nobody else may run at the same time."""
    told = (
        "echo start-{unit.key} >> $LOG; mkdir $LOG.{unit.key} || echo overlap >> $LOG; "
        f"{command}; rmdir $LOG.{{unit.key}}; echo end-{{unit.key}} >> $LOG; echo {{unit.key}} > {{output}}"
    )
    bench.run(logging_spec(bench, told, inputs=(synthetic(JOBS),), outputs=(output(2),), settings=settings))


def _waiting(bench: SlurmBench) -> str:
    """A command that waits until `go` is there."""
    return f"until test -e {bench.workdir}/go; do sleep 0.1; done"


def _go(bench: SlurmBench) -> None:
    (bench.workdir / "go").touch()


def _check(bench: SlurmBench, *, began_twice: int = 0) -> None:
    """Every job is ok, every output is there once, and none ran twice but those that were killed."""
    assert bench.counts() == {"ok": JOBS}, bench.said()
    assert sorted(int(text) for text in bench.files("p.m.t.out2").values()) == list(range(1, JOBS + 1))
    said = Counter(bench.log())
    assert said["overlap"] == 0
    assert [said[f"end-{n}"] for n in range(1, JOBS + 1)] == [1] * JOBS, bench.said()
    assert sum(said[f"start-{n}"] for n in range(1, JOBS + 1)) == JOBS + began_twice
    assert sum(job["charged"] for job in bench.jobs()) == 0
    assert "open" not in bench.outcomes()
    bench.check_books()


def _finish(bench: SlurmBench, process: subprocess.Popen[bytes]) -> None:
    _until(lambda: bench.counts() == {"ok": JOBS}, bench)
    assert stop(process) == 0


def _until(claim: Callable[[], bool], bench: SlurmBench) -> None:
    """Wait longer than others: Slurm is slow to notice what died."""
    end = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < end, bench.said()
        time.sleep(0.1)


def _all_run(bench: SlurmBench) -> bool:
    return sum(word.startswith("start") for word in bench.log()) == JOBS


# --- the cluster -------------------------------------------------------------------------------------------


def test_the_controller_forgets_an_array_that_it_had_taken(bench: SlurmBench) -> None:
    _work(bench)
    bench.farm.stop("slurmctld")  # all that was before is on disk
    bench.farm.start_missing()
    # It saves its state at most every five seconds: after this one, nothing for a while.
    bench.farm.run("sbatch", "--hold", "-o", "/dev/null", "--wrap", "true")
    with _stopped_at(bench, "batch.submission-accepted") as process:
        assert any(one.startswith("deft-") for _, _, one in bench.farm.queue())
        bench.farm.kill("slurmctld")
        bench.farm.start_missing()
        taken = bench.farm.run("sbatch", "--parsable", "-o", "/dev/null", "--wrap", "sleep 3").strip()
    _finish(bench, process)
    _check(bench)
    assert bench.job_id(0) == taken  # the same number, given to somebody else
    assert sorted(bench.outcomes()) == ["lost"] * JOBS + ["ok"] * JOBS
    assert bench.farm.queue("%j", "-j", taken) == [["wrap"]]  # and left alone


@contextlib.contextmanager
def _stopped_at(bench: SlurmBench, point: str) -> Iterator[subprocess.Popen[bytes]]:
    """A JEDI that stands still at a point, and goes on at the end."""
    process = bench.serve(point, stop=True)
    stat = Path(f"/proc/{process.pid}/stat")
    until(lambda: stat.read_bytes().rpartition(b")")[2].split()[0] == b"T", "it stands still")
    yield process
    process.send_signal(signal.SIGCONT)


def test_the_controller_is_away_while_jobs_are_to_be_submitted(bench: SlurmBench) -> None:
    process = bench.serve()
    until((bench.workdir / "deft.db").exists, "it runs")
    time.sleep(0.5)  # it has found the cluster
    bench.farm.kill("slurmctld")
    _work(bench)
    until(lambda: "does not answer" in bench.said() or "may or may not" in bench.said(), bench.said())
    bench.farm.start_missing()
    _finish(bench, process)
    _check(bench)


def test_the_controller_is_away_while_jobs_run(bench: SlurmBench) -> None:
    _work(bench, _waiting(bench))
    process = bench.serve()
    until(lambda: _all_run(bench), bench.said())
    time.sleep(3)  # its state is on disk
    bench.farm.kill("slurmctld")
    until(lambda: "does not answer" in bench.said(), bench.said())
    _go(bench)
    until(lambda: sum(word.startswith("end") for word in bench.log()) == JOBS, bench.said())
    assert bench.counts() == {"running": JOBS}
    bench.farm.start_missing()
    _finish(bench, process)
    _check(bench)


@pytest.mark.slow  # it takes Slurm half a minute to believe it
def test_a_node_dies_with_its_jobs(bench: SlurmBench) -> None:
    _work(bench, _waiting(bench), **{"resources.cores": slurm.CPUS // 2})
    process = bench.serve()
    until(lambda: _all_run(bench), bench.said())
    until(lambda: sum(a["state"] == "running" for a in bench.attempts()) == JOBS, "it knows")
    node = bench.farm.queue("%N")[0][0]
    died = sum(one == node for [one] in bench.farm.queue("%N"))
    bench.farm.kill_node(node)
    for path in bench.workdir.glob("ran.log.*"):
        _unlock_the_dead(path)
    _until(lambda: sum(w.startswith("start") for w in bench.log()) == JOBS + died, bench)
    _go(bench)
    _finish(bench, process)
    _check(bench, began_twice=died)
    assert sorted(bench.outcomes()) == ["node"] * died + ["ok"] * JOBS


def _unlock_the_dead(path: Path) -> None:
    """The lock of a payload that was killed with its node."""
    key = path.name.rpartition(".")[2]
    alive = [p for p in Path("/proc").glob("[0-9]*/cmdline") if f"start-{key} ".encode() in _words(p)]
    if not alive:
        path.rmdir()


def _words(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_the_daemon_of_a_node_dies_alone(bench: SlurmBench) -> None:
    _work(bench, _waiting(bench))
    process = bench.serve()
    until(lambda: _all_run(bench), bench.said())
    bench.farm.kill(bench.farm.queue("%N")[0][0])
    _go(bench)
    _finish(bench, process)
    _check(bench)
    assert bench.outcomes() == ["ok"] * JOBS


def test_a_wrapper_is_killed_beside_its_payload(bench: SlurmBench) -> None:
    once = bench.workdir / "once"
    killed = f"touch {once}; rmdir $LOG.1; kill -9 $PPID; sleep 60"
    _work(bench, f"if test {{unit.key}} = 1 && ! test -e {once}; then {killed}; fi")
    process = bench.serve()
    _finish(bench, process)
    _check(bench, began_twice=1)
    assert sorted(bench.outcomes()) == ["lost", *["ok"] * JOBS]


def test_the_folder_of_an_array_cannot_be_written_by_slurm(bench: SlurmBench) -> None:
    blocked = bench.workdir / "submit"
    blocked.write_text("in the way")
    _work(bench)
    process = bench.serve()
    until(lambda: "NotADirectory" in bench.said() or "Not a directory" in bench.said(), bench.said())
    blocked.unlink()
    _finish(bench, process)
    _check(bench)


# --- JEDI itself -------------------------------------------------------------------------------------------

# The first passing applies the orders; the cluster is known, and jobs are made, at the second.
POINTS = [
    *(point for point in faults.POINTS if point.startswith("batch.") and point != "batch.cancel-started"),
    "jedi.planned:2",
    "jedi.before-commit:2",
    "jedi.after-commit:2",
    "jedi.folder-made",
    "jedi.before-hand-over:2",
    "jedi.after-hand-over:2",
    "jedi.results-settled:4",
    "jedi.after-commit:4",
]


@pytest.mark.parametrize("point", POINTS)
def test_jedi_dies_at_a_point_and_the_next_one_goes_on(bench: SlurmBench, point: str) -> None:
    _work(bench, "sleep 0.2")
    process = bench.serve(point)
    assert process.wait(PATIENCE_S) == -signal.SIGKILL, bench.said()
    bench.work()
    _check(bench)


def test_jedi_dies_while_it_cancels(bench: SlurmBench) -> None:
    _work(bench, _waiting(bench), **{"resources.cores": slurm.CPUS})
    process = bench.serve("batch.cancel-started")
    until(lambda: sum(w.startswith("start") for w in bench.log()) == slurm.NODES, bench.said())
    bench.order("hold", {"mode": "drain"}, task=1)
    assert process.wait(PATIENCE_S) == -signal.SIGKILL, bench.said()
    _go(bench)
    bench.order("resume", {}, task=1)
    bench.work()
    _check(bench)
