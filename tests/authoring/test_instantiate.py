"""Filling a template: parameters, facts, escapes, types, sources."""

from __future__ import annotations

import pytest

from deft.authoring.templates.instantiate import facts_here, instantiate, protect
from deft.base.errors import BadInput
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, NodeKind, Task
from deft.wire import placeholders

FACTS = {"python": "/bin/py", "python.stdlib": "/lib/py", "template": "/t/x", "workdir": "/w"}


def template(
    node: dict[str, Value] | None = None, edge: dict[str, Value] | None = None, **params: str
) -> MetaTask:
    """An entry and a task `work`; `params` are the graph's, with `__` for a dot."""
    settings: dict[str, Value] = {f"param.{k.replace('__', '.')}": v for k, v in params.items()}
    made = MetaTask("m", settings=settings, folder="/t/x")
    made.add(Task("files", NodeKind.ENTRY))
    made.add(Task("work", settings=node or {}))
    made.join(Edge("files", "work", edge or {}))
    return made


def filled(text: str, given: dict[str, str] | None = None, **params: str) -> Value:
    """A text of an attribute after filling."""
    made = instantiate(template({"attr.x": text}, None, **params), given or {}, FACTS)
    return made.task("work").settings["attr.x"]


def codes(metatask: MetaTask, given: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(BadInput) as caught:
        instantiate(metatask, given or {}, FACTS)
    return [finding.code for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${param.a}", "1"),
        ("<${param.a}${param.a}>", "<11>"),
        ("${python.stdlib}", "/lib/py"),
        ("${python} ${template} ${workdir}", "/bin/py /t/x /w"),
        ("$${param.a}", "${param.a}"),
        ("$$${param.a}", "$${param.a}"),
        ("${HOME} $HOME {param.a} $(ls)", "${HOME} $HOME {param.a} $(ls)"),
        ("${", "${"),
    ],
)
def test_a_text_is_filled(text: str, result: str) -> None:
    assert filled(text, a="1") == result


def test_a_given_value_wins_and_is_stored() -> None:
    made = instantiate(template({"attr.x": "${param.a}"}, a="1"), {"a": "2"}, FACTS)
    assert (made.task("work").settings["attr.x"], made.settings["param.a"]) == ("2", "2")


def test_a_fact_in_a_default_is_filled_and_a_given_value_never() -> None:
    assert filled("${param.a}", a="${python.stdlib}") == "/lib/py"
    assert filled("${param.a}", {"a": "${python.stdlib}"}, a="") == "${python.stdlib}"


def test_a_typed_setting_is_parsed_after_filling() -> None:
    made = instantiate(template({"resources.cores": "${param.cores}"}, cores="4"), {}, FACTS)
    assert made.task("work").settings == {"resources.cores": 4}


def test_a_setting_of_which_nothing_is_left_is_not_there() -> None:
    made = instantiate(template({"resources.memory_mb": "${param.memory}"}, memory=""), {}, FACTS)
    assert made.task("work").settings == {}


def test_a_value_in_a_command_is_one_word_and_is_not_filled_again() -> None:
    made = template({"command": "run ${param.a} {job.index}"}, a="")
    made = instantiate(made, {"a": "x; {input} y"}, FACTS)
    assert placeholders.fill(made.task("work").command, {"job.index": 3}) == "run 'x; {input} y' 3"


def test_a_value_cannot_break_out_of_a_list() -> None:
    made = instantiate(template(edge={"source.json": '["${param.a}"]'}, a=""), {"a": '/x", "/etc'}, FACTS)
    assert next(made.edges).sources == ('/x", "/etc',)


def test_relative_sources_become_absolute() -> None:
    listed = '["data/*.txt", "@list.txt", "!data/bad*", "!**/old/**", "/abs/**/x", "root://host//f", "../up"]'
    made = instantiate(template(edge={"source.json": listed}), {}, FACTS)
    assert next(made.edges).sources == (
        "/t/x/data/*.txt", "@/t/x/list.txt", "!/t/x/data/bad*", "!**/old/**", "/abs/**/x", "root://host//f",
        "/t/up",
    )  # fmt: skip
    assert next(instantiate(template(edge={"source": "a/**/b"}), {}, FACTS).edges).sources == ("/t/x/a/**/b",)


def test_an_unknown_parameter_is_told_with_near_names() -> None:
    with pytest.raises(BadInput, match="near: cores"):
        instantiate(template(cores="4"), {"core": "4"}, FACTS)


def test_an_unknown_placeholder_is_told_with_near_names() -> None:
    with pytest.raises(BadInput, match=r"unknown placeholder \$\{param.core\} \(near: \$\{param.cores\}"):
        instantiate(template({"attr.x": "${param.core}"}, cores="4"), {}, FACTS)


@pytest.mark.parametrize(
    ("params", "given", "code"),
    [
        ({"a__help": "say it"}, {}, "missing-parameter"),
        ({"a": "", "a__required": "true"}, {}, "missing-parameter"),
        ({"a": "x", "a__type": "int"}, {}, "bad-parameter"),
        ({"a": "1", "a__type": "int"}, {"a": "1.5"}, "bad-parameter"),
        ({"a": "maybe", "a__type": "boolean"}, {}, "bad-parameter"),
        ({"a": "c", "a__choices": "a, b"}, {}, "bad-parameter"),
        ({"a": "1", "a__type": "list"}, {}, "bad-parameter-type"),
        ({"a": "${param.b}", "b": ""}, {}, "unknown-placeholder"),
    ],
)
def test_a_bad_parameter_is_told(params: dict[str, str], given: dict[str, str], code: str) -> None:
    assert codes(template(None, None, **params), given) == [code]


def test_all_findings_come_in_one_list() -> None:
    node: dict[str, Value] = {"attr.x": "${param.b}", "resources.cores": "${param.a}", "attr.json": "${ ["}
    assert codes(template(node, a="many"), {"z": "1"}) == [
        "unknown-parameter", "unknown-placeholder", "bad-value", "bad-value"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["$${param.a}", "$$${param.a}", "$$$${x", "${HOME}", "$${python}", "${ $${", "$$ {a} $$${b} $${c.d}"],
)
def test_what_was_filled_and_exported_fills_to_the_same_again(text: str) -> None:
    node: dict[str, Value] = {"attr.x": text, "command": text + " ${param.a}"}
    once = instantiate(template(node, a="1"), {"a": "${param.a} ${python}"}, FACTS)
    again = instantiate(protect(once), {}, FACTS)
    assert again.task("work").settings == once.task("work").settings
    assert again.settings == once.settings


def test_the_facts_of_this_machine_are_complete() -> None:
    assert facts_here(template="/t", workdir="/w").keys() == FACTS.keys()
