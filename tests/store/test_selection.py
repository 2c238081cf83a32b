"""What a selection names, on every database; and that what a user wrote stays a value."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection, Engine, make_url

from deft.base import database
from deft.base.clock import ManualClock
from deft.base.database import reading, writing
from deft.base.errors import BadInput, NotFound
from deft.model import fields
from deft.model import selection as language
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.store import conditions, graphs, selection
from deft.store.conditions import Place
from deft.store.guards import NODE, TASKS
from deft.store.tables import deft_metatask, deft_node
from tests.support import asked, build
from tests.support.build import metatask, with_task

NOW = ManualClock().now()
RISKS: tuple[Value | None, ...] = (
    7,
    "7",
    7.0,
    "7.5",
    "x7",
    True,
    "true",
    "",
    "a_b",
    "a%b",
    "a\\b",
    "a[b]",
    None,
)


def store(conn: Connection, made: MetaTask, owner: str = "ann@here") -> int:
    return graphs.save(conn, made, owner=owner, now=NOW)


def crowd(draw: random.Random) -> list[MetaTask]:
    """Meta-Tasks of several shapes, whose tasks say this and that."""
    made, risks = [], itertools.cycle(RISKS)
    for number, name in enumerate(("m", "m1", "Other", "m")):
        one = metatask(name, entry="", a="entry", A="a", b="a", ab="A b", input="")
        one.project = ("p", "default")[number % 2]
        one.settings |= {"attr.x": draw.choice(["7", "Ünï", "100%"])}
        one.settings["param.events"] = 8 if number else "3"
        if number:
            one.settings["tool"] = "it"
        for task in ("a", "A", "b", "ab"):
            said: dict[str, Value] = {"attr.risk": risk} if (risk := next(risks)) is not None else {}
            said |= {"attr.x": "own"} if draw.random() < 0.3 else {}
            said |= {"priority": draw.randint(-2, 3)} if draw.random() < 0.5 else {}
            said |= {"template": "reco"} if draw.random() < 0.5 else {}
            one = with_task(one, task, said)
        made.append(one)
    return made


def shake(conn: Connection, draw: random.Random) -> None:
    """Every token, report, time and reason is drawn anew."""
    build.randomize(conn, draw)
    for node in conn.execute(sa.select(deft_node.c.id)).scalars().all():
        changed = NOW - timedelta(hours=draw.choice([0, 1, 2, 50, -3]))
        reason = draw.choice(["input", "100% lost", None])
        which = deft_node.c.id == node
        conn.execute(sa.update(deft_node).where(which).values(changed=changed, reason=reason))


def chosen(conn: Connection, path: str, where: str | None) -> tuple[int, ...]:
    try:
        return selection.select(conn, path, where=where, now=NOW).node_ids
    except NotFound:
        return ()


def asked_of_database(conn: Connection, text: str) -> set[int]:
    return set(chosen(conn, "", text))


@dataclass(frozen=True, slots=True)
class Crowd:
    """A database with many tasks, and what is known of each."""

    engine: Engine
    tasks: Mapping[int, asked.Facts]


@pytest.fixture
def crowded(engine: Engine) -> Crowd:
    draw = random.Random(1)
    with writing(engine) as conn:
        for number, made in enumerate(crowd(draw)):
            store(conn, made, ("ann@here", "bob")[number % 2])
        shake(conn, draw)
        return Crowd(engine, asked.facts(conn, NOW))


def drawn(examples: int) -> settings:
    """The fixture is only read, so that all examples may share it; a busy machine is no fault."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, suppress_health_check=checks, deadline=None)


@drawn(300)
@given(text=asked.expressions())
@example(text="name == '[a]*'")
@example(text="attr.risk == 'a_*' or attr.risk == 'a%*' or attr.risk == 'a\\*'")
@example(text="attr.x == 'own' or attr.x == '*%'")
@example(text="not attr.risk == 7 and attr.risk != 'x7' and attr.risk <= 7")
def test_the_database_answers_as_memory_does(crowded: Crowd, text: str) -> None:
    expr = language.parse(text)
    with reading(crowded.engine) as conn:
        found = asked_of_database(conn, text)
    assert found == {one for one, task in crowded.tasks.items() if asked.holds(expr, task)}


def test_one_question_does_not_colour_the_next_of_its_shape(crowded: Crowd) -> None:
    # Statements of one shape share a compiled form, in which only the values differ.
    texts = ("not ended and ended", "not state in (aborted) and state in (done, aborted, failed, finished)",
             "not active and ended", "not active or active", "not ended or state in (done)")  # fmt: skip
    with reading(crowded.engine) as conn:
        for text in texts * 2:
            wanted = {one for one, task in crowded.tasks.items() if asked.holds(language.parse(text), task)}
            assert asked_of_database(conn, text) == wanted, text


@drawn(60)
@given(text=asked.expressions(), path=st.sampled_from(["m?", "p/m", "*/a*", "default/*/[a]*", "Other M1/a"]))
def test_a_condition_narrows_what_paths_name(crowded: Crowd, text: str, path: str) -> None:
    with reading(crowded.engine) as conn:
        named = set(chosen(conn, path, None))
        assert set(chosen(conn, path, text)) == named & asked_of_database(conn, text)


# --- what a user writes stays a value -----------------------------------------------------------------------

NASTY = (
    "'; drop table deft_node; --", "x' or '1'='1", "a\\", "\\' or 1=1 --", "%", "_", "*%_?", "$.x", "{}",
    "%(x)s", ":name", "?", "a/**/b", "$$", "Ünï",
)  # fmt: skip
DIALECTS: tuple[sa.Dialect, ...] = tuple(make_url(f"{name}://").get_dialect()() for name in database.DIALECTS)
EVERY_DIALECT = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)


def quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


@pytest.mark.parametrize("text", NASTY)
def test_injected_sql_is_a_value_that_matches_itself(engine: Engine, text: str) -> None:
    with writing(engine) as conn:
        store(conn, with_task(metatask("m", a="", b="a"), "a", {"attr.x": text, "template": text}))
        store(conn, metatask("n", a="", b="a"))
        both = sa.select(sa.func.count()).select_from(deft_node)
        before = conn.execute(both).scalar_one()
        own = sa.select(deft_node.c.id).where(deft_node.c.settings.like("%attr.x%"))
        wanted = set(conn.execute(own).scalars())
        for field in ("attr.x", "template"):
            assert asked_of_database(conn, f"{field} == {quoted(text)}") == wanted
            assert asked_of_database(conn, f"{field} in ('no', {quoted(text)})") == wanted
            assert asked_of_database(conn, f"name == {quoted(text)} and {field} == 'no'") == set()
        asked_of_database(conn, f"upstream_of({quoted(text)})")
        assert chosen(conn, f"m/{text}".translate(dict.fromkeys(map(ord, "*? /"), "x")), None) == ()
        assert conn.execute(both).scalar_one() == before


def place_of(expr: language.Expr) -> Place:
    """One where nothing is related to anything."""
    return Place(NOW, dict.fromkeys(conditions.relations(expr), ()))


@EVERY_DIALECT
def test_no_text_of_the_user_reaches_the_statement(dialect: sa.Dialect) -> None:
    texts = ("name", "metatask", "owner", "origin", "template", "tool", "reason", "attr.x", "param.y")
    secret = " or ".join(f"{field} in ('zzz_*', 'zzzy') or {field} == 'zzz?'" for field in texts)
    expr = language.parse(f"({secret}) and priority > 3.25 and age > 77s and not upstream_of('zzz')")
    query = sa.select(NODE.c.id).select_from(TASKS).where(conditions.to_sql(expr, place_of(expr)))
    statement = str(query.compile(dialect=dialect))
    assert "zzz" not in statement
    assert "3.25" not in statement


@EVERY_DIALECT
def test_every_field_compiles_for_every_dialect(dialect: sa.Dialect) -> None:
    for field in (*fields.FIELDS, fields.find("attr.x")):
        assert field is not None
        expr = language.parse(fields.example(field))
        query = sa.select(NODE.c.id).select_from(TASKS).where(conditions.to_sql(expr, place_of(expr)))
        assert "SELECT" in str(query.compile(dialect=dialect))


# --- paths --------------------------------------------------------------------------------------------------


@pytest.fixture
def paths(engine: Engine) -> Engine:
    with writing(engine) as conn:
        for project, name in (("hep", "ttbar1"), ("hep", "ttbar2"), ("hep", "single"), ("bio", "single")):
            made = metatask(name, simul="", reco="simul", Reco="simul", reco_2="simul")
            made.project = project
            store(conn, made)
    return engine


def named(engine: Engine, text: str, where: str | None = None) -> Mapping[str, int]:
    with reading(engine) as conn:
        found = selection.select(conn, text, where=where, now=NOW)
        return {part.full_name: len(part.node_ids) for part in found.parts}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ttbar1", {"hep/ttbar1": 4}),
        ("TTBAR1", {"hep/ttbar1": 4}),
        ("hep/ttbar1", {"hep/ttbar1": 4}),
        ("hep/ttbar1/reco", {"hep/ttbar1": 1}),
        ("ttbar1/reco*", {"hep/ttbar1": 2}),
        ("ttbar1/?eco", {"hep/ttbar1": 2}),
        ("ttbar1/RECO", None),
        ("ttbar*/reco", {"hep/ttbar1": 1, "hep/ttbar2": 1}),
        ("TT*", {"hep/ttbar1": 4, "hep/ttbar2": 4}),
        ("*/simul", {"hep/ttbar1": 1, "hep/ttbar2": 1, "hep/single": 1, "bio/single": 1}),
        ("HEP/*", {"hep/ttbar1": 4, "hep/ttbar2": 4, "hep/single": 4}),
        ("*/single", {"hep/single": 4, "bio/single": 4}),
        ("b*/single/reco", {"bio/single": 1}),
        ("ttbar1/reco ttbar1/simul hep/ttbar2", {"hep/ttbar1": 2, "hep/ttbar2": 4}),
        ("ttbar1/reco ttbar1", {"hep/ttbar1": 4}),
        ("ttbar1/_eco", None),
        ("ttbar1/reco%", None),
        ("[t]*", None),
        ("hep/ttbar1/none", None),
        ("\udc80", None),
    ],
)
def test_a_path_names(paths: Engine, text: str, expected: Mapping[str, int] | None) -> None:
    if expected is None:
        with pytest.raises((NotFound, BadInput)):
            named(paths, text)
    else:
        assert named(paths, text) == expected


def test_a_name_of_several_metatasks_is_refused_whatever_the_condition(paths: Engine) -> None:
    with pytest.raises(BadInput, match="hep/single, bio/single; write the project too"):
        named(paths, "single/reco", "project == 'bio'")


def test_one_is_wanted_where_one_is_wanted(paths: Engine) -> None:
    with reading(paths) as conn, pytest.raises(BadInput, match="2 Meta-Tasks are named, and one is wanted"):
        selection.resolve(conn, "ttbar*")


def test_near_names_are_told(paths: Engine) -> None:
    with pytest.raises(NotFound, match="no Meta-Task 'ttbar3'; did you mean ttbar"):
        named(paths, "ttbar3")
    with pytest.raises(NotFound, match="hep/ttbar1 and 1 more has no task 'rico'; near: reco"):
        named(paths, "ttbar*/rico")


def test_a_condition_alone_asks_all_metatasks(paths: Engine) -> None:
    assert named(paths, "", "downstream_of('simul') and name == 'reco*'") == {
        "hep/ttbar1": 2, "hep/ttbar2": 2, "hep/single": 2, "bio/single": 2,
    }  # fmt: skip
    assert named(paths, "ttbar*", "project == 'HEP' and name == 'reco'") == {"hep/ttbar1": 1, "hep/ttbar2": 1}


def test_a_condition_that_nothing_fits_is_not_found(paths: Engine) -> None:
    with pytest.raises(NotFound, match=r"no task of ttbar1 matches failed > 3"):
        named(paths, "ttbar1", "failed > 3")
    with pytest.raises(BadInput, match="nothing is selected"):
        named(paths, "")


def test_relations_stay_inside_the_named_metatasks(paths: Engine) -> None:
    assert named(paths, "ttbar1", "upstream_of('reco')") == {"hep/ttbar1": 1}


def test_the_metatasks_with_such_a_task(paths: Engine) -> None:
    with reading(paths) as conn:
        found = selection.metatasks_with(conn, "metatask == 'ttbar?' and name == 'reco'", NOW)
        names = conn.execute(sa.select(deft_metatask.c.name).where(deft_metatask.c.id.in_(found))).scalars()
        assert sorted(names) == ["ttbar1", "ttbar2"]


@pytest.mark.parametrize(
    ("text", "one"),
    [("m", True), ("p/m", True), ("m/a*", True), ("m*", False), ("p*/m", False), ("a b", False), ("", False)],
)
def test_which_selections_name_one_metatask(text: str, one: bool) -> None:
    assert selection.names_one(text) is one


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_longest_condition_still_runs(engine: Engine, tmp_path: Path) -> None:
    build.World.of(build.session_on(engine, tmp_path), metatask(a="", b="a"), start=False)
    leaves = ("attr.a>1", "ok == 1", "hold", "name=='*'", "upstream_of('b')")
    with reading(engine) as conn:
        for leaf in leaves:
            text = " or ".join([leaf] * ((language.MAX_TEXT - 100) // (len(leaf) + 4)))
            asked_of_database(conn, text)
        asked_of_database(
            conn, "ok in (" + ",".join(["1"] * 500) + ") or name in (" + ",".join(["'*'"] * 500) + ")"
        )
