"""Real clusters: one without accounting for most tests, one with it; each ends with the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.bench import SlurmBench
from tests.support import slurm
from tests.support.needs import need


@pytest.fixture(scope="session")
def bare_cluster() -> Iterator[slurm.Cluster]:
    """A cluster without accounting, started when the first test asks for it."""
    need("Slurm (its daemons and commands)", slurm.find(slurm.PROGRAMS), slurm.HOW)
    made = slurm.open_cluster()
    yield made
    made.close()


@pytest.fixture(scope="session")
def booked_cluster() -> Iterator[slurm.Cluster]:
    """A cluster with slurmdbd and MariaDB."""
    need("Slurm (its daemons and commands)", slurm.find(slurm.PROGRAMS), slurm.HOW)
    need("accounting for Slurm", slurm.find(slurm.ACCOUNTING), slurm.HOW_ACCOUNTING)
    made = slurm.open_cluster(accounting=True, min_job_age_s=2)
    yield made
    made.close()


@pytest.fixture
def farm(bare_cluster: slurm.Cluster) -> slurm.Cluster:
    """The cluster without accounting, all of it up and idle."""
    bare_cluster.clear()
    return bare_cluster


@pytest.fixture
def bench(tmp_path: Path, farm: slurm.Cluster) -> Iterator[SlurmBench]:
    """A work folder whose jobs run there."""
    made = SlurmBench(tmp_path, farm)
    yield made
    made.close()
