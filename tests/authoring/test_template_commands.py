"""The commands around templates, as a user gives them: new ones run, values come from files and answers."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deft.authoring.templates import search, skeleton
from tests.support.repository import deft

PARAMETERS = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="g.param.who.help" for="graph" attr.name="param.who.help" attr.type="string"/>
  <key id="g.param.who.choices" for="graph" attr.name="param.who.choices" attr.type="string"/>
  <key id="n.command" for="node" attr.name="command" attr.type="string"/>
  <graph edgedefault="directed">
    <data key="g.param.who.help">whom to greet</data><data key="g.param.who.choices">ann, bob</data>
    <node id="greet"><data key="n.command">echo ${param.who} &gt; {output}</data></node>
  </graph>
</graphml>
"""


@pytest.fixture
def greeting(tmp_path: Path) -> Path:
    """A document whose parameter must be given."""
    path = tmp_path / "greeting.graphml"
    path.write_text(PARAMETERS)
    return path


def answer(*arguments: str) -> Any:
    ran = deft(*arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def last_event(*arguments: str) -> Any:
    ran = deft(*arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize("topology", skeleton.TOPOLOGIES)
def test_a_new_template_runs_as_it_is(tmp_path: Path, topology: str) -> None:
    document = tmp_path / "b.graphml"
    width = () if topology == "chain" else ("--width", "2")
    made = deft(
        "template", "new", "--topology", topology, "--steps", "evgen,simul,reco", *width, "-o", str(document)
    )
    assert made.returncode == 0, made.stderr
    ran = last_event("run", str(document), "--workdir", str(tmp_path / "w"))
    assert ran["status"]["state"] == "done"
    written = [path.read_text() for path in (tmp_path / "w" / "data").glob("*.reco*/*")]
    assert len(written) == (2 if topology.startswith("bag") else 1)
    assert all(text.splitlines()[-1].startswith("reco ") for text in written)


def test_a_new_template_never_replaces_a_file_unasked(tmp_path: Path) -> None:
    document = tmp_path / "b.graphml"
    document.write_text("mine")
    assert deft("template", "new", "-o", str(document)).returncode == 4
    assert document.read_text() == "mine"
    assert deft("template", "new", "-o", str(document), "--force").returncode == 0


@pytest.mark.parametrize(
    "wrong",
    [
        ("--steps", "a,a"), ("--steps", "a b"), ("--steps", "a--b"), ("--steps", ""), ("--width", "3"),
        ("--topology", "diamond", "--steps", "a,b"), ("--topology", "bag", "--width", "0"),
        ("--topology", "bag", "--width", "1000000"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_is_refused(wrong: tuple[str, ...]) -> None:
    assert deft("template", "new", *wrong).returncode == 6


def test_templates_are_listed_and_shown() -> None:
    assert {one["name"] for one in answer("template", "list")} >= set(search.names())
    shown = answer("template", "show", "census")
    assert [one["name"] for one in shown["parameters"]] == ["files_per_job", "library", "top"]
    assert ["map", "merge", "counts"] in shown["edges"]
    text = deft("template", "show", "census").stdout
    assert "files that one job counts" in text
    assert "─counts▶ merge" in text
    assert deft("template", "show", "../census").returncode == 6
    assert deft("template", "show", "sensus").returncode == 3


def test_a_template_of_the_work_folder_is_found_by_name(tmp_path: Path, greeting: Path) -> None:
    place = tmp_path / "w" / "templates" / "hello"
    place.mkdir(parents=True)
    (place / "hello.graphml").write_text(greeting.read_text())
    run = ("run", "hello", "--set", "who=ann", "--workdir", str(tmp_path / "w"))
    assert last_event(*run)["status"]["state"] == "done"


def test_check_ends_with_6_where_something_is_wrong(greeting: Path) -> None:
    checked = deft("template", "check", str(greeting))
    assert (checked.returncode, "no-readme" in checked.stdout) == (0, True)
    assert deft("template", "check", str(greeting), "--strict").returncode == 6


def test_a_file_of_values_is_beaten_by_a_value_given(tmp_path: Path, greeting: Path) -> None:
    values = tmp_path / "v.json"
    values.write_text('{"who": "bob"}')
    given = (str(greeting), "--set-file", str(values))
    assert deft("validate", *given).returncode == 0
    assert deft("validate", *given, "--set", "who=eve").returncode == 6
    assert deft("validate", str(greeting), "--set-file", str(tmp_path / "none.json")).returncode == 6


@pytest.mark.parametrize("command", ["run", "import", "validate"])
def test_without_a_terminal_a_missing_value_is_named_with_its_help(
    command: str, tmp_path: Path, greeting: Path
) -> None:
    if command == "import":
        deft("init", "--workdir", str(tmp_path / "w"))
    more = () if command == "validate" else ("--workdir", str(tmp_path / "w"))
    refused = deft(command, str(greeting), *more)
    assert refused.returncode == 6
    assert "whom to greet" in refused.stdout + refused.stderr


def test_on_a_terminal_a_missing_value_is_asked_for(tmp_path: Path, greeting: Path) -> None:
    asked = _typed("eve\nbob\n", "run", str(greeting), "--workdir", str(tmp_path / "w"))
    assert asked.returncode == 0, asked.stderr
    assert "who (whom to greet) (ann, bob)" in asked.stderr
    [written] = [path for path in (tmp_path / "w" / "data").glob("*/*") if path.is_file()]
    assert written.read_text() == "bob\n"


def test_with_json_nothing_is_asked(tmp_path: Path, greeting: Path) -> None:
    assert _typed("bob\n", "run", str(greeting), "--json", "--workdir", str(tmp_path / "w")).returncode == 6


def _typed(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`deft` with a terminal as its stdin, on which somebody typed this."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, text.encode())
        command = [sys.executable, "-m", "deft", *arguments]
        return subprocess.run(command, stdin=theirs, capture_output=True, text=True, timeout=60, check=False)
    finally:
        os.close(theirs)
        os.close(ours)


def test_a_payload_folder_that_is_missing_breaks_the_task_and_not_its_jobs(tmp_path: Path) -> None:
    document = tmp_path / "there" / "m.graphml"
    document.parent.mkdir()
    document.write_text(PARAMETERS.replace("echo ${param.who}", "cat {template}/x"))
    work = ("--workdir", str(tmp_path / "w"))
    deft("init", *work)
    imported = deft("import", str(document), "--set", "who=ann", "--start", *work)
    assert imported.returncode == 0, imported.stderr
    document.parent.rename(tmp_path / "elsewhere")
    for step in ("sweep", "jedi once", "sweep"):
        deft(*step.split(), *work)
    [task] = answer("status", "m", *work)["tasks"]
    assert (task["state"], "is not on this machine" in task["reason"]) == ("broken", True)
