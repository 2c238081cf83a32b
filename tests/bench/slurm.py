"""1,000 no-op jobs through DEFT and a real Slurm, beside one bare array of the same wrapper on the same jobs.

Bars: wall time at most 1.15 times that of the bare array, the process of JEDI under 3 CPU-ms a job and
150 MB, submission of at least 2,000 jobs a second into arrays (from the intent, before its commit and before
any folder is made, to Slurm's answer). An array of /bin/true is printed beside them.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from deft.base.database import open_engine, reading
from deft.jedi import wrapper
from deft.jedi.tables import jedi_job, jedi_submission
from tests.bench import graphs, measure
from tests.support import slurm

SETTINGS = """\
[jedi]
cluster = "farm"

[clusters.farm]
conf = "{conf}"
poll_s = 2
max_jobs = {jobs}
max_array = {jobs}
"""
JOB = {"v": 1, "token": "bare", "command": "true", "env": {}, "walltime_s": 0, "kill_grace_s": 5,
       "beat_s": 30, "log_max_bytes": 64_000_000, "outputs": [], "guarded": True}  # fmt: skip
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print a line each: /bin/true, the bare wrapper, DEFT."""
    given = measure.options(__doc__)
    if not slurm.find(slurm.PROGRAMS):
        print(f"There is no Slurm on this machine. {slurm.HOW}")
        return
    jobs = 200 if given.quick else 1000
    farm = slurm.open_cluster()
    found: dict[str, list[tuple[float, ...]]] = {"true": [], "wrapper": [], "deft": []}
    try:
        for _ in range(given.runs):  # in turn, so that all meet the same machine
            found["true"].append((_array(farm, jobs, "exec /bin/true"),))
            found["wrapper"].append((_bare(farm, jobs),))
            found["deft"].append(_deft(farm, jobs))
    finally:
        farm.close()
    middle = {
        name: [statistics.median(one) for one in zip(*rows, strict=True)] for name, rows in found.items()
    }
    bare = middle["wrapper"][0]
    rows: list[Sequence[object]] = [
        ("array of /bin/true", middle["true"][0], middle["true"][0] / bare, "", "", ""),
        ("array of the wrapper", bare, 1.0, "", "", ""),
        ("deft jedi once", middle["deft"][0], middle["deft"][0] / bare, *middle["deft"][1:]),
    ]
    headings = ("jobs by", "wall s", "times bare", "JEDI CPU ms a job", "peak MB", "submitted a second")
    measure.table(headings, rows)


def _array(farm: slurm.Cluster, jobs: int, line: str) -> float:
    """Seconds from the submission of an array to its end."""
    script = measure.scratch() / "script"
    script.write_text(f"#!/bin/sh\n{line}\n")
    began = time.monotonic()
    words = ("sbatch", "--parsable", "--no-requeue", f"--array=0-{jobs - 1}", "--output=/dev/null")
    farm.run(*words, str(script))
    while farm.run("squeue", "-h"):
        time.sleep(0.2)
    return time.monotonic() - began


def _bare(farm: slurm.Cluster, jobs: int) -> float:
    folder = measure.scratch()
    paths = [folder / str(number) for number in range(jobs)]
    for path in paths:
        path.mkdir()
        (path / "job.json").write_text(json.dumps(JOB))
    (folder / "jobs").write_text("".join(f"{path}\n" for path in paths))
    took = _array(
        farm, jobs, f'exec python3 -S -E {wrapper.__file__} --element {folder}/jobs "$SLURM_ARRAY_TASK_ID"'
    )
    bad = sum('"class": "ok"' not in (path / "attempt.json").read_text() for path in paths)
    if bad:
        raise RuntimeError(f"{bad} jobs of the bare array failed")
    return took


def _deft(farm: slurm.Cluster, jobs: int) -> tuple[float, ...]:
    """Wall seconds, CPU ms a job and peak MB of the process of JEDI, jobs submitted a second."""
    workdir = measure.scratch() / "w"
    document = graphs.written(graphs.bag(jobs), measure.scratch())
    deft = [*measure.DEFT, "--workdir", str(workdir)]
    subprocess.run([*deft, "init"], check=True, stdout=subprocess.DEVNULL)
    (workdir / "deft.toml").write_text(SETTINGS.format(conf=farm.conf, jobs=jobs))
    for words in (["import", str(document), "--start"], ["sweep", "--once"]):
        subprocess.run([*deft, *words], check=True, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    process = subprocess.Popen([*deft, "jedi", "once"], stdout=subprocess.DEVNULL, env=_environ())
    cpu, peak = 0.0, 0.0
    while process.poll() is None:
        with contextlib.suppress(OSError, IndexError, ValueError):
            cpu, peak = _used(process.pid) or (cpu, peak)
        time.sleep(0.02)
    wall = time.monotonic() - began
    return wall, 1000 * cpu / jobs, peak, _check(workdir, jobs)


def _environ() -> dict[str, str]:
    return {**os.environ, "PATH": slurm.path()}


def _used(pid: int) -> tuple[float, float] | None:
    """CPU seconds and peak MB of one process alone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    peak = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
    return ((int(fields[11]) + int(fields[12])) / TICKS, peak) if peak else None


def _check(workdir: Path, jobs: int) -> float:
    """That all jobs ended well; how many a second were submitted, from the intent to the answer."""
    engine = open_engine(f"sqlite:///{workdir / 'deft.db'}")
    with reading(engine) as conn:
        states = set(conn.execute(sa.select(jedi_job.c.state)).scalars())
        arrays = conn.execute(sa.select(jedi_submission)).all()
    engine.dispose()
    if states != {"ok"}:
        sys.exit(f"not all jobs are ok: {states}")
    took: float = sum((one.accepted - one.created).total_seconds() for one in arrays)
    return jobs / took


if __name__ == "__main__":
    main()
