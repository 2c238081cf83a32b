"""Templates by name, and the shipped one: census."""

from __future__ import annotations

import csv
import importlib.util
import io
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from deft import data
from deft.authoring.graphml import reader
from deft.authoring.templates import instantiate, search
from deft.base.errors import BadInput, NotFound
from deft.model import rules


def test_a_template_is_found_by_its_name() -> None:
    path, folder = search.open_source("census")
    assert (path.name, folder.name) == ("census.graphml", "census")
    assert "census" in search.names()
    assert search.readme(search.find("census")).startswith("# census")


@pytest.mark.parametrize("text", ["./x", "a/b", "census.graphml", "x.graphml.gz", "/tmp/x"])
def test_a_file_has_a_slash_or_ends_in_graphml(text: str) -> None:
    assert search.open_source(text) == (Path(text), Path(text).absolute().parent)


@pytest.mark.parametrize("name", ["..", "", ".", "a b", "a\\b", "x" * 65, "cens\u202eus", "census\n"])
def test_a_strange_name_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        search.open_source(name)


def test_an_unknown_template_is_told_with_near_names() -> None:
    with pytest.raises(NotFound, match="near: census"):
        search.open_source("sensus")


def test_a_template_never_leads_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "evil.graphml").write_text("")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "evil").symlink_to(tmp_path / "outside")
    with pytest.raises(NotFound, match="leads out"):
        search.find("evil", tmp_path / "root")


def test_the_shipped_folders_are_there() -> None:
    assert (data.folder("templates") / "census" / "census.graphml").is_file()


@pytest.mark.parametrize("name", search.names())
def test_a_shipped_template_is_valid(name: str) -> None:
    path, folder = search.open_source(name)
    reading = reader.read(path, strict=True)
    facts = instantiate.facts_here(template=str(folder), workdir="/w")
    assert rules.validate(instantiate.instantiate(reading.metatask, {}, facts)) == []


# The payload of census


@pytest.fixture(scope="module")
def census() -> ModuleType:
    path = search.find("census").with_name("census.py")
    spec = importlib.util.spec_from_file_location("census_payload", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOURCE = '"""Text."""\n# one\nclass A:\n    def f(self):\n        return 1\n\nasync def g(): pass\n'


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Three good files, one of each fault, and what is skipped."""
    place = tmp_path / "lib"
    for name in ("pack/tests", "site-packages", "pack/sub"):
        (place / name).mkdir(parents=True)
    for name in ("one", "pack/two", "pack/sub/three", "pack/tests/skipped", "site-packages/not"):
        (place / f"{name}.py").write_text(SOURCE)
    (place / "bytes.py").write_bytes(b"x = '\xff'\n")
    (place / "encoding.py").write_bytes(b"# coding: klingon\n")
    (place / "open.py").write_text("x = (\n")
    (place / "syntax.py").write_text("x = = 1\n")
    return place


def test_a_file_is_counted(census: ModuleType, library: Path) -> None:
    row = census.census_of(str(library / "one.py"), str(library))
    figures = {name: row[name] for name in ("lines", "comments", "functions", "classes", "fault")}
    assert figures == {"lines": 7, "comments": 1, "functions": 2, "classes": 1, "fault": ""}
    assert row["tokens"] == 19


def test_files_with_faults_are_counted_as_such(census: ModuleType, library: Path) -> None:
    names = ("bytes.py", "encoding.py", "open.py", "syntax.py", "gone.py")
    faults = [census.census_of(str(library / name), str(library))["fault"] for name in names]
    assert faults == ["undecodable", "undecodable", "untokenizable", "unparsable", "unreadable"]


def test_parts_and_one_process_give_the_same_totals(
    census: ModuleType, library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = census.python_files(str(library))
    assert len(files) == 7
    parts = [files[:3], files[3:]]
    for number, part in enumerate(parts):
        (tmp_path / f"list{number}").write_text("\n".join(part) + "\n")
        places = (f"{tmp_path}/list{number}", f"{tmp_path}/part{number}")
        census.main(["map", *places, "--library", str(library)])
    (tmp_path / "list").write_text(f"{tmp_path}/part0\n{tmp_path}/part1\n")
    census.main(["merge", f"{tmp_path}/list", f"{tmp_path}/merged"])
    census.main(["totals", f"{tmp_path}/merged"])
    in_parts = capsys.readouterr().out
    census.main(["count", str(library)])
    assert capsys.readouterr().out == in_parts
    assert "tokens\t" in in_parts


def test_the_report_has_every_module_and_draws_the_largest(census: ModuleType, tmp_path: Path) -> None:
    row = {**dict.fromkeys(census.FIGURES, 5), "fault": ""}
    rows = [{**row, "path": f"m{n}.py", "tokens": n} for n in range(12)] + [{**row, "path": "a<b&/x.py"}]
    merged, table, chart = (str(tmp_path / name) for name in ("m", "t", "c"))
    census.write_json(merged, census.merged(rows))
    census.main(["report", merged, table, chart, "--top", "4"])
    listed = list(csv.DictReader(io.StringIO(Path(table).read_text())))
    assert (listed[0]["module"], listed[-1]["module"], len(listed)) == ("m11", "TOTAL", 14)
    drawn = ElementTree.fromstring(Path(chart).read_text())
    assert len(drawn.findall("{http://www.w3.org/2000/svg}g")) == 4


def test_an_empty_library_makes_a_report_too(census: ModuleType) -> None:
    assert "</svg>" in census.chart([], census.totals([]), 20)


def test_the_payload_needs_the_standard_library_only(census: ModuleType) -> None:
    source = Path(str(census.__file__)).read_text()
    imports = [line.split() for line in source.splitlines() if line.startswith(("import ", "from "))]
    imported = {words[1].split(".", maxsplit=1)[0] for words in imports}
    assert imported <= sys.stdlib_module_names
