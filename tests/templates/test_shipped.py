"""Every shipped template: it is whole, says what its parameters mean, and runs to its end."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from deft.authoring.graphml import reader
from deft.authoring.templates import parameters, search
from deft.authoring.templates.parameters import Parameter
from deft.model.graph import MetaTask
from tests.support.repository import ROOT, deft

# Those with a test module, or a test elsewhere, of their own.
ELSEWHERE = {"census", "mc_chain", "mc_physics"}
RUN_HERE = {"bag", "bag_of_chains", "diamond", "parameter_grid", "reprocess"}
WITHOUT_STANDARD_LIBRARY_ONLY = {"mc_physics"}
EVERY = pytest.mark.parametrize("name", search.names())


def read(name: str) -> MetaTask:
    """The Meta-Task of a template."""
    return reader.read(search.find(name), strict=True).metatask


def declared(name: str) -> dict[str, Parameter]:
    """Its parameters."""
    return dict(parameters.declared(read(name).settings))


def readme(name: str) -> str:
    """Its page."""
    return search.find(name).with_name("README.md").read_text(encoding="utf-8")


def run(name: str, workdir: Path, **values: object) -> None:
    """Run a template to its end, where all is done."""
    given = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
    ran = deft("run", name, "--workdir", str(workdir), *given)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def made(workdir: Path, dataset: str) -> list[Path]:
    """The files of a dataset that is called METATASK.TASK.TYPE, in their order."""
    return sorted(path for path in workdir.glob(f"data/default.{dataset}.*/*") if path.is_file())


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_template_is_run_by_a_test() -> None:
    assert {*search.names()} == RUN_HERE | ELSEWHERE


@EVERY
def test_the_name_in_the_graph_is_that_of_the_folder(name: str) -> None:
    assert read(name).name == name


@EVERY
def test_every_parameter_has_a_default_a_help_and_a_line_in_the_readme(name: str) -> None:
    page = readme(name)
    assert page.startswith(f"# {name}\n")
    for parameter in declared(name).values():
        assert parameter.default, parameter.name
        assert parameter.help, parameter.name
        assert f"\n| `{parameter.name}` | " in page


@EVERY
def test_the_readme_names_the_default_of_every_number(name: str) -> None:
    page = readme(name)
    numbers = (one for one in declared(name).values() if one.type in ("int", "double"))
    assert [one.name for one in numbers if f"\n| `{one.name}` | {one.default} | " not in page] == []


@EVERY
def test_every_payload_file_that_a_command_names_is_there(name: str) -> None:
    place = search.find(name).parent
    words = [word for task in read(name).tasks for word in task.command.split()]
    named = [word.removeprefix("{template}/") for word in words if word.startswith("{template}/")]
    assert [file for file in named if not (place / file).is_file()] == []


@pytest.mark.parametrize("name", sorted({*search.names()} - WITHOUT_STANDARD_LIBRARY_ONLY))
def test_the_payload_needs_the_standard_library_only(name: str) -> None:
    place = search.find(name).parent
    beside = {path.stem for path in place.glob("*.py")}
    for path in place.glob("*.py"):
        imports = [
            line.split() for line in path.read_text().splitlines() if line.startswith(("import ", "from "))
        ]
        imported = {words[1].split(".", maxsplit=1)[0] for words in imports}
        assert imported <= sys.stdlib_module_names | beside, path.name


def test_bag_runs_its_command_once_a_number(tmp_path: Path) -> None:
    run("bag", tmp_path, jobs=3, command='echo "$NUMBER of $JOBS: {x} ${NUMBER}" \'$HOME\'; echo "$SEED"')
    lines = [path.read_text().splitlines() for path in made(tmp_path, "bag.run.printed")]
    assert [first for first, _ in lines] == [f"{n} of 3: {{x}} {n} $HOME" for n in (1, 2, 3)]
    assert len({seed for _, seed in lines if seed.isdigit()}) == 3


def test_bag_of_chains_makes_a_chain_a_sample(tmp_path: Path) -> None:
    run("bag_of_chains", tmp_path, sample="jpsi,z", events=400, jobs=3)
    assert len(made(tmp_path, "bag_of_chains.simul--z.measured")) == 3
    rows = table(made(tmp_path, "bag_of_chains.merge.table")[0])
    assert [(row["sample"], row["events"]) for row in rows] == [("jpsi", "400"), ("z", "400")]
    for row, mass in zip(rows, (3.097, 91.188), strict=True):
        assert 320 < int(row["selected"]) < 390
        assert float(row["mean_mass_gev"]) == pytest.approx(mass, rel=0.003)
        assert float(row["spread_gev"]) == pytest.approx(mass * 0.01, rel=0.15)


def test_bag_of_chains_refuses_a_sample_that_it_does_not_know(tmp_path: Path) -> None:
    ran = deft("run", "bag_of_chains", "--workdir", str(tmp_path), "--set", "sample=z,higgs")
    assert ran.returncode == 6
    assert "jpsi, psi2s, upsilon, z" in ran.stderr


def test_diamond_joins_two_ways_to_pi(tmp_path: Path) -> None:
    run("diamond", tmp_path, points=20000, jobs=3)
    answers = json.loads(made(tmp_path, "diamond.join.pi")[0].read_text())
    for way in ("area", "height"):
        assert answers[way]["points"] == 20000
        assert abs(answers[way]["value"] - math.pi) < 4 * answers[way]["error"] < 0.06


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Three files of counts, one of them with two bad lines, in a folder with a blank."""
    place = tmp_path / "raw data"
    place.mkdir()
    for number in (1, 2, 3):
        (place / f"run{number}.csv").write_text("event,counts\n0,12\n" + f"1,{10 + 100 * number}\n" * number)
    with (place / "run2.csv").open("a") as stream:
        stream.write("3,what\n4\n")
    (place / "other.txt").write_text("not this")
    return place


def test_reprocess_takes_the_files_that_are_there(tmp_path: Path, raw: Path) -> None:
    values: dict[str, Any] = {"source": raw / "*.csv", "files_per_job": 2, "pedestal": 10, "gain": 0.5}
    run("reprocess", tmp_path / "W", **values)
    assert len(made(tmp_path / "W", "reprocess.map.energies")) == 2
    rows = {row["file"]: row for row in table(made(tmp_path / "W", "reprocess.merge.summary")[0])}
    assert list(rows) == ["run1.csv", "run2.csv", "run3.csv", "TOTAL"]
    assert (rows["run2.csv"]["events"], rows["run2.csv"]["bad_lines"]) == ("3", "2")
    assert (rows["run2.csv"]["energy_gev"], rows["TOTAL"]["energy_gev"]) == ("201.000", "703.000")


def test_reprocess_brings_files_to_begin_with(tmp_path: Path) -> None:
    run("reprocess", tmp_path)
    rows = table(made(tmp_path, "reprocess.merge.summary")[0])
    shipped = sorted(path.name for path in (ROOT / "templates" / "reprocess" / "data").iterdir())
    assert [row["file"] for row in rows] == [*shipped, "TOTAL"]


def test_parameter_grid_finds_the_best_point(tmp_path: Path) -> None:
    run("parameter_grid", tmp_path, mass="90700,91200,91700", width="2000,2500", events=3000)
    rows = table(made(tmp_path, "parameter_grid.best.table")[0])
    assert len(rows) == 6
    assert (rows[0]["mass_mev"], rows[0]["width_mev"], rows[0]["distance"]) == ("91200", "2500", "0.000")
    drawn = ElementTree.fromstring(made(tmp_path, "parameter_grid.best.map")[0].read_text())
    assert "91200" in drawn.attrib["aria-label"]
