"""A bag of 1,000 jobs of /bin/true: CPU a job above a bare loop (bar: 5 ms), beside peers that keep a record.

The peers (doit, luigi, parsl) are installed into environments of their own under ~/.cache/deft-bench.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bench import graphs, measure
from tests.bench.measure import Used

PEERS = ("doit", "luigi", "parsl")
CACHE = Path.home() / ".cache" / "deft-bench"
SCRIPTS = Path(__file__).parent / "peers"
BARE = "import subprocess, sys\nfor _ in range(int(sys.argv[1])): subprocess.run(['/bin/true'])"


def main() -> None:
    """Print one line each: DEFT, the bare loop, the peers."""
    given = measure.options(__doc__)
    jobs = 200 if given.quick else 1000
    loop = bare(jobs, given.runs)
    own = measure.deft_runs(graphs.written(graphs.bag(jobs), measure.scratch()), given.runs)
    rows = [_row("bare subprocess loop", loop, loop, jobs), _row("deft run", own, loop, jobs)]
    for peer in PEERS:
        python = _environment(peer)
        if python is None:
            rows.append((f"{peer}: could not be installed", "", "", ""))
        else:
            rows.append(
                _row(f"{peer} {_version(python, peer)}", _peer(python, peer, jobs, given.runs), loop, jobs)
            )
    measure.table(("engine", "CPU ms a job", "above the loop", "wall s"), rows)


def bare(jobs: int, runs: int) -> Used:
    """The same payloads from a loop that does nothing else."""
    return measure.medians(lambda: measure.run([sys.executable, "-c", BARE, str(jobs)]), runs)


def _row(name: str, used: Used, loop: Used, jobs: int) -> tuple[object, ...]:
    above = 1000 * (used.cpu_s - loop.cpu_s) / jobs
    return (name, 1000 * used.cpu_s / jobs, above, used.wall_s)


def _environment(peer: str) -> str | None:
    python = CACHE / peer / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", CACHE / peer], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", peer]
        if subprocess.run(install, check=False).returncode:
            return None
    works = subprocess.run([python, "-c", f"import {peer}"], check=False, capture_output=True)
    return str(python) if works.returncode == 0 else None


def _version(python: str, peer: str) -> str:
    ask = f"import importlib.metadata as m; print(m.version('{peer}'))"
    return subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()


def _peer(python: str, peer: str, jobs: int, runs: int) -> Used:
    command = [python, str(SCRIPTS / f"{peer}_bag.py"), str(jobs)]
    return measure.medians(lambda: measure.run(command, folder=measure.scratch()), runs)


if __name__ == "__main__":
    main()
