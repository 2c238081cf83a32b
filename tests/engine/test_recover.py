"""Recover: which tasks take part, what JEDI is told, and what it would cost."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from deft.access.roles import Actor, Role
from deft.base.database import reading, writing
from deft.base.errors import NotAllowed, Refused, Unreachable
from deft.engine import recover
from deft.engine.recover import RecoverRequest
from deft.observe import status
from deft.store.session import Session
from deft.store.tables import deft_dataset
from deft.wire import mailbox
from deft.wire.reports import DatasetReport
from deft.wire.tables import wire_order
from tests.engine.losses import NOBODY, answering, do, done_chain, last_order, lose
from tests.support.build import OPERATOR, World, metatask

# --- recover -----------------------------------------------------------------------------------------------


def test_recover_sets_the_task_that_lost_something_to_work_and_all_are_done_again(session: Session) -> None:
    world = done_chain(session)
    lose(world, "a")
    answer = do(world)
    assert [(one.task, one.part, one.lost) for one in answer.tasks] == [("a", "lost", 1)]
    assert (answer.passed_over, world.states()["a"], world.membership("a")) == (2, "running", ["open"])
    assert last_order(world, "a")["lost"] is True
    world.sweep()
    assert world.states() == {"a": "running", "b": "running", "c": "running"}
    for task in ("a", "b", "c"):
        world.report(task, ok=2)
        world.sweep()
    assert world.states() == {"a": "done", "b": "done", "c": "done"}


def test_lost_input_is_recovered_too_by_its_producer_and_consumers_are_told_first(session: Session) -> None:
    world = done_chain(session)
    lose(world, "a")
    lose(world, "b")
    answer = do(world, "b")
    assert [(one.task, one.part) for one in answer.tasks] == [("a", "input"), ("b", "lost")]
    body = last_order(world, "a")
    assert (body["lost"], body["awaited"]) == (False, True)
    with reading(session.engine) as conn:
        kinds = (
            sa.select(wire_order.c.task_id).where(wire_order.c.kind == "recover").order_by(wire_order.c.id)
        )
        assert list(conn.execute(kinds).scalars()) == [world.node(conn, "b"), world.node(conn, "a")]


def test_depth_says_how_far_up(session: Session) -> None:
    world = done_chain(session)
    for task in ("a", "b", "c"):
        lose(world, task)
    assert [one.task for one in do(world, "c", depth=1).tasks] == ["b", "c"]


def test_with_consumers_those_that_used_it_use_it_again(session: Session) -> None:
    world = done_chain(session)
    lose(world, "a")
    answer = do(world, "a", consumers=True)
    assert [(one.task, one.part) for one in answer.tasks] == [("a", "lost"), ("b", "consumer")]
    body = last_order(world, "b")
    assert (body["lost"], len(body["used"]), world.states()["b"]) == (False, 1, "running")


def test_recover_under_hold_says_so_to_jedi(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    world.report("a", ok=2)
    world.sweep()
    lose(world, "a")
    world.do("hold", mode="kill")
    do(world, "a")
    assert last_order(world, "a")["held"] == "kill"


def test_recover_is_refused_where_nothing_is_lost_and_says_how_to_look(session: Session) -> None:
    world = done_chain(session)
    with pytest.raises(Refused, match=r"known to be lost; `deft scan`"):
        do(world)
    with pytest.raises(Refused, match="it has lost nothing"):
        do(world, "a")


def test_recover_of_retired_data_is_refused(session: Session) -> None:
    world = done_chain(session)
    lose(world, "c")
    world.do("obsolete", "c")
    with pytest.raises(Refused, match="retired"):
        do(world, "c")


def test_recover_given_again_with_its_key_does_nothing_more(session: Session) -> None:
    world = done_chain(session)
    lose(world, "a")
    first = do(world, key="once")
    assert do(world, key="once") == first
    assert world.orders("a").count("recover") == 1


def test_an_observer_may_not_recover(session: Session) -> None:
    done_chain(session)
    with pytest.raises(NotAllowed, match="operator"):
        recover.recover(session, RecoverRequest(Actor("eve", Role.OBSERVER), "m"))


def test_lost_data_from_outside_are_noted(session: Session) -> None:
    world = World.of(session, metatask(entry="", a="entry"))
    world.list_external(available=2)
    world.sweep()
    world.report("a", ok=2)
    world.sweep()
    with writing(session.engine) as conn:
        entry = conn.execute(sa.select(deft_dataset.c.id).where(deft_dataset.c.sources.is_not(None))).scalar()
        told = DatasetReport(entry or 0, order_seq_applied=1, available=1, lost=1, version=2)
        mailbox.report_datasets(conn, [told])
    lose(world, "a")
    assert "comes from outside and has lost 1 files" in do(world).notes[0]


# --- what it would do --------------------------------------------------------------------------------------


def test_a_dry_run_tells_what_jedi_answers_and_changes_no_state(session: Session) -> None:
    world = done_chain(session)
    lose(world, "b")

    def told(order: Any) -> dict[str, Any]:
        assert order.body["dry_run"] is True
        return {"tasks": [{"task_id": order.task_id, "jobs": 1, "numbers": [4], "units": 2, "waiting": 0,
                           "cpu_s": 1.5, "lost": ["/data/b/000004"]}]}  # fmt: skip

    plan = recover.dry_run(session, RecoverRequest(OPERATOR, "m"), answering(told))
    assert [(one.task, one.numbers, one.cpu_s, one.lost) for one in plan.tasks] == [
        ("b", (4,), 1.5, ("/data/b/000004",))
    ]
    assert set(world.states().values()) == {"done"}


def test_without_jedi_a_dry_run_ends_as_unreachable(session: Session) -> None:
    world = done_chain(session)
    lose(world, "b")
    with pytest.raises(Unreachable, match="deft jedi run"):
        recover.dry_run(session, RecoverRequest(OPERATOR, "m"), NOBODY)


def test_a_refusal_of_jedi_is_raised_and_shown(session: Session) -> None:
    world = done_chain(session)
    lose(world, "b")
    refusing = answering(lambda _: {"refused": "no such thing"})
    with pytest.raises(Refused, match="JEDI refused it: no such thing"):
        recover.dry_run(session, RecoverRequest(OPERATOR, "m"), refusing)
    notes = status.status(session, OPERATOR, "m").notes
    assert any("JEDI refused to recover b: no such thing" in note for note in notes)
    assert any("1 lost of default.m.b" in note for note in notes)
