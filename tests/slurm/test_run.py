"""`deft run --cluster` from the outside, on a real cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import slurm
from tests.support.repository import ROOT

PATIENCE_S = 60.0
GRAPH = """\
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="g.name" for="graph" attr.name="name" attr.type="string"/>
  <key id="n.command" for="node" attr.name="command" attr.type="string"/>
  <key id="n.split.jobs" for="node" attr.name="split.jobs" attr.type="int"/>
  <graph edgedefault="directed"><data key="g.name">wait</data>
    <node id="t"><data key="n.split.jobs">4</data>
      <data key="n.command">
        echo {unit.key} >> LOG; until test -e GO; do sleep 0.1; done; echo x > {output}
      </data>
    </node>
  </graph>
</graphml>
"""


class Work:
    """A work folder with the settings of a cluster, and the commands given there."""

    def __init__(self, folder: Path, farm: slurm.Cluster) -> None:
        self.folder, self.farm = folder / "w", farm
        self.folder.mkdir()
        text = f'[jedi]\npoll_s = 0.5\n[clusters.farm]\nconf = "{farm.conf}"\npoll_s = 0.2\n'
        (self.folder / "deft.toml").write_text(text)
        kept = {name: text for name, text in os.environ.items() if not name.startswith("DEFT_")}
        self.environ = {**kept, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder), "PATH": slurm.path()}

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `deft`."""
        return subprocess.Popen(
            [sys.executable, "-m", "deft", *words], cwd=self.folder, env=self.environ, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def deft(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `deft` to its end."""
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.fixture
def work(tmp_path: Path, farm: slurm.Cluster) -> Work:
    """A work folder with that cluster in its settings."""
    return Work(tmp_path, farm)


def _until(claim: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_a_template_runs_on_a_cluster_as_arrays(work: Work) -> None:
    ran = work.deft("run", "mc_chain", "--cluster", "farm")
    assert ran.returncode == 0, ran.stderr
    shown = json.loads(work.deft("jobs", "mc_chain", "--json").stdout)
    rows = shown["rows"] if isinstance(shown, dict) else shown
    assert {row["state"] for row in rows} == {"ok"}
    assert {row["cluster"] for row in rows} == {"farm"}
    arrays = [row["cluster_job"].partition("_")[0] for row in rows if row["task"].endswith("/evgen")]
    assert len(arrays) == 4
    assert len(set(arrays)) == 1
    assert {row["asked_mb"] for row in rows if row["task"].endswith("/evgen")} == {200}
    assert "JOB THERE" in work.deft("jobs", "mc_chain").stdout


def test_a_cluster_that_is_not_in_the_settings_is_refused_before_anything_is_made(work: Work) -> None:
    ran = work.deft("run", "mc_chain", "--cluster", "nowhere")
    assert ran.returncode == 6
    assert "the settings know local, farm" in ran.stderr
    assert not (work.folder / "deft.db").exists()


def test_ctrl_c_leaves_running_jobs_alone_and_the_same_command_goes_on(work: Work, tmp_path: Path) -> None:
    log, go, document = tmp_path / "ran.log", tmp_path / "go", tmp_path / "wait.graphml"
    document.write_text(GRAPH.replace("LOG", str(log)).replace("GO", str(go)))
    process = work.start("run", str(document), "--cluster", "farm")
    _until(lambda: log.exists() and len(log.read_text().split()) == 4, "all jobs run")
    _until(lambda: '"running"' in work.deft("jobs", "wait", "--json").stdout, "it knows")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, said
    assert len(work.farm.queue()) == 4
    go.touch()
    ran = work.deft("run", str(document), "--cluster", "farm")
    assert ran.returncode == 0, ran.stderr
    assert sorted(log.read_text().split()) == ["1", "2", "3", "4"]


def test_what_slurm_declines_ends_the_run_with_its_words(work: Work, tmp_path: Path) -> None:
    document = tmp_path / "wrong.graphml"
    key = '<key id="n.p" for="node" attr.name="resources.partition" attr.type="string"/>'
    text = GRAPH.replace("<graph ", f"{key}<graph ").replace(
        "</node>", '<data key="n.p">nosuch</data></node>'
    )
    document.write_text(text.replace("LOG", "/dev/null").replace("GO", "/"))
    ran = work.deft("run", str(document), "--cluster", "farm")
    assert ran.returncode == 1
    assert "change resources.partition" in ran.stdout + ran.stderr
    assert "broken" in work.deft("status", "wait").stdout
