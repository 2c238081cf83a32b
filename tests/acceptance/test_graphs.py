"""Meta-Tasks are compared, changed by a file and named, as an operator does it."""

from __future__ import annotations

import json
from pathlib import Path

import networkx
import pytest

from tests.acceptance.scene import Place, graph

_KEYS = (
    ("node", "n.command"), ("node", "n.priority"), ("node", "n.attr.step"), ("edge", "e.type"),
    ("graph", "g.naming.pattern"), ("graph", "g.attr.run"),
)  # fmt: skip
_PATTERN = "{project}.{attr.run}.{attr.step}.{type}.t{task_id:08d}_r{series:02d}"


@pytest.fixture
def work(place: Place) -> Place:
    assert place.said("init").code == 0
    return place


def part(place: Place, text: str, *, name: str = "part.graphml") -> Path:
    """A file with these nodes and edges."""
    keys = "".join(f'<key id="{id}" for="{on}" attr.name="{id[2:]}" attr.type="string"/>' for on, id in _KEYS)
    path = place.folder / name
    path.write_text(f'<graphml>{keys}<graph edgedefault="directed">{text}</graph></graphml>')
    return path


def test_a_clone_differs_by_what_it_was_given_and_what_follows(work: Place) -> None:
    assert work.said("import", "mc_chain").code == 0
    assert work.said("clone", "mc_chain", "again", "--set", "events=500", "--set", "jobs=8").code == 0
    told = work.said("diff", "mc_chain", "again")
    assert (told.code, told.out.splitlines()) == (
        1,
        [
            "default/mc_chain -> default/again: 2 parameters, 1 task",
            "",
            "the Meta-Task",
            "  ~ events: 2000 -> 500   (used by evgen)",
            "  ~ jobs: 4 -> 8   (used by evgen)",
            "",
            "from these parameters follows:",
            "",
            "evgen",
            "  ~ split.jobs: 4 -> 8",
        ],
    )
    found = json.loads(work.said("diff", "mc_chain", "again", "--json").out)
    assert [(item["key"], item["old"], item["new"], item["follows"]) for item in found["items"]] == [
        ("events", "2000", "500", False),
        ("jobs", "4", "8", False),
        ("split.jobs", 4, 8, True),
    ]
    assert work.said("diff", "mc_chain", "default/again", "--only", "edges").code == 0
    assert "the template mc_chain: nothing differs" in work.said("diff", "mc_chain", "mc_chain").out


def test_an_export_does_not_differ_from_where_it_came_from(work: Place) -> None:
    assert work.said("import", "census", "--name", "m").code == 0
    assert work.said("export", "m", "-o", "m.graphml").code == 0
    told = work.said("diff", "m", "m.graphml")
    assert (told.code, told.out) == (0, "default/m and m.graphml: nothing differs\n")
    path = work.folder / "m.graphml"
    path.write_text(path.read_text().replace("<graph ", "<graph id='1'", 1))
    assert work.said("diff", "m", "m.graphml").code == 6


def test_what_a_tool_lost_of_a_file_is_restored_and_never_a_deletion(work: Place) -> None:
    assert work.said("import", "mc_chain").code == 0
    assert work.said("export", "mc_chain", "-o", "e.graphml").code == 0
    whole = networkx.read_graphml(work.folder / "e.graphml", force_multigraph=True)
    networkx.write_graphml(whole, work.folder / "nx.graphml")
    assert (
        work.said("diff", "mc_chain", "nx.graphml").out
        == "default/mc_chain and nx.graphml: nothing differs\n"
    )
    whole.graph.clear()  # as Gephi does
    networkx.write_graphml(whole, work.folder / "gephi.graphml")
    for words in (("diff", "mc_chain", "gephi.graphml"),
                  ("augment", "mc_chain", "--graph", "gephi.graphml", "--whole")):  # fmt: skip
        told = work.said(*words)
        assert (told.code, "nothing" in told.out) == (0, True)
        assert "restored: 22 values that a tool has lost (the graph: param.events" in told.out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("nix", "m"), 3, "there is no Meta-Task 'nix'"),
        (("m", "nix"), 3, "there is no template 'nix'"),
        (("m", "default/nix"), 3, "there is no file default/nix"),
        (("m", "./nix.graphml"), 3, "nix.graphml"),
        (("m", "bad.graphml"), 6, "[not-xml]"),
        (("m/a", "m"), 6, "names tasks of a Meta-Task"),
        (("m", "m", "--set", "x=1"), 6, "--set is of a file or template"),
        (("m", "m", "--only", "nix"), 2, "nix"),
    ],
)
def test_what_cannot_be_compared(work: Place, words: tuple[str, ...], code: int, says: str) -> None:
    assert work.said("import", str(graph(work.folder, {"a": "true"}))).code == 0
    (work.folder / "bad.graphml").write_text("<graphml><graph>")
    told = work.said("diff", *words)
    assert (told.code, says in told.err) == (code, True), told


def test_a_file_changes_what_has_not_begun(work: Place) -> None:
    document = graph(work.folder, {"a": "true", "b": "cat {inputs}"}, [("a", "b")])
    assert work.said("import", str(document)).code == 0
    path = part(
        work,
        '<node id="b"><data key="n.priority">7</data></node>'
        '<node id="c"><data key="n.command">cat {inputs}</data></node>'
        '<edge source="b" target="c"><data key="e.type">data</data></edge>',
    )
    dry = work.said("augment", "m", "--graph", str(path), "--dry-run")
    assert "1 task (c) and 1 edge would be added, 1 value would be changed" in dry.out
    told = work.said("augment", "m", "--graph", str(path), "--reason", "late idea", "--yes")
    assert (told.code, told.out.splitlines()[:4]) == (
        0, ["default/m: 1 task (c) and 1 edge added, 1 value changed", "", "b", "  ~ priority: 0 -> 7"]
    )  # fmt: skip
    again = work.said("augment", "m", "--graph", str(path))
    assert (again.code, again.out) == (0, "default/m: nothing to do\n")
    assert "priority: nothing -> 7 (late idea)" in work.said("history", "m/b").out


def test_a_refusal_names_each_item_and_changes_nothing(work: Place) -> None:
    assert work.deft("run", str(graph(work.folder, {"a": "echo x > {output}"})), "-q").returncode == 0
    path = part(work, '<node id="a"><data key="n.command">false</data></node><node id="c"/>')
    told = work.said("augment", "m", "--graph", str(path))
    assert told.code == 4
    assert "a, command: a has started and is done; `deft set m/a`" in told.err
    assert "1 other item could be applied" in told.err
    answer = work.said("augment", "m", "--graph", str(path), "--json")
    assert answer.code == 4
    verdicts = {item["item"]["task"]: item["verdict"] for item in json.loads(answer.out)["items"]}
    assert verdicts == {"a": "refused", "c": "applied"}
    whole = part(work, '<node id="c"><data key="n.command">true</data></node>')
    told = work.said("augment", "m", "--graph", str(whole), "--whole")
    assert (told.code, "`deft obsolete m/a` retires its data" in told.err) == (6, True)
    assert work.said("augment", "m", "--whole").code == 2


def test_names_are_shown_before_the_import_and_after(work: Place) -> None:
    path = part(
        work,
        f'<data key="g.naming.pattern">{_PATTERN}</data><data key="g.attr.run">r5</data><node id="a">'
        '<data key="n.command">true</data><data key="n.attr.step">reco</data></node>',
        name="m.graphml",
    )
    assert "default.r5.reco.data.t########_r01" in work.said("names", "m.graphml").out
    assert work.said("import", str(path)).code == 0
    assert "default.r5.reco.data.t00000001_r01" in work.said("names", "m").out
    wrong = work.said("names", "m", "--pattern", "{attr.stop}.{type}.t{task_id}_r{series}")
    assert (wrong.code, "there is attr.step" in wrong.err) == (6, True)
    path.write_text(path.read_text().replace("attr.run}", "taks}"))
    told = work.said("validate", "m.graphml")
    assert (told.code, "there is no field {taks}; near: {task}" in told.out) == (6, True)
    assert work.said("names", "nix").code == 3
