"""Orders: what DEFT writes is what the schema says, and what JEDI reads."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base.clock import ManualClock
from deft.base.database import reading, writing
from deft.base.errors import BadInput
from deft.data import folder
from deft.wire import mailbox, orders
from deft.wire.orders import Order, OrderKind
from deft.wire.reports import DatasetReport, TaskReport
from deft.wire.tables import wire_dataset, wire_order, wire_task
from tests.support.build import World, metatask, session_on

NOW = ManualClock().now()


def test_every_order_given_is_valid_by_the_schema(engine: Engine, tmp_path: Path) -> None:
    schema = json.loads((folder("schemas") / "order.schema.json").read_text(encoding="utf-8"))
    world = World.of(session_on(engine, tmp_path), metatask(entry="", a="entry", b="a"))
    world.list_external(available=1)
    world.sweep()
    world.do("hold", "a", mode="kill")
    world.do("resume", "a")
    world.do("abort", "a")
    with reading(engine) as conn:
        bodies = list(conn.execute(sa.select(wire_order.c.body)).scalars())
    assert len(bodies) == 5
    for body in bodies:
        jsonschema.validate(json.loads(body), schema)


def test_a_task_comes_back_from_its_order_unchanged(engine: Engine) -> None:
    spec = orders.TaskSpec(
        1, 2, "p", "m", "t", "echo {input}", params={"x": 1.5}, env={"A": "b"},
        inputs=(orders.Input(3, 4, "d", "data", reduce=True),),
        outputs=(orders.Output(5, "o", "hist", "root"),),
    )  # fmt: skip
    order = Order(OrderKind.RUN, 1, "t1-1", orders.dump(spec), task_id=1)
    with writing(engine) as conn:
        mailbox.post(conn, [order], NOW)
        (pending,) = mailbox.pending(conn)
    assert orders.load_task(pending.body) == spec


def test_a_body_of_a_newer_version_is_refused() -> None:
    with pytest.raises(BadInput, match="upgrade"):
        orders.load_task({"v": 99})


def test_keys_of_a_later_minor_change_are_ignored() -> None:
    body = orders.dump(orders.Scan(1, "d", ("/x",))) | {"since": "later"}
    assert orders.load_scan(body) == orders.Scan(1, "d", ("/x",))


def test_the_same_order_cannot_be_given_twice(engine: Engine) -> None:
    order = Order(OrderKind.HOLD, 1, "t1-1", {"v": 1}, task_id=1)
    with writing(engine) as conn:
        mailbox.post(conn, [order], NOW)
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as conn:
        mailbox.post(conn, [order], NOW)


def test_an_acknowledged_order_is_pending_no_more(engine: Engine) -> None:
    with writing(engine) as conn:
        mailbox.post(conn, [Order(OrderKind.HOLD, n, f"t1-{n}", {"v": 1}, task_id=1) for n in (1, 2)], NOW)
        first, second = mailbox.pending(conn)
        mailbox.acknowledge(conn, [first.id], NOW)
        assert [one.id for one in mailbox.pending(conn)] == [second.id]


def test_a_report_overwrites_the_one_before_and_is_told_in_the_journal_each_time(engine: Engine) -> None:
    with writing(engine) as conn:
        mailbox.report_tasks(conn, [TaskReport(1, ok=1), TaskReport(2)], NOW)
        mailbox.report_tasks(conn, [TaskReport(1, ok=5, idle=True), TaskReport(3)], NOW)
        mailbox.report_datasets(conn, [DatasetReport(9, available=4)])
        rows = conn.execute(sa.select(wire_task.c.task_id, wire_task.c.ok, wire_task.c.idle)).all()
        assert sorted(map(tuple, rows)) == [(1, 5, 1), (2, 0, 0), (3, 0, 0)]
        assert conn.execute(sa.select(wire_dataset.c.available)).scalar() == 4
        assert mailbox.take_changed(conn, 10)[:2] == ({1, 2, 3}, {9})
        assert mailbox.take_changed(conn, 10) == (set(), set(), 0)


def test_an_answer_belongs_to_its_order(engine: Engine) -> None:
    with writing(engine) as conn:
        mailbox.post(conn, [Order(OrderKind.SCAN, n, f"d1-{n}", {"v": 1}, dataset_id=1) for n in (1, 2)], NOW)
        first, second = mailbox.pending(conn)
        mailbox.answer(conn, first.id, {"jobs": 3}, NOW)
        assert mailbox.answer_of(conn, first.id) == {"jobs": 3}
        assert mailbox.answer_of(conn, second.id) is None
