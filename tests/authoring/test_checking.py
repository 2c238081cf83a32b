"""What `deft template check` finds, and what `list` and `show` tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from deft.authoring.graphml import reader
from deft.authoring.templates import catalogue, checking, search
from deft.authoring.templates.search import Place
from deft.base.errors import BadInput, NotFound
from tests.support.repository import ROOT

HEAD = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
SAMPLES = ROOT / "docs" / "examples" / "samples.graphml"


def template(folder: Path, name: str = "mine", *, command: str = "true > {output}", **params: str) -> Path:
    """A template of one task `work`; `params` are the graph's, with `__` for a dot."""
    keys = "".join(
        f'<key id="g{number}" for="graph" attr.name="param.{key.replace("__", ".")}" attr.type="string"/>'
        for number, key in enumerate(params)
    )
    values = "".join(f'<data key="g{number}">{value}</data>' for number, value in enumerate(params.values()))
    place = folder / name
    place.mkdir(parents=True)
    (place / f"{name}.graphml").write_text(
        f'{HEAD}{keys}<key id="c" for="node" attr.name="command" attr.type="string"/>'
        f'<graph edgedefault="directed">{values}'
        f'<node id="work"><data key="c">{command.replace(">", "&gt;")}</data></node></graph></graphml>'
    )
    (place / "README.md").write_text("# mine\n\nWhat it is.\n\n## More\n\nrest\n")
    return place / f"{name}.graphml"


def codes(path: Path, *, strict: bool = False, **given: str) -> list[tuple[str, str]]:
    return [(f.code, f.severity) for f in checking.check(str(path), given, path.parent, strict=strict)]


@pytest.mark.parametrize("name", search.names())
def test_a_shipped_template_is_complete(name: str) -> None:
    assert checking.check(name, {}, ROOT, strict=True) == []


def test_the_example_of_the_guide_is_complete_but_for_a_readme() -> None:
    assert codes(SAMPLES) == [("no-readme", "warning")]


def test_the_guide_shows_pieces_of_the_example() -> None:
    guide = (ROOT / "docs" / "how-to" / "templates.md").read_text(encoding="utf-8")
    example = {line.strip() for line in SAMPLES.read_text(encoding="utf-8").splitlines()}
    shown = [line.strip() for line in guide.splitlines() if line.strip().startswith("<")]
    assert len(shown) > 4
    assert [line for line in shown if line not in example] == []


def test_a_payload_file_that_is_missing_is_told(tmp_path: Path) -> None:
    path = template(tmp_path, command="{python} {template}/sub/p.py ${template}/q.py > {output}")
    (path.parent / "q.py").write_text("")
    assert codes(path) == [("no-payload", "error")]
    (path.parent / "sub").mkdir()
    (path.parent / "sub" / "p.py").write_text("")
    assert codes(path) == []


def test_missing_help_and_use_are_told(tmp_path: Path) -> None:
    path = template(tmp_path, a="1", b="2", b__help="b", command="echo ${param.a} > {output}")
    assert codes(path) == [("no-help", "warning"), ("unused-parameter", "warning")]
    assert codes(path, strict=True) == [("no-help", "error"), ("unused-parameter", "error")]


def test_a_parameter_that_must_be_given_gets_a_sample_value(tmp_path: Path) -> None:
    facts = {"n__help": "how many", "n__type": "int", "c__help": "which", "c__choices": "x, y"}
    path = template(tmp_path, command="echo {param.n} {param.c} > {output}", **facts)
    assert codes(path) == []
    assert codes(path, n="many") == [("bad-parameter", "error")]


def test_a_document_that_is_refused_is_told_too(tmp_path: Path) -> None:
    path = template(tmp_path, command="{outptu}")
    assert ("unknown-placeholder", "error") in codes(path)
    path.write_text("<x/>")
    assert codes(path) == [("not-graphml", "error")]


def test_the_first_place_of_a_name_wins_and_what_it_hides_is_told(tmp_path: Path) -> None:
    places = [
        Place("project", tmp_path / "p"),
        Place("user", tmp_path / "u"),
        Place("shipped", search.root()),
    ]
    template(tmp_path / "p", "census")
    template(tmp_path / "u", "other", description="")
    listed = {one.name: one for one in catalogue.listed(places)}
    assert (listed["census"].place, listed["other"].place) == ("project", "user")
    assert listed["census"].hides == (search.root() / "census",)
    assert catalogue.described("census", places).about == "# mine\n\nWhat it is."


def test_a_template_that_cannot_be_read_is_listed_with_the_reason(tmp_path: Path) -> None:
    template(tmp_path, "broken").write_text("no")
    [listed] = catalogue.listed([Place("user", tmp_path)])
    assert listed.fault


def test_the_places_follow_the_surroundings(tmp_path: Path) -> None:
    found = search.places(tmp_path, {"HOME": "/people/ann"})
    assert [(place.kind, str(place.folder)) for place in found[:2]] == [
        ("project", str(tmp_path / "templates")),
        ("user", "/people/ann/.config/deft/templates"),
    ]
    assert str(search.places(None, {"XDG_CONFIG_HOME": "/x"})[0].folder) == "/x/deft/templates"


def test_the_tree_names_what_was_shown_before_only_once() -> None:
    tree = list(catalogue.tree(reader.read(SAMPLES).metatask))
    assert tree == ["evgen (for each sample)", "  ─events▶ count (for each sample)", "    ─counts▶ table"]
    census = list(catalogue.tree(reader.read(search.find("census")).metatask))
    assert census[-2:] == ["        ─table▶ result (exit)", "        ─chart▶ result (above)"]


@pytest.mark.parametrize("name", ["../census", "/census", "a b"])
def test_show_takes_a_name_and_no_path(name: str) -> None:
    with pytest.raises(BadInput):
        catalogue.described(name, search.places(None))


def test_a_path_below_a_document_never_leads_out_of_its_folder(tmp_path: Path) -> None:
    inside = template(tmp_path / "in")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.graphml").write_text("")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out")
    assert search.below(tmp_path / "in", "mine/mine.graphml") == inside.resolve()
    with pytest.raises(NotFound, match="leads out"):
        search.below(tmp_path / "in", "link/x.graphml")
