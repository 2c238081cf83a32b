"""The verbs that end, undo, retire and change: finish, reset, obsolete, set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from deft.base.database import reading
from deft.base.errors import BadInput, NotFound, Refused
from deft.engine.alter import SetAnswer, SetRequest, set_keys
from deft.engine.export import ExportRequest, export_metatask
from deft.engine.reset import ResetAnswer, ResetRequest, reset
from deft.model.graph import MetaTask
from deft.store import graphs, history
from deft.store.session import Session
from deft.store.tables import deft_dataset, deft_node
from deft.wire.tables import wire_order
from tests.support.build import OPERATOR, World, metatask, with_edge, with_task


def chain(session: Session) -> World:
    return World.of(session, metatask(a="", b="a"))


def all_done(session: Session) -> World:
    """Two tasks, one after the other, both done."""
    world = chain(session)
    for task in "ab":
        world.report(task, ok=1)
        world.sweep()
    assert world.states() == {"a": "done", "b": "done"}
    return world


def row(world: World, task: str) -> dict[str, Any]:
    with reading(world.session.engine) as conn:
        query = sa.select(deft_node).where(deft_node.c.id == world.node(conn, task))
        return dict(conn.execute(query).one()._mapping)


def body(world: World, task: str) -> dict[str, Any]:
    """The body of the last order about a task."""
    with reading(world.session.engine) as conn:
        query = sa.select(wire_order.c.body).where(wire_order.c.task_id == world.node(conn, task))
        return dict(json.loads(conn.execute(query.order_by(wire_order.c.seq.desc())).scalars().first() or ""))


def outputs(world: World, task: str) -> list[tuple[str, int]]:
    """The names of a task's outputs from their series on, and how many orders were given about them."""
    with reading(world.session.engine) as conn:
        d = deft_dataset.c
        query = sa.select(d.name, d.order_seq).where(d.producer_id == world.node(conn, task)).order_by(d.id)
        return [(found.name.rpartition("_")[2], found.order_seq) for found in conn.execute(query)]


def past(world: World, cause: str) -> list[str | None]:
    with reading(world.session.engine) as conn:
        return [one.reason for one in history.of(conn, world.metatask_id) if one.cause == cause]


# --- finish ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "mode"), [("finish", "soft"), ("finish-hard", "hard")])
def test_finish_tells_jedi_how_and_the_task_ends_with_what_it_has(
    session: Session, verb: str, mode: str
) -> None:
    world = chain(session)
    assert world.do(verb, "a").changed == ("a",)
    assert body(world, "a")["mode"] == mode
    world.report("a", ok=1, skipped=1)
    world.sweep()
    assert world.states()["a"] == "finished"


def test_finish_hard_may_follow_on_finish(session: Session) -> None:
    world = chain(session)
    world.do("finish", "a")
    assert world.do("finish", "a").already == 1
    assert world.do("finish-hard", "a").changed == ("a",)
    assert world.orders("a") == ["run", "finish", "finish"]


def test_what_gave_up_can_be_finished(session: Session) -> None:
    world = chain(session)
    world.report("a", ok=1, failed=1)
    world.sweep()
    assert world.states()["a"] == "exhausted"
    world.do("finish", "a")
    world.report("a", ok=1, failed=1)
    world.sweep()
    assert world.states() == {"a": "finished", "b": "running"}


def test_a_task_that_has_not_started_cannot_be_finished(session: Session) -> None:
    with pytest.raises(Refused, match="b is waiting: it has not started; `deft disarm`"):
        chain(session).do("finish", "b")


# --- reset -------------------------------------------------------------------------------------------------


def begin_anew(world: World, task: str = "", **options: Any) -> ResetAnswer:
    selection = f"{world.name}/{task}" if task else world.name
    return reset(world.session, ResetRequest(OPERATOR, selection, **{"discard": True, **options}))


def test_reset_takes_all_that_followed_with_it(session: Session) -> None:
    world = all_done(session)
    answer = begin_anew(world, "a", reason="wrong seed")
    assert answer.changed == ("a", "b")
    assert [(one.task, one.units) for one in answer.discarded] == [("a", 1), ("b", 1)]
    assert world.states() == {"a": "waiting", "b": "waiting"}
    assert world.orders("b") == ["run", "discard"]
    assert [row(world, task)["started"] for task in "ab"] == [0, 0]
    assert [world.membership(task) for task in "ab"] == [["declared"], ["declared"]]
    assert past(world, "reset") == ["wrong seed", "wrong seed"]


def test_reset_gives_outputs_another_series_and_an_order_of_their_own(session: Session) -> None:
    world = all_done(session)
    assert outputs(world, "a") == [("r01", 0)]
    begin_anew(world, "b")
    assert (outputs(world, "a"), outputs(world, "b")) == ([("r01", 0)], [("r02", 1)])
    (why,) = past(world, "discard")
    assert "1 units of default.m.b.data" in (why or "")


def test_a_consumer_does_not_start_on_units_that_are_about_to_be_dropped(session: Session) -> None:
    world = World.of(session, with_edge(metatask(a="", b="a"), "a", "b", start_when="any"))
    for task in "ab":
        world.report(task, ok=1)
        world.sweep()
    begin_anew(world, "a")
    world.sweep()
    assert world.states() == {"a": "running", "b": "waiting"}
    world.sweep(full=True)
    assert world.states()["b"] == "waiting"


def test_reset_is_refused_below_a_task_that_has_not_ended(session: Session) -> None:
    world = chain(session)
    world.report("a", ok=1)
    world.sweep()
    with pytest.raises(Refused, match="b is running: it has not ended; `deft abort` ends it first"):
        begin_anew(world, "a")
    assert world.states() == {"a": "done", "b": "running"}
    assert outputs(world, "a") == [("r01", 0)]


def test_reset_must_say_discard(session: Session) -> None:
    with pytest.raises(BadInput, match="--discard"):
        begin_anew(all_done(session), "a", discard=False)


def test_a_dry_run_of_reset_shows_and_changes_nothing(session: Session) -> None:
    world = all_done(session)
    assert begin_anew(world, dry_run=True).changed == ("a", "b")
    assert world.states() == {"a": "done", "b": "done"}
    assert outputs(world, "a") == [("r01", 0)]


def test_a_key_of_reset_given_again_answers_the_same(session: Session) -> None:
    world = all_done(session)
    assert begin_anew(world, key="k") == begin_anew(world, key="k")
    assert outputs(world, "a") == [("r02", 1)]


def test_what_was_aborted_before_it_started_has_nothing_to_discard(session: Session) -> None:
    world = chain(session)
    world.do("abort", "a")
    world.report("a")
    world.sweep()
    assert world.states() == {"a": "aborted", "b": "aborted"}
    answer = begin_anew(world)
    assert (answer.changed, [one.task for one in answer.discarded]) == (("a", "b"), ["a"])
    assert world.orders("b") == []


# --- obsolete ----------------------------------------------------------------------------------------------


def test_obsolete_retires_outputs_for_good(session: Session) -> None:
    world = all_done(session)
    assert world.do("obsolete", "a").changed == ("a",)
    assert world.membership("a") == ["retired"]
    assert world.do("obsolete", "a").already == 1
    with pytest.raises(Refused, match="a is done: it has retired data"):
        begin_anew(world, "a")
    with pytest.raises(Refused, match="b is done: it has retired data"):
        begin_anew(world, "b")


def test_data_that_somebody_needs_cannot_be_retired(session: Session) -> None:
    world = chain(session)
    world.report("a", ok=1)
    world.sweep()
    with pytest.raises(Refused, match="a is done: it has consumers that have not ended"):
        world.do("obsolete", "a")


# --- set ---------------------------------------------------------------------------------------------------


def put(world: World, task: str, given: Mapping[str, str], **options: Any) -> SetAnswer:
    selection = f"{world.name}/{task}" if task else world.name
    return set_keys(world.session, SetRequest(OPERATOR, selection, given, **options))


def with_parameter(session: Session) -> World:
    """A task `a` whose command takes a parameter of type int, and a task `b` after it; not started."""
    made = MetaTask("m", settings={"param.n": 4, "param.n.type": "int", "param.gone": 1})
    for task in metatask(a="", b="a").tasks:
        made.add(task)
    for edge in metatask(a="", b="a").edges:
        made.join(edge)
    return World.of(session, with_task(made, "a", {"command": "make {param.n} > {output}"}), start=False)


def settings(world: World, task: str) -> dict[str, Any]:
    with reading(world.session.engine) as conn:
        return dict(graphs.load(conn, world.metatask_id).task(task).settings)


def test_set_changes_typed_values_and_the_history_has_the_old_ones(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"), start=False)
    put(world, "a", {"resources.memory_mb": "2000"})
    answer = put(world, "a", {"resources.memory_mb": "4000", "goal": "0.5", "armed": "false"}, reason="big")
    assert [one.task for one in answer.altered] == ["a"]
    assert settings(world, "a")["resources.memory_mb"] == 4000
    assert (row(world, "a")["goal"], row(world, "a")["arms"]) == (0.5, 0)
    told = "armed: nothing -> false; goal: nothing -> 0.5; resources.memory_mb: 2000 -> 4000 (big)"
    assert past(world, "set")[-1] == told
    document = export_metatask(session, ExportRequest(OPERATOR, "m")).content.decode()
    assert '<data key="n.resources.memory_mb">4000</data>' in document


def test_a_task_that_was_started_is_told_to_jedi_anew(session: Session) -> None:
    world = all_done(session)
    put(world, "a", {"retry.max_attempts": "5"})
    assert world.orders("a") == ["run", "spec"]
    assert body(world, "a")["settings"] == {"retry.max_attempts": 5}


def test_a_running_task_is_not_changed(session: Session) -> None:
    world = chain(session)
    with pytest.raises(Refused, match="a is running: it is running; finish or abort it"):
        put(world, "a", {"priority": "1"})
    answer = put(world, "", {"priority": "1"})
    assert ([one.task for one in answer.altered], answer.passed_over) == (["b"], 1)


def test_a_value_that_is_there_already_changes_nothing(session: Session) -> None:
    world = all_done(session)
    put(world, "a", {"priority": "1"})
    assert put(world, "a", {"priority": "1"}).already == 1
    assert world.orders("a") == ["run", "spec"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"resources.memory": "1"}, "near: resources.memory_mb"),
        ({"resources.memory_mb": "many"}, "is no number"),
        ({"resources.memory_mb": "0"}, "is below 1"),
        ({"task": "c"}, "fixed at import"),
        ({"command": "echo {param.nothing}"}, "param.nothing"),
        ({"param.m": "1"}, "there is no parameter 'm'"),
        ({"param.n": "x"}, "is no number"),
        ({"param.gone": "2"}, "filled in at import"),
        ({}, "nothing to set"),
    ],
)
def test_what_cannot_be_set_is_refused_with_a_hint(
    session: Session, given: dict[str, str], says: str
) -> None:
    world = with_parameter(session)
    before = settings(world, "a")
    with pytest.raises(BadInput, match=says):
        put(world, "a", given)
    assert settings(world, "a") == before


def test_a_parameter_is_set_for_a_task_and_taken_away_again(session: Session) -> None:
    world = with_parameter(session)
    put(world, "a", {"param.n": "7"})
    world.do("start")
    world.sweep()
    assert body(world, "a")["params"]["n"] == "7"
    world.report("a", ok=1)
    world.sweep()
    put(world, "a", {}, unset=("param.n",))
    assert body(world, "a")["params"]["n"] == 4


def test_a_command_makes_a_task_complete_and_names_its_outputs(session: Session) -> None:
    made = with_task(metatask(a="", b=""), "a", {"command": ""})
    world = World.of(session, made)
    assert world.states() == {"a": "defined", "b": "running"}
    put(world, "a", {"command": "make > {output.log}"})
    world.sweep()
    assert world.states()["a"] == "running"
    assert [one["type"] for one in body(world, "a")["outputs"]] == ["log"]


def test_a_started_task_keeps_its_outputs(session: Session) -> None:
    world = all_done(session)
    with pytest.raises(Refused, match="b was started, and this command makes other outputs"):
        put(world, "b", {"command": "make > {output.log}"})


def test_numbers_of_a_generator_only_grow_once_it_was_fed(session: Session) -> None:
    world = World.of(session, with_task(metatask(a=""), "a", {"split.jobs": 3}), start=False)
    put(world, "a", {"split.jobs": "2"})
    world.do("start")
    world.sweep()
    assert body(world, "a")["inputs"][0]["synthetic"] == 2


def test_policies_of_an_edge_are_set_by_its_producer(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    put(world, "b", {"start_when": "any", "on_loss": "proceed"}, edge="a")
    world.report("a", running=1, made=1, idle=False)
    world.sweep()
    assert world.states() == {"a": "running", "b": "running"}
    with pytest.raises(NotFound, match="their data come from a"):
        put(World.of(session, metatask("n", a="", b="a")), "b", {"on_loss": "wait"}, edge="c")
    with pytest.raises(BadInput, match="policies may change"):
        put(world, "b", {"type": "x"}, edge="a")
