"""Every file that is not what it should be is refused: what, where, what to do; and nothing is stored."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from tests.acceptance.scene import Place, graph
from tests.support.repository import ROOT

DATA = ROOT / "tests" / "data" / "graphml"
ENTITY = """<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <graph edgedefault="directed"><node id="a&evil;"/></graph>
</graphml>
"""
CYCLE = [("a", "b"), ("b", "c"), ("c", "a")]
COPY = "cat {inputs} > {output}"
CHAIN = {"a": COPY, "b": COPY, "c": COPY}


def _write(place: Place, content: str | bytes, name: str = "bad.graphml") -> Path:
    path = place.folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _refused(place: Place, source: Path | str, *words: str, code: int = 6) -> None:
    """Refused by `run`, `import` and `validate` alike: the words are said, and nothing is left behind."""
    ran = place.said("run", str(source), "--workdir", "W")
    assert ran.code == code, ran.err
    for word in (*words, Path(source).name):
        assert word in ran.err
    assert ran.out == ""
    assert not place.work.exists()
    validated = place.said("validate", str(source))
    assert (validated.code, "refused" in validated.out) == (code, True)
    place.said("init")
    assert place.said("import", str(source), "--start").code == code
    assert place.said("list").out.startswith("no Meta-Task yet")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("just some words", ("it is not XML", "line 1")),
        (b"\x00\xff\xfe\x01" * 100, ("not XML",)),
        ("", ("it is empty",)),
        ("<html><body>hello</body></html>", ("not GraphML", "<html>")),
        (ENTITY, ("evil",)),
        (gzip.compress(b"<graphml")[:-4], ("gzip",)),
        (gzip.compress(b"still no XML"), ("not XML",)),
    ],
    ids=["text", "bytes", "empty", "html", "entity", "short gzip", "gzip of text"],
)
def test_what_is_no_graphml_is_refused(place: Place, content: str | bytes, words: tuple[str, ...]) -> None:
    _refused(place, _write(place, content), *words)


@pytest.mark.parametrize("name", ["doctype.graphml", "laughs.graphml"])
def test_a_dtd_is_refused_with_its_line(place: Place, name: str) -> None:
    _refused(place, DATA / name, "DOCTYPE", "line 2", "remove the line")


def test_a_cycle_is_refused_with_its_path(place: Place) -> None:
    _refused(place, graph(place.folder, CHAIN, CYCLE), "a -> b -> c -> a", "line ")


def test_an_edge_to_nowhere_is_refused_with_its_line(place: Place) -> None:
    _refused(
        place, graph(place.folder, CHAIN, [("a", "b"), ("b", "gone")]), "'gone' that does not exist", "line "
    )


def test_an_unknown_placeholder_is_refused_with_its_task_and_near_names(place: Place) -> None:
    path = graph(place.folder, {"a": "echo {outptu} > {output}"})
    _refused(place, path, "the task a", "unknown placeholder {outptu}", "{output}", "line ")


def test_all_faults_are_told_at_once(place: Place) -> None:
    ran = place.said("run", str(DATA / "many_faults.graphml"), "--workdir", "W")
    assert ran.err.count("[") >= 9
    assert "9 findings; nothing was stored" in ran.err


def test_a_file_that_is_not_there_is_named(place: Place) -> None:
    _refused(place, "./gone.graphml", "there is no file", code=3)


def test_a_folder_in_place_of_a_file_cannot_be_read(place: Place) -> None:
    (place.folder / "folder.graphml").mkdir()
    _refused(place, "./folder.graphml", "cannot be read", "Is a directory")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_cannot_be_read(place: Place) -> None:
    path = graph(place.folder, {"a": "echo {output}"})
    path.chmod(0)
    _refused(place, path, "cannot be read", "Permission denied")


def test_a_template_that_is_not_there_is_refused_with_those_that_are(place: Place) -> None:
    ran = place.said("run", "cencus", "--workdir", "W")
    assert (ran.code, place.work.exists()) == (3, False)
    assert "no template 'cencus'" in ran.err
    assert "census" in ran.err


@pytest.mark.parametrize("name", ["../census", "..", "census/../../x", "/etc/passwd", "a\0b", ""])
def test_a_template_s_name_leads_nowhere_else(place: Place, name: str) -> None:
    ran = place.said("run", name, "--workdir", "W")
    assert ran.code in (3, 6)
    assert not place.work.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("nope=1", ("no parameter 'nope'", "files_per_job")),
        ("top", ("NAME=VALUE",)),
        ("=5", ("NAME=VALUE",)),
        ("top=many", ("top = 'many'", "number")),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_known(
    place: Place, given: str, words: tuple[str, ...]
) -> None:
    ran = place.said("run", "census", "--set", given, "--workdir", "W")
    assert (ran.code, place.work.exists()) == (6, False)
    for word in words:
        assert word in ran.err


@pytest.mark.parametrize("name", ["../x", "x y", "x--y", "9", "x" * 65, "ü"])
def test_a_name_that_is_none_is_refused(place: Place, name: str) -> None:
    ran = place.said("run", "census", f"--name={name}", "--workdir", "W")
    assert (ran.code, place.work.exists()) == (6, False)
    assert "no legal name" in ran.err


@pytest.mark.parametrize(
    ("source", "why"), [("nowhere/*.txt", "nothing matches"), ("gone", "No such file or directory")]
)
def test_a_source_without_files_fails_its_task_and_says_what_to_do(
    place: Place, source: str, why: str
) -> None:
    path = graph(place.folder, {"a": COPY}, [("files", "a")], source=source)
    ran = place.run(path)
    assert ran.returncode == 1
    assert "default/m is blocked" in ran.stdout
    assert "a is failed: its input" in ran.stdout
    assert why in ran.stdout
    assert str(place.folder / source) in ran.stdout
    retry, again = (line.partition(": ")[2].strip() for line in ran.stdout.splitlines()[-2:])
    assert (retry, again) == ("deft retry default/m --workdir W", f"deft run {path} --workdir W")
    files = place.folder / source
    files.parent.mkdir(exist_ok=True)
    (files.with_name("1.txt") if "*" in source else files).write_text("hello\n")
    place.ok(*retry.split()[1:])
    ran = place.deft(*again.split()[1:])
    assert ran.returncode == 0, ran.stdout
    assert place.text("data/default.m.a*/*") == "hello\n"
