"""Selections on the command line: paths, globs and conditions, what is shown and what is asked."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from tests.acceptance.scene import Place, graph


@pytest.fixture
def two(place: Place) -> Place:
    """Two Meta-Tasks of a chain of two tasks; nothing runs them."""
    place.ok("init")
    for name in ("first", "second"):
        tasks = {"make": "echo 1 > {output}", "join": "cat {inputs} > {output}"}
        place.ok("import", str(graph(place.folder, tasks, [("make", "join")], name=name)))
    return place


def test_a_condition_steers_tasks_of_all_metatasks(two: Place) -> None:
    said = two.said("start", "--where", "downstream_of('make')", "--dry-run")
    assert said.out.splitlines() == [
        "default/first: 1 would be armed (join)",
        "default/second: 1 would be armed (join)",
        "2 tasks in 2 Meta-Tasks would be armed",
    ]
    two.said("start", "--where", "downstream_of('make')")
    assert [line.split()[0] for line in two.said("list", "--where", "armed").out.splitlines()[1:]] == [
        "default/second", "default/first",
    ]  # fmt: skip


def test_several_paths_and_globs(two: Place) -> None:
    assert "3 tasks in 2 Meta-Tasks armed" in two.said("start", "first", "sec*/join").out
    assert two.said("hold", "*").out.splitlines()[-1] == "2 Meta-Tasks held"
    assert two.said("resume", "first", "second").out.splitlines()[-1] == "2 Meta-Tasks resumed"


def test_status_shows_the_tasks_that_fit(two: Place) -> None:
    said = two.said("status", "--where", "name == 'j*'").out
    assert said.count("join") == 2
    assert "make" not in said
    assert two.said("jobs", "first", "--where", "name == 'j*'").out.startswith("JOB")


def test_json_is_an_object_of_one_metatask_and_a_list_of_many(two: Place) -> None:
    assert json.loads(two.said("status", "first", "--json").out)["metatask"] == "default/first"
    assert json.loads(two.said("start", "first/make", "--json").out)["changed"] == ["make"]
    assert len(json.loads(two.said("status", "f*", "--json").out)) == 1
    assert len(json.loads(two.said("hold", "--where", "not held", "--json").out)) == 2


def test_a_fault_is_shown_with_its_place(two: Place) -> None:
    said = two.said("list", "--where", "held or stat == failed")
    assert said.code == 6
    assert said.err.splitlines()[1:] == ["  held or stat == failed", "          ^^^^"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("hold",), 2),
        (("status",), 2),
        (("jobs",), 2),
        (("status", "--where", "held", "--watch"), 2),
        (("hold", "--where", "failed > 1"), 3),
        (("hold", "third"), 3),
        (("show", "f*", "s*"), 2),
    ],
)
def test_what_names_nothing_is_refused(two: Place, arguments: tuple[str, ...], code: int) -> None:
    assert two.said(*arguments).code == code


def test_on_a_terminal_a_wide_selection_asks_first(two: Place) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"n\n")
    ran = subprocess.run(
        [sys.executable, "-m", "deft", "start", "--where", "not armed"], stdin=theirs, capture_output=True,
        text=True, check=False, env={**two.environ, "DEFT_WORKDIR": str(two.work)},
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert ran.returncode == 130
    assert "start 4 tasks in 2 Meta-Tasks? [y/N]" in ran.stdout
    assert two.said("list", "--where", "armed").out == "no Meta-Task has such a task\n"
