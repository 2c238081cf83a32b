"""`deft draw`: where the picture goes, in which form, and what is said where there can be none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.scene import Place, graph
from tests.support.repository import ROOT

HELLO = ROOT / "docs" / "examples" / "hello.graphml"


@pytest.fixture
def stored(place: Place) -> Place:
    """A place with one Meta-Task in its database."""
    for command in (("init",), ("import", str(HELLO))):
        assert place.said(*command).code == 0
    return place


def test_a_picture_of_a_stored_meta_task_is_named_after_it(stored: Place) -> None:
    said = stored.said("draw", "hello")
    assert (said.code, said.out) == (0, "wrote hello.svg: 2 tasks\n")
    assert "default/hello is draft" in (stored.folder / "hello.svg").read_text(encoding="utf-8")


def test_the_answer_tells_what_is_in_it(stored: Place) -> None:
    told = json.loads(stored.said("draw", "hello", "-o", "x.dot", "--json").out)
    assert told.pop("at")
    assert told.pop("width") > told.pop("height") > 0
    assert told == {
        "file": "x.dot", "metatask": "default/hello", "state": "draft", "tasks": 2, "boxes": 2,
        "format": "dot", "grouped": False,
    }  # fmt: skip


def test_a_file_needs_no_work_folder(place: Place) -> None:
    graph(place.folder, {"a": "true", "b": "true"}, [("a", "b")])
    said = place.said("draw", "m.graphml", "-o", "-")
    assert said.code == 0
    assert said.out.startswith("<svg ")
    assert not place.work.exists()


def test_a_file_is_one_by_its_being_there_too(place: Place) -> None:
    graph(place.folder, {"a": "true"}).rename(place.folder / "drawn.xml")
    assert place.said("draw", "./drawn.xml", "-o", "-", "--format", "dot").out.startswith(
        'digraph "default/m"'
    )


def test_a_template_is_drawn_with_its_values(place: Place) -> None:
    said = place.said("draw", "--template", "bag_of_chains", "--set", 'sample=["z","jpsi"]', "-o", "-")
    assert said.code == 0, said.err
    assert "simul--jpsi" in said.out
    assert "upsilon" not in said.out


def test_some_tasks_of_one_step_are_drawn(stored: Place) -> None:
    said = stored.said("draw", "hello/ga*", "-o", "-")
    assert ">gather</text>" in said.out
    assert ">greet</text>" not in said.out


def test_a_picture_takes_the_place_of_the_last_one(stored: Place) -> None:
    for _ in range(2):
        assert stored.said("draw", "hello", "-o", "hello.svg").code == 0
    assert [path.name for path in stored.folder.iterdir() if "hello" in path.name] == ["hello.svg"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give META, FILE, or --template NAME"),
        (("hello", "--template", "census"), 2, "give META, FILE, or --template NAME"),
        (("hello", "--json", "-o", "-"), 2, "both want standard output"),
        (("hello", "--set", "x=1"), 2, "what is stored has its values"),
        (("hello", "-o", "hello.jpg"), 6, "'hello.jpg' does not say what kind of picture it is"),
        (("hello", "-o", "none/hello.svg"), 6, "cannot write none/hello.svg: No such file or directory"),
        (("nothing",), 3, "there is no Meta-Task 'nothing'"),
        (("census",), 3, "`deft draw --template census` draws the template"),
        (("hello/nothing",), 3, "has no task 'nothing'"),
        (("./nothing.graphml",), 3, "nothing.graphml"),
        (("--template", "nothing"), 3, "there is no template 'nothing'"),
        (("hello", "--direction", "up"), 2, "'up' is not one of"),
        (("hello", "--most", "0"), 2, "0 is not in the range"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    stored: Place, arguments: tuple[str, ...], code: int, message: str
) -> None:
    before = sorted(path.name for path in stored.folder.iterdir())
    said = stored.said("draw", *arguments)
    assert (said.code, message in said.err) == (code, True), said.err
    assert sorted(path.name for path in stored.folder.iterdir()) == before


def test_a_graphml_file_is_never_written_over(stored: Place) -> None:
    path = graph(stored.folder, {"a": "true"})
    before = path.read_bytes()
    assert stored.said("draw", "m.graphml", "-o", "m.graphml").code == 6
    assert path.read_bytes() == before


def test_a_bad_file_says_all_that_is_wrong(place: Place) -> None:
    Path(place.folder, "bad.graphml").write_text("<graphml><graph edgedefault='undirected'/></graphml>")
    said = place.said("draw", "bad.graphml")
    assert said.code == 6
    assert "undirected" in said.err
