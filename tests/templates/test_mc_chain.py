"""The template mc_chain: its physics, and that the split into jobs does not matter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from deft.authoring.templates import search
from tests.support.repository import deft

SCRIPT = search.find("mc_chain").with_name("mc_chain.py")
MASS, WIDTH = 91.19, 2.495
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The payload as a module."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    monkeypatch.delenv("DEFT_PROGRESS", raising=False)
    for name in ("mc_chain", "peak"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return __import__("mc_chain")


def in_one_process(folder: Path, *options: str) -> None:
    """All steps, without DEFT."""
    command = (sys.executable, str(SCRIPT), "all", str(folder), *options)
    subprocess.run(command, check=True, timeout=120, capture_output=True)


def in_jobs(workdir: Path, events: int, jobs: int) -> dict[str, Path]:
    """The same by DEFT; the files by their types."""
    settings = ("--set", f"events={events}", "--set", f"jobs={jobs}")
    ran = deft("run", "mc_chain", "--workdir", str(workdir), *settings, timeout_s=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = {path.parent.name.split(".")[3]: path for path in workdir.glob("data/default.mc_chain.*/*")}
    assert len(list(workdir.glob("data/default.mc_chain.reco.pairs.*/*"))) == jobs
    return found


def read(path: Path) -> Any:
    """What a JSON file holds."""
    return json.loads(path.read_text())


def test_jobs_and_one_process_give_the_identical_histogram(tmp_path: Path) -> None:
    found = in_jobs(tmp_path / "W", events=2000, jobs=3)
    in_one_process(tmp_path / "alone", "--events", "2000")
    assert found["histogram"].read_bytes() == (tmp_path / "alone" / "histogram.json").read_bytes()
    assert found["fit"].read_bytes() == (tmp_path / "alone" / "fit.json").read_bytes()
    fit = read(found["fit"])["fit"]
    assert abs(fit["peak"] - MASS) < 0.3
    assert abs(fit["width"] - WIDTH) < 4 * fit["width_error"] < 0.6
    progress = (tmp_path / "W/jobs/default.mc_chain/simul/000001/1/progress").read_text().splitlines()
    assert progress[-1] == "666 666"


@pytest.mark.slow
def test_twenty_thousand_events_measure_mass_and_width(tmp_path: Path) -> None:
    found = in_jobs(tmp_path / "W", events=20000, jobs=8)
    in_one_process(tmp_path / "alone", "--events", "20000", "--seed", "1")
    assert found["histogram"].read_bytes() == (tmp_path / "alone" / "histogram.json").read_bytes()
    fit = read(found["fit"])["fit"]
    assert abs(fit["peak"] - MASS) < 0.3
    assert abs(fit["width"] - WIDTH) < 0.1 * WIDTH
    assert fit["chi2"] < 1.6 * fit["degrees"]


@pytest.mark.slow
def test_the_fit_is_right_within_its_errors(tmp_path: Path) -> None:
    pulls = []
    for seed in range(1, 21):
        in_one_process(tmp_path / str(seed), "--events", "5000", "--seed", str(seed), "--min-pt", "0")
        fit = read(tmp_path / str(seed) / "fit.json")["fit"]
        pulls += [
            (fit["peak"] - MASS) / fit["peak_error"],
            (fit["width"] - WIDTH) / fit["width_error"],
        ]
    assert abs(sum(pulls)) / len(pulls) < 0.5
    assert 0.6 < sum(pull * pull for pull in pulls) / len(pulls) < 1.6


def test_the_resolution_is_unfolded(tmp_path: Path) -> None:
    for resolution in ("0", "0.02"):
        in_one_process(tmp_path / resolution, "--events", "10000", "--resolution", resolution)
        fit = read(tmp_path / resolution / "fit.json")["fit"]
        assert abs(fit["width"] - WIDTH) < 3.5 * fit["width_error"]


def test_a_decay_conserves_energy_and_momentum(chain: ModuleType) -> None:
    for event in range(200):
        made = chain.generate(event, 5)
        momenta = [tuple(muon[1:]) for muon in made["muons"]]
        energy = sum((chain.MUON_MASS**2 + sum(p * p for p in three)) ** 0.5 for three in momenta)
        square = energy**2 - sum(sum(parts) ** 2 for parts in zip(*momenta, strict=True))
        assert square**0.5 == pytest.approx(made["mass"], rel=1e-6)
        assert sorted(muon[0] for muon in made["muons"]) == [-1, 1]
        assert chain.LIGHTEST <= made["mass"] <= chain.HEAVIEST


def test_a_share_of_the_events_is_whole(chain: ModuleType) -> None:
    for events, jobs in ((20, 4), (7, 3), (2, 5), (1, 1)):
        parts = [chain.share(events, jobs, job) for job in range(1, jobs + 1)]
        assert [event for part in parts for event in part] == list(range(events))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_random_numbers_are_uniform_and_follow_from_the_event_alone(chain: ModuleType) -> None:
    numbers = [number for event in range(2000) for number in chain.uniforms(1, "evgen", event)]
    assert 0.0 < min(numbers) < max(numbers) < 1.0
    assert sum(numbers) / len(numbers) == pytest.approx(0.5, abs=0.01)
    assert len(set(numbers)) == len(numbers)
    assert chain.uniforms(1, "evgen", 7) == chain.uniforms(1, "evgen", 7)
    assert chain.uniforms(1, "simul", 7) != chain.uniforms(1, "evgen", 7) != chain.uniforms(2, "evgen", 7)


@pytest.mark.parametrize("events", [1, 40, 300])
def test_few_events_make_a_chart_too(events: int, tmp_path: Path) -> None:
    in_one_process(tmp_path, "--events", str(events))
    found, fit = read(tmp_path / "histogram.json"), read(tmp_path / "fit.json")
    assert found["events"] == events == found["selected"] + sum(found["cut"].values())
    drawn = ElementTree.fromstring((tmp_path / "peak.svg").read_text())
    assert (drawn.find(f"{SVG}polyline") is None) == (fit["fit"] is None)


def test_an_empty_histogram_and_a_flat_one_are_no_peak(chain: ModuleType) -> None:
    assert chain.peak.fit([0] * 60, 0.6) is None
    assert chain.peak.fit([0] * 59 + [1000], 0.6) is None
    flat = chain.peak.fit([50] * 60, 0.6)
    assert flat is None or flat.width > 10


@pytest.mark.parametrize("words", [["--events", "0"], ["--events", "5", "--bins", "0"], ["--events", "x"]])
def test_numbers_that_make_no_sense_are_refused(words: list[str], chain: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        chain.main(["all", str(tmp_path), *words])


def test_progress_that_cannot_be_written_stops_nothing(
    chain: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFT_PROGRESS", str(tmp_path / "gone" / "progress"))
    assert list(chain.watched(range(3), 3)) == [0, 1, 2]
    monkeypatch.setenv("DEFT_PROGRESS", str(tmp_path / "progress"))
    assert len(list(chain.watched(range(1000), 1000))) == 1000
    lines = (tmp_path / "progress").read_text().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("0 1000", "1000 1000", 21)
