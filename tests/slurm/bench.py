"""A workbench for JEDI on a real Slurm: the one of tests/jedi, with a cluster in its settings."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from deft.base.config import Cluster, Jedi
from deft.jedi.tables import jedi_attempt, jedi_job, jedi_submission
from tests.jedi.bench import Bench
from tests.support import slurm
from tests.support.repository import ROOT

NAME = "farm"
JEDI = Jedi(cluster=NAME, slots=2, kill_grace_s=0.5, poll_s=0.5)
TOML = """\
[jedi]
cluster = "{name}"
slots = 2
kill_grace_s = 0.5
poll_s = 0.5

[clusters.{name}]
"""


class SlurmBench(Bench):
    """One work folder whose jobs run on a cluster."""

    def __init__(self, workdir: Path, farm: slurm.Cluster, **settings: Any) -> None:
        super().__init__(workdir, JEDI)
        self.farm = farm
        self._served: list[subprocess.Popen[bytes]] = []
        # Far below what a real cluster would like to be asked.
        quick = {"conf": str(farm.conf), "poll_s": 0.2, "grace_s": 1.0, "timeout_s": 30.0, "beat_s": 0.5}
        self.cluster = Cluster(**{**quick, **settings})
        self.settings = replace(self.settings, clusters={NAME: self.cluster})
        facts = {**quick, **settings}
        lines = "".join(f"{key} = {_toml(value)}\n" for key, value in facts.items())
        (workdir / "deft.toml").write_text(TOML.format(name=NAME) + lines)

    def serve(self, fault: str = "", *, stop: bool = False) -> subprocess.Popen[bytes]:
        """Start a JEDI of its own process; `fault` kills it at a named point, or stops it."""
        environ = {name: text for name, text in os.environ.items() if not name.startswith("DEFT_")}
        environ |= {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(self.workdir), "PATH": slurm.path()}
        if fault:
            environ |= {"DEFT_TEST_FAULT": fault, "DEFT_TEST_FAULT_SIGNAL": "STOP" if stop else "KILL"}
        with (self.workdir / "jedi.log").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "deft.jedi", "--workdir", str(self.workdir)],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environ,
            )  # fmt: skip
        self._served.append(process)
        return process

    def close(self) -> None:
        """End every JEDI that a test left, so that it gives nothing to the next test's cluster."""
        for process in self._served:
            process.kill()
            process.wait()
        self.engine.dispose()

    # --- what the database says ---

    def attempts(self) -> list[dict[str, Any]]:
        """The attempts, in order."""
        return self.rows(jedi_attempt)

    def outcomes(self) -> list[str]:
        """What each attempt ended with; `open` for those that have not."""
        return [row["outcome"] or "open" for row in self.attempts()]

    def jobs(self) -> list[dict[str, Any]]:
        """The jobs, in order."""
        return self.rows(jedi_job)

    def arrays(self) -> list[dict[str, Any]]:
        """The submissions, in order."""
        return self.rows(jedi_submission)

    def job_id(self, number: int = -1) -> str:
        """The cluster's id of an array; empty while it is not known."""
        found = self.arrays()
        return str(found[number]["job_id"] or "") if found else ""

    def said(self) -> str:
        """What JEDI and Slurm wrote, for a test that fails."""
        logs = [self.workdir / "jedi.log", *sorted(self.workdir.glob("submit/*/log"))]
        return "\n".join(f"-- {path}\n{path.read_text()}" for path in logs if path.exists())


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
