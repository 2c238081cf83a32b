"""The selector's grammar: what it reads, and how it shows what is wrong."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deft.base.errors import BadInput
from deft.model import fields, selection
from deft.model.fields import FIELDS
from deft.model.selection import Among, Compare, Flag, Junction, Not, Related, parse
from deft.model.tasks import State


def field(name: str) -> fields.Field:
    found = fields.find(name)
    assert found is not None
    return found


def test_the_example_of_the_design_is_read() -> None:
    text = "state in (failed, exhausted) and template == 'reco' and attr.risk == 7 and downstream_of('x')"
    assert parse(text) == Junction(
        "and",
        (
            Among(field("state"), ("failed", "exhausted")),
            Compare(field("template"), "==", "reco"),
            Compare(field("attr.risk"), "==", 7),
            Related("downstream_of", "x"),
        ),
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("not held and armed or force", "((not held) and armed) or force"),
        ("held AND NOT armed", "held and not armed"),
        ("state != failed", "not state == failed"),
        ("state not in (failed)", "not state in (failed)"),
        ("failed_jobs > 10", "jobs_failed>10"),
        ('name == "reco"', "name == 'reco'"),
        ("age > 2h", "age > '120m'"),
        ("since < 2026-11-01T12:00:00+00:00", "since < '2026-11-01T13:00+01:00'"),
        ("state == failed", "state == 'failed'"),
        ("attr.blind == true", "attr.blind == 'true'"),
    ],
)
def test_two_ways_to_write_the_same(text: str, same: str) -> None:
    assert parse(text) == parse(same)


def test_values_are_read_by_the_type_of_their_field() -> None:
    assert parse("progress >= .5") == Compare(field("progress"), ">=", 0.5)
    assert parse("priority == -3") == Compare(field("priority"), "==", -3)
    assert parse("age < 1.5h") == Compare(field("age"), "<", 5400.0)
    moment = datetime(2026, 11, 1, 14, 30, tzinfo=UTC)
    assert parse("since > '2026-11-01 14:30+00:00'") == Compare(field("since"), ">", moment)
    assert parse("attr.x in (1, 'one')") == Among(field("attr.x"), (1, "one"))
    assert parse("held") == Flag(field("held"))
    assert parse("not held") == Not(Flag(field("held")))


FAULTS = {
    "steat == failed": ("did you mean state", "^^^^^"),
    "held or stat == failed": ("stat is no field; did you mean state", "        ^^^^"),
    "xyzzy": ("labels are attr.NAME, parameters param.NAME", "^^^^^"),
    "state == faild": ("state is never 'faild'; did you mean failed?", "         ^^^^^"),
    "state == nonsense": ("it is one of defined, waiting, running", "         ^^^^^^^^"),
    "exhausted": ("exhausted is a state; write: state == exhausted", "^^^^^^^^^"),
    "failed": ("as in: failed > 10 (the state is: state == failed)", "^^^^^^"),
    "ok > 'ten'": ("ok is a number, not text", "     ^^^^^"),
    "ok > ten": ("ok is a number, and 'ten' is none", "     ^^^"),
    "ok > 1.2.3": ("ok is a number, and '1.2.3' is none", "     ^^^^^"),
    "ok > 1e999": ("ok is never as large as that", "     ^^^^^"),
    "name == reco": ("name is text, which stands in quotes: 'reco'", "        ^^^^"),
    "name > 'a'": ("name is compared with text by ==, != or in", "     ^"),
    "attr.x < 'a'": ("attr.x is compared with text by ==, != or in", "       ^"),
    "attr.x == reco": ("with a number, or with text in quotes: 'reco'", "          ^^^^"),
    "since > 2h": ("its age, as in: age < 2h", "        ^^"),
    "since > tomorrow": ("since is a moment, such as 2026-11-01", "        ^^^^^^^^"),
    "since == 2026-11-01": ("no moment is met exactly", "      ^^"),
    "since > 0001-01-01": ("lies between the years 1970 and 9998", "        ^^^^^^^^^^"),
    "age > 2": ("age is a number with a unit", "      ^"),
    "age > 9999999999w": ("at most a hundred years", "      ^^^^^^^^^^^"),
    "age in (2h)": ("age is not compared with a list", "    ^^"),
    "held == true": ("held is yes or no; write held, or not held", "     ^^"),
    "upstream_of(x)": ("in quotes: upstream_of('reco')", "            ^"),
    "upstream_of 'x'": ("( is missing here", "            ^^^"),
    "(held": (") is missing here", "     ^"),
    "state in (failed": (") is missing here", "                ^"),
    "state in failed": ("( is missing here", "         ^^^^^^"),
    "ok >": ("here a value must stand, as in: ok > 10", "    ^"),
    "ok > )": ("here a value must stand, as in: ok > 10", "     ^"),
    "held armed": ("this does not follow; join conditions by and, or", "     ^^^^^"),
    "10 < ok": ("a condition begins with the name of a field", "^^"),
    "held and": ("a condition begins with the name of a field", "        ^"),
    "": ("a condition begins with the name of a field", "^"),
    "name = 'x'": ("write == to compare", "     ^"),
    "held && armed": ("write and", "     ^"),
    "!held": ("write not", "^"),
    "name == 'x": ("the text in quotes has no end", "        ^"),
    "held; drop": ("';' has no meaning here", "    ^"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_shows_its_place(text: str) -> None:
    says, points = FAULTS[text]
    with pytest.raises(BadInput) as caught:
        parse(text)
    message, shown, pointed = str(caught.value).splitlines()
    assert says in message
    assert (shown, pointed) == (f"  {text}", f"  {points}")


def test_a_fault_far_to_the_right_is_shown_with_what_is_around_it() -> None:
    with pytest.raises(BadInput) as caught:
        parse("held and " * 60 + "hedl" + " and held" * 60)
    _, shown, pointed = str(caught.value).splitlines()
    at = pointed.index("^")
    assert shown[at : at + 4] == "hedl"
    assert pointed.count("^") == 4
    assert len(shown) == 102


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("held and " * 1000 + "held", "at most 4096 signs long"),
        ("not " * 60 + "held", "nested at most 50 deep"),
        ("(" * 60 + "held" + ")" * 60, "nested at most 50 deep"),
        ("ok in (" + "1," * 600 + "1)", "a list has at most 500 values"),
        ("name == 'a\0b'", "no meaning here"),
        ("name == '\udc80'", "no meaning here"),
        ("name == '\x1b[31m'", "no meaning here"),
    ],
)
def test_what_is_too_much_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        parse(text)
    assert all(line.isprintable() for line in str(caught.value).splitlines())


WORDS = (
    "state", "failed", "and", "or", "not", "in", "(", ")", ",", "==", "!=", "<", ">=", "'x*'", '"', "'", "7",
    "2h", "2026-11-01", "attr.x", "param.", "upstream_of", "since", "age", "held", "ok", "-", "=",
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)))
def test_any_text_is_read_or_refused_as_bad_input(text: str) -> None:
    with contextlib.suppress(BadInput):
        parse(text)


def test_no_field_is_named_twice_and_none_is_a_keyword() -> None:
    names = [name for one in FIELDS for name in (one.name, *one.aliases)]
    assert len(names) == len(set(names))
    assert not {"and", "or", "not", "in", *fields.RELATIONS} & set(names)


def test_every_state_can_be_asked_for() -> None:
    assert all(isinstance(parse(f"state == {state}"), Compare) for state in State)


def test_every_field_is_read_by_its_own_example() -> None:
    assert all(selection.parse(fields.example(one)) for one in FIELDS)
