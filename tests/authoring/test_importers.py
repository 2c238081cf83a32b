"""Which importer reads a source: by name, by content, and what happens where one of them is broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.repository import ROOT, deft

DATA = ROOT / "tests" / "data" / "importers"
PLUGIN = """
from deft.authoring.graphml.reader import Reading
from deft.authoring.importers.registry import Choice, Importer
from deft.model.graph import MetaTask
from deft.model.tasks import Task

def read(source, options):
    lines = open(source).read().split()
    made = MetaTask("lines")
    for line in lines[1:]:
        made.add(Task(line, settings={"command": options.given.get("run", "true")}))
    return Reading(made, ())

RUN = Choice("run", ("true", "date"), "what tasks run")
LINES = Importer("a name a line", read, lambda head: head.startswith(b"LINES"), (RUN,))
FAILS = Importer("fails", lambda source, options: 1 / 0)
ASKED = Importer("fails when it is asked", read, lambda head: 1 / 0)
GIVES = Importer("gives something else", lambda source, options: "x")
TEXT = "no importer"
"""
POINTS = {
    **{name: f"odd:{name.upper()}" for name in ("lines", "fails", "asked", "gives", "text")},
    "gone": "nowhere:X",
    "lost": "odd:MISSING",
    "wfformat": "odd:LINES",
}
Environ = dict[str, str]


def imported(folder: Path, *words: str, environ: Environ | None = None) -> subprocess.CompletedProcess[str]:
    """`deft import` in a work folder."""
    if not (folder / "deft.toml").exists():
        assert deft("init", cwd=folder).returncode == 0
    return deft("import", *words, cwd=folder, environ=environ)


@pytest.fixture
def plugins(tmp_path: Path) -> Environ:
    """An environment in which a package of somebody else brings importers, good and bad."""
    environ = _package(tmp_path / "site", "\n".join(f"{name} = {value}" for name, value in POINTS.items()))
    (tmp_path / "site" / "odd.py").write_text(PLUGIN)
    return environ


def _package(folder: Path, points: str) -> Environ:
    """An environment with a package of these importers."""
    info = folder / "odd_importers-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-importers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[deft.importers]\n{points}\n")
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def test_a_file_is_recognised_by_its_content(tmp_path: Path) -> None:
    for name in ("fork-1.5.json", "chain-1.4.json", "node-link-links.json"):
        ran = imported(tmp_path, str(DATA / name))
        assert ran.returncode == 0, ran.stderr


def test_a_name_in_the_current_folder_is_a_file(tmp_path: Path) -> None:
    shutil.copy(DATA / "fork-1.5.json", tmp_path / "fork.json")
    assert imported(tmp_path, "fork.json", "--from", "wfformat").returncode == 0
    exported = deft("export", "fork", cwd=tmp_path)
    assert (exported.returncode, "make_ID1" in exported.stdout) == (0, True)


def test_an_unknown_name_is_told_with_near_ones(tmp_path: Path) -> None:
    ran = imported(tmp_path, str(DATA / "fork-1.5.json"), "--from", "wfforma")
    assert (ran.returncode, "there is no importer 'wfforma' (near: wfformat)" in ran.stderr) == (3, True)
    ran = imported(tmp_path, str(DATA / "fork-1.5.json"), "--from", "cwl")
    assert "there are: node-link, pyutilib, wfformat" in ran.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1}', "no importer takes it for its own (say which it is: --from node-link, --from wfformat)"),
        ('{"schemaVersion": "1.5", "nodes": []}', "several importers take it for theirs"),
        ("", "no importer takes it for its own"),
    ],
)
def test_a_file_of_no_one_or_of_several_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "x.json").write_text(text)
    ran = imported(tmp_path, "x.json")
    assert (ran.returncode, told in ran.stderr) == (6, True), ran.stderr


def test_graphml_is_read_whatever_its_file_is_called(tmp_path: Path) -> None:
    shutil.copy(ROOT / "docs" / "examples" / "hello.graphml", tmp_path / "hello.json")
    ran = imported(tmp_path, "hello.json")
    assert ran.returncode == 0, ran.stderr


def test_the_wrong_importer_says_what_it_misses(tmp_path: Path) -> None:
    ran = imported(tmp_path, str(DATA / "fork-1.5.json"), "--from", "node-link")
    assert ran.returncode == 6
    assert "the document has no 'nodes' [missing-key]" in ran.stderr
    ran = imported(tmp_path, str(ROOT / "docs" / "examples" / "hello.graphml"), "--from", "wfformat")
    assert (ran.returncode, "not-json" in ran.stderr) == (6, True)


def test_a_value_that_an_option_of_an_importer_does_not_have_is_refused(tmp_path: Path) -> None:
    ran = imported(tmp_path, str(DATA / "fork-1.5.json"), "--set", "commands=real")
    assert (ran.returncode, "is none of stand-in, recorded [bad-option]" in ran.stderr) == (6, True)
    ran = imported(tmp_path, str(DATA / "node-link-links.json"), "--set", "commands=recorded")
    assert (ran.returncode, "there is no parameter 'commands'" in ran.stderr) == (6, True)


def test_the_report_of_an_import_is_json_on_request(tmp_path: Path) -> None:
    ran = imported(tmp_path, str(DATA / "chain-1.4.json"), "--json")
    answer = json.loads(ran.stdout)
    assert (answer["metatask"], answer["tasks"], answer["datasets"]) == ("default/chain", 2, 4)
    assert [one["code"] for one in answer["warnings"]] == ["stand-in"]


def test_an_importer_of_another_package_works_as_ours_do(tmp_path: Path, plugins: Environ) -> None:
    (tmp_path / "x.txt").write_text("LINES\nalpha\nbeta\n")
    ran = imported(tmp_path, "./x.txt", "--set", "run=date", environ=plugins)
    assert (ran.returncode, "imported default/lines: 2 tasks" in ran.stdout) == (0, True), ran.stderr
    assert "date" in deft("export", "lines", cwd=tmp_path).stdout


def test_the_importer_of_the_documentation_works(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "importers.md").read_text(encoding="utf-8")
    blocks = page.split("```")[1::2]
    (points,) = (block for block in blocks if "deft.importers =" in block)
    (code,) = (block for block in blocks if "IMPORTER = Importer" in block)
    environ = _package(tmp_path / "site", points.split("deft.importers =")[1])
    (tmp_path / "site" / "my_package").mkdir()
    (tmp_path / "site" / "my_package" / "lines.py").write_text(code)
    (tmp_path / "a.txt").write_text("chain\nof\nthree\n")
    ran = imported(tmp_path, "./a.txt", "--set", "run=date", environ=environ)
    assert (ran.returncode, "imported default/lines: 3 tasks" in ran.stdout) == (0, True), ran.stderr


@pytest.mark.parametrize("words", ["validate", "names", "diff fork", "draw -o x.svg", "clone"])
def test_a_file_may_stand_wherever_graphml_may(tmp_path: Path, words: str) -> None:
    shutil.copy(DATA / "fork-1.5.json", tmp_path / "fork.json")
    assert imported(tmp_path, "fork.json").returncode == 0
    new = ["new"] if words == "clone" else []
    ran = deft(*words.split(), "fork.json", *new, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("fails", "the importer 'fails' failed on ./x.txt: ZeroDivisionError: division by zero"),
        ("gives", "the importer 'gives' gave a str, no Reading"),
        ("text", "the importer 'text' of odd-importers is a str, no Importer"),
        ("gone", "of odd-importers cannot be loaded: ModuleNotFoundError: No module named 'nowhere'"),
        ("lost", "cannot be loaded: AttributeError"),
        ("wfformat", "several packages have an importer 'wfformat': "),
    ],
)
def test_a_broken_importer_is_told_by_name(tmp_path: Path, plugins: Environ, name: str, told: str) -> None:
    (tmp_path / "x.txt").write_text("LINES\nalpha\n")
    ran = imported(tmp_path, "./x.txt", "--from", name, environ=plugins)
    assert (ran.returncode, told in ran.stderr) == (6, True), ran.stderr
    assert "[broken-importer]" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_broken_importers_do_not_stand_in_the_way_of_others(tmp_path: Path, plugins: Environ) -> None:
    ran = imported(tmp_path, str(DATA / "node-link-links.json"), environ=plugins)
    assert ran.returncode == 0, ran.stderr
    (tmp_path / "y.json").write_text("{}")
    ran = imported(tmp_path, "y.json", environ=plugins)
    assert "(not asked, since they are broken: asked, gone, lost, text, wfformat)" in ran.stderr


def test_no_importer_is_loaded_for_help(tmp_path: Path, plugins: Environ) -> None:
    (tmp_path / "site" / "odd.py").write_text("raise SystemExit('loaded')")
    for words in (("--help",), ("import", "--help")):
        ran = deft(*words, environ=plugins)
        assert ran.returncode == 0, ran.stderr
