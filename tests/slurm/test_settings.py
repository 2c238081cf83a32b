"""`[clusters.NAME]` of deft.toml: what is right, what is wrong, and how it reaches another process."""

from __future__ import annotations

from pathlib import Path

import pytest

from deft.base import config
from deft.base.config import Cluster
from deft.base.errors import BadInput
from deft.jedi.backends import batch


def _load(folder: Path, text: str, **environ: str) -> config.Settings:
    (folder / "deft.toml").write_text(text)
    return config.load(folder, {"HOME": str(folder), **environ})


def test_a_cluster_is_a_section_with_a_name(tmp_path: Path) -> None:
    found = _load(tmp_path, '[clusters.farm]\npartition = "main"\n[clusters.other-farm]\nmax_jobs = 7\n')
    assert found.clusters == {"farm": Cluster(partition="main"), "other-farm": Cluster(max_jobs=7)}


def test_settings_of_clusters_reach_another_process(tmp_path: Path) -> None:
    text = '[jedi]\ncluster = "farm-2"\n[clusters.farm-2]\nconf = "/etc/s.conf"\npoll_s = 3\n'
    found = _load(tmp_path, text)
    again = _load(tmp_path, "", **config.as_environ(found))
    assert (again.clusters, again.jedi) == (found.clusters, found.jedi)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[clusters]\nfarm = "x"\n', "one section a cluster"),
        ("[clusters.farm]\nspeed = 1\n", "has no setting 'speed'"),
        ('[clusters.farm]\nmax_jobs = "many"\n', "no whole number"),
        ('[clusters.farm]\nscheduler = "magic"\n', "none that DEFT knows"),
        ("[clusters.local]\n", "no name for a cluster"),
        ("[clusters.Farm]\n", "no name for a cluster"),
        ('[jedi]\ncluster = "fram"\n[clusters.farm]\n', "there is no section [clusters.fram]"),
    ],
)
def test_what_cannot_be_right_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput) as fault:
        _load(tmp_path, text)
    assert words in str(fault.value)


def test_a_command_may_choose_another_cluster_that_there_is(tmp_path: Path) -> None:
    found = _load(tmp_path, "[clusters.farm]\n")
    assert config.with_cluster(found, "farm").jedi.cluster == "farm"
    assert config.with_cluster(found, None) is found
    with pytest.raises(BadInput, match="know local, farm"):
        config.with_cluster(found, "nowhere")


def test_of_our_environment_jobs_get_what_is_named_and_no_secret() -> None:
    ours = {"PATH": "/bin", "HOME": "/h", "DEFT_DATABASE__URL": "secret", "MINE": "1", "OTHER": "2"}
    found = batch.environ(Cluster(environment="MINE", conf="/c"), ours)
    assert {name: found.get(name) for name in (*ours, "SLURM_CONF")} == {
        "PATH": "/bin", "HOME": "/h", "DEFT_DATABASE__URL": None, "MINE": "1", "OTHER": None,
        "SLURM_CONF": "/c",
    }  # fmt: skip
