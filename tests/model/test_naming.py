"""Names of datasets: made and parsed back exactly, short enough, each of one dataset only."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from deft.model import named, naming, rules
from deft.model.graph import MetaTask
from deft.model.naming import ATLAS_PATTERN, DEFAULT_PATTERN, DatasetName
from deft.model.tasks import Edge, Task
from tests.support.build import metatask, with_task

_LETTERS = string.ascii_letters + string.digits + "_-"
_words = some.text(_LETTERS, min_size=1, max_size=12).filter(lambda word: word[0].isalnum())
_names = some.builds(
    DatasetName, project=_words, metatask=_words, task=_words, type=_words,
    task_id=some.integers(0, 10**11), series=some.integers(0, 200),
    more=some.fixed_dictionaries({"attr.x": _words, "param.run": _words}),
)  # fmt: skip
_texts = some.sampled_from(["{project}", "{metatask}", "{task}", "{attr.x}", "{param.run}", "fixed", "v2-"])
_numbers = some.sampled_from(
    ["_t{task_id:08d}", "-{task_id}_", "_r{series:02d}", "_{series}-", "t_{task_id:01d}"]
)


@some.composite
def patterns(draw: some.DrawFn) -> str:
    """Segments of at most one text and some numbers, in any order, that can serve."""
    segments = draw(some.lists(some.tuples(_texts, some.lists(_numbers, max_size=2)), min_size=1, max_size=4))
    made = ["a{type}z", *(text + "".join(numbers) for text, numbers in segments), "t{task_id:03d}_x{series}"]
    pattern = ".".join(draw(some.permutations(made)))
    try:
        naming.read(pattern)
    except ValueError:
        assume(False)
    return pattern


_SHIPPED = (DEFAULT_PATTERN, re.sub(r"attr\.\w+", "attr.x", ATLAS_PATTERN))


@given(_names, some.one_of(patterns(), some.sampled_from(_SHIPPED)))
def test_what_is_made_is_parsed_back(name: DatasetName, pattern: str) -> None:
    made = naming.make(name, pattern)
    found = naming.parse(made, pattern)
    assert naming.make(found, pattern) == made
    said = {field.name for field in naming.read(pattern).pieces if not isinstance(field, str)}
    assert (found.type, found.task_id, found.series) == (name.type, name.task_id, name.series)
    for field in said & {"project", "metatask", "task"}:
        assert getattr(found, field) == getattr(name, field)
    assert found.more == {key: value for key, value in name.more.items() if key in said}


@given(_names, some.text(_LETTERS + ".", max_size=40))
def test_no_other_text_is_parsed(name: DatasetName, text: str) -> None:
    made = naming.make(name)
    for other in (text, made + text if text else text, "0" + made[1:] + "\n", made.replace("_r", "_r0")):
        try:
            found = naming.parse(other)
        except ValueError:
            continue
        assert naming.make(found) == other


@given(_names, _names)
def test_two_datasets_have_two_names(one: DatasetName, other: DatasetName) -> None:
    key = [(name.task_id, name.type, name.series) for name in (one, other)]
    assert (naming.make(one) == naming.make(other)) <= (key[0] == key[1])


def test_the_names_of_atlas() -> None:
    labels = {"attr.number": "410470", "attr.brief": "PhPy8EG_ttbar", "attr.step": "recon",
              "attr.tags": "e6337_s3126_r10201"}  # fmt: skip
    name = DatasetName("mc16_13TeV", "ttbar", "reco", "AOD", 12, 1, labels)
    made = naming.make(name, ATLAS_PATTERN)
    assert made == "mc16_13TeV.410470.PhPy8EG_ttbar.recon.AOD.e6337_s3126_r10201_tid00000012_01"
    assert naming.parse(made, ATLAS_PATTERN) == DatasetName("mc16_13TeV", "", "", "AOD", 12, 1, labels)


_REST = ".{type}.t{task_id}_r{series}"


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (
            "{project}.{taks}" + _REST,
            r"there is no field {taks}; near: {task};.* at \^ in {project}.\^{taks}",
        ),
        ("{}" + _REST, "there is no field {}"),
        ("{attr.}" + _REST, "there is no field {attr.}"),
        ("{project}" + _REST + "}", r"this brace has no partner.*\^}$"),
        ("{project" + _REST, "this brace has no partner"),
        ("{project}/{task}" + _REST, "'/' may not stand in a name"),
        ("{project}..{task}" + _REST, "has no empty part"),
        ("_{project}" + _REST, "begins with a letter or digit"),
        ("{project}" + _REST + ".", "has no empty part"),
        ("{project}_{task}" + _REST, r"a dot must stand between {project} and {task}.*{project}_\^{task}"),
        ("{type}{task_id}_r{series}", r"{task_id} runs into .*\^{task_id}"),
        ("{type}.1{task_id}.r{series}", "{task_id} runs into"),
        ("{type}.{task_id}{series}", "runs into"),
        ("{type:08d}.{task_id}.{series}", "only {task_id} and {series} have a form"),
        ("{type}.{task_id:8d}.{series}", "only {task_id} and {series} have a form"),
        ("{project}.{task}.{type}.t{task_id}", "needs the field {series}: without it what `deft reset"),
        ("{project}.{task}.{type}.r{series}", "needs the field {task_id}: without it two tasks"),
        ("{project}.{task}.t{task_id}.r{series}", "needs the field {type}: without it two outputs"),
        ("atlsa", "is none of the shipped patterns default, atlas; near: atlas"),
        ("", "has no field"),
    ],
)
def test_a_pattern_that_cannot_serve_is_refused_with_the_place(pattern: str, says: str) -> None:
    made = metatask(a="")
    made.settings["naming.pattern"] = pattern
    (finding,) = rules.validate(made)
    assert finding.code == "bad-pattern"
    with pytest.raises(ValueError, match=says):
        naming.read(pattern)


def findings(made: MetaTask, pattern: str = "") -> Sequence[tuple[str, str]]:
    if pattern:
        made.settings["naming.pattern"] = pattern
    return [(finding.code, finding.message) for finding in rules.validate(made)]


def test_a_shipped_pattern_is_called_by_its_name() -> None:
    made = with_task(metatask(a=""), "a", {"attr.step": "evgen", "attr.tags": "e1"})
    made.settings |= {"naming.pattern": "atlas", "attr.number": "7", "attr.brief": "zmumu"}
    names, found = named.names(made, {"a": 3})
    assert found == []
    assert names == ["default.7.zmumu.evgen.data.e1_tid00000003_01", "default.m.a.synthetic.t00000003_r01"]


def test_labels_that_are_missing_are_one_finding_each_with_what_is_near() -> None:
    made = metatask(**{f"t{n}": "" for n in range(8)})
    made.settings |= {"attr.number": "7", "attr.breif": "x", "attr.step": "s"}
    made = with_task(made, "t0", {"attr.tags": "e1"})
    (brief, tags) = (finding for finding in rules.validate(_atlas(made)) if finding.code == "no-label")
    assert brief.message.startswith(
        "naming.pattern names {attr.brief}, which t0, t1, t2, t3, t4 and 3 more do not"
    )
    assert "there is attr.breif" in (brief.hint or "")
    assert "{attr.tags}, which t1, t2, t3, t4, t5 and 2 more" in tags.message


def _atlas(made: MetaTask) -> MetaTask:
    made.settings["naming.pattern"] = "atlas"
    return made


def test_a_label_that_cannot_stand_in_a_name_is_a_finding() -> None:
    made = with_task(metatask(a=""), "a", {"attr.x": "e1.2"})
    ((code, message),) = findings(made, "{attr.x}" + _REST)
    assert (code, "attr.x = 'e1.2'" in message) == ("dataset-name", True)


def test_a_name_that_is_too_long_names_the_task_and_the_length() -> None:
    task = "t" * 64
    made = MetaTask("m" * 64, project="p" * 64)
    made.add(Task(task, settings={"command": "true"}))
    made.join(Edge(task, task, {"type": "d" * 64}))
    made.graph.remove_edges_from(list(made.graph.edges))
    made.add(Task("b", settings={"command": "true"}))
    made.join(Edge(task, "b", {"type": "d" * 64}))
    ((code, message),) = findings(made)
    assert code == "dataset-name"
    assert message.startswith(f"the name of the data {'d' * 64} of {task} has 273 characters, and 255 are")


def test_two_datasets_with_one_name_are_both_named() -> None:
    made = metatask(a="", b="a", c="a")
    one, other = made.edges
    for edge, dataset in ((one, "good"), (other, "bad")):
        made.graph.edges[edge.source, edge.target, edge.id]["edge"] = Edge(
            edge.source, edge.target, {"dataset": dataset}, edge.id
        )
    ((code, message),) = findings(made)
    assert (code, "'good' (type data) for b, and 'bad' (type data) for c" in message) == ("same-name", True)


def test_upper_and_lower_case_are_one_name() -> None:
    made = with_task(metatask(a=""), "a", {"command": "x {output.AOD} {output.aod}"})
    ((code, message),) = findings(made)
    assert (code, "the type 'AOD', and the type 'aod'" in message) == ("same-name", True)
    made = with_task(metatask(a=""), "a", {"command": "x {output.synthetic}"})
    ((code, message),) = findings(made)
    assert (code, "its numbers" in message) == ("same-name", True)
