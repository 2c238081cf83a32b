"""The template mc_physics: the chain with Pythia 8."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from deft.authoring.templates import search
from tests.support.needs import need
from tests.support.repository import ROOT, deft

PLACE = search.find("mc_physics").parent


def pythia() -> None:
    """Skip where the generator is missing."""
    present = importlib.util.find_spec("pythia8mc")
    need("pythia8mc", present, "pip install 'deft[physics]' (Linux on x86-64, Python 3.11 to 3.13)")


def evgen(out: Path, *options: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the generator's step alone."""
    command = (sys.executable, *python, str(PLACE / "mc_physics.py"), "evgen", str(out), *options)
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_the_chain_with_pythia_finds_the_z(tmp_path: Path) -> None:
    pythia()
    settings = ("--set", "events=4000", "--set", "jobs=2")
    ran = deft("run", "mc_physics", "--workdir", str(tmp_path), *settings, timeout_s=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = next(tmp_path.glob("data/default.mc_physics.plot.fit.*/*.json"))
    fit = json.loads(found.read_text())["fit"]
    assert fit["pairs"] > 1000
    assert abs(fit["peak"] - 91.19) < 0.3
    assert abs(fit["width"] - 2.5) < 4 * fit["width_error"] < 0.6


@pytest.mark.slow
def test_the_split_into_jobs_does_not_matter(tmp_path: Path) -> None:
    pythia()
    for number, split in enumerate(((1, 1), (3, 1), (3, 2), (3, 3))):
        words = ("--events", "200", "--jobs", str(split[0]), "--job", str(split[1]))
        ran = evgen(tmp_path / str(number), *words)
        assert ran.returncode == 0, ran.stderr
    parts = b"".join((tmp_path / str(number)).read_bytes() for number in (1, 2, 3))
    assert parts == (tmp_path / "0").read_bytes()


def test_without_the_generator_it_says_what_to_install(tmp_path: Path) -> None:
    # No site-packages, so that the module is missing even where it is installed.
    ran = evgen(tmp_path / "out", "--events", "1", python=("-S", "-E"))
    assert ran.returncode == 1
    assert "pip install 'deft[physics]'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_other_steps_are_those_of_mc_chain() -> None:
    for name in ("mc_chain.py", "peak.py"):
        assert (PLACE / name).read_bytes() == search.find("mc_chain").with_name(name).read_bytes()


def test_the_extra_pins_one_version() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert setup["options.extras_require"]["physics"].startswith("pythia8mc==")
