"""Scan, augment and close: what they order and what becomes of tasks; JEDI's part is played by hand."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa

from deft.base.clock import ManualClock
from deft.base.database import reading, writing
from deft.base.errors import BadInput, NotFound, Refused, Unreachable
from deft.data import folder
from deft.engine import augment, recover, scan
from deft.engine.augment import AugmentRequest, CloseRequest
from deft.engine.export import ExportRequest, export_metatask
from deft.engine.recover import RecoverRequest
from deft.engine.scan import ScanRequest
from deft.store.session import Session
from deft.store.tables import deft_dataset
from deft.wire import mailbox
from deft.wire.orders import OrderKind
from deft.wire.reports import DatasetReport
from deft.wire.tables import wire_order
from tests.engine.losses import NOBODY, answering, lose
from tests.support.build import OPERATOR, World, metatask, with_edge

# --- looking again -----------------------------------------------------------------------------------------


def test_a_scan_orders_a_look_at_what_was_made_and_what_was_listed(session: Session) -> None:
    world = World.of(session, metatask(entry="", a="entry", b="a"))
    world.list_external(available=2)
    world.sweep()
    world.report("a", ok=2)
    bodies = []

    def told(order: Any) -> dict[str, Any]:
        bodies.append(order.body)
        return {"available": 2, "missing": 1, "lost": 1}

    with writing(session.engine) as conn:
        mailbox.acknowledge(conn, [one.id for one in mailbox.pending(conn)], session.clock.now())
    answer = scan.scan(session, ScanRequest(OPERATOR, "m"), answering(told))
    assert [(body["produced"], bool(body["sources"])) for body in bodies] == [(False, True), (True, False)]
    assert (answer.missing, [one.made for one in answer.datasets]) == (2, [False, True])


def open_world(session: Session, **settings: Any) -> World:
    made = with_edge(metatask(entry="", a="entry"), "entry", "a", open=True, start_when="any", **settings)
    world = World.of(session, made)
    world.list_external(available=1)
    world.sweep()
    return world


def test_an_open_dataset_is_listed_again_when_its_period_is_over(session: Session) -> None:
    open_world(session, rescan_s=60)
    clock = session.clock
    assert isinstance(clock, ManualClock)
    assert scan.rescan(session) == 0
    clock.advance(61)
    assert scan.rescan(session) == 1
    clock.advance(61)
    assert scan.rescan(session) == 0  # the last one is not applied yet


def test_a_closed_dataset_is_not_listed_again(session: Session) -> None:
    open_world(session)
    augment.close(session, CloseRequest(OPERATOR, "m"))
    clock = session.clock
    assert isinstance(clock, ManualClock)
    clock.advance(timedelta(days=1).total_seconds())
    assert scan.rescan(session) == 0


# --- augment and close -------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "more"
    folder.mkdir()
    for name in ("x.dat", "y.dat"):
        (folder / name).write_text(name)
    return folder


def more(world: World, *names: str, **options: Any) -> augment.AugmentAnswer:
    return augment.augment(world.session, AugmentRequest(OPERATOR, world.name, names, **options), NOBODY)


def membership(world: World) -> tuple[str, int]:
    with reading(world.session.engine) as conn:
        d = deft_dataset.c
        row = conn.execute(sa.select(d.membership, d.revision).where(d.sources.is_not(None))).one()
    return row.membership, row.revision


def done_with_files(session: Session) -> World:
    world = World.of(session, metatask(entry="", a="entry", b="a"))
    world.list_external(available=1)
    world.sweep()
    for task in ("a", "b"):
        world.report(task, ok=1)
        world.sweep()
    assert set(world.states().values()) == {"done"}
    return world


def test_augment_orders_growth_and_a_closed_dataset_gets_a_new_revision(
    session: Session, files: Path
) -> None:
    world = done_with_files(session)
    answer = more(world, "*.dat", folder=files)
    assert (answer.given, answer.counted, answer.later) == (2, False, False)
    assert membership(world) == ("closed", 2)
    with reading(session.engine) as conn:
        (order,) = mailbox.pending(conn)
    assert (order.kind, order.body["units"]) == (
        OrderKind.GROW,
        [str(files / "x.dat"), str(files / "y.dat")],
    )


def test_a_done_task_reopens_for_new_units_and_downstream_follows(session: Session, files: Path) -> None:
    world = done_with_files(session)
    more(world, "*.dat", folder=files)
    with writing(session.engine) as conn:
        (order,) = mailbox.pending(conn)
        mailbox.acknowledge(conn, [order.id], session.clock.now())
        told = DatasetReport(order.dataset_id or 0, order.seq, available=3, version=2)
        mailbox.report_datasets(conn, [told])
    world.report("a", ok=1, unfed=2)
    world.sweep()
    assert world.states() == {"a": "running", "b": "running"}
    world.report("a", ok=3)
    world.report("b", ok=1, unfed=2)
    world.sweep()
    world.report("b", ok=3)
    world.sweep()
    assert world.states() == {"a": "done", "b": "done"}


def test_the_files_given_are_among_the_sources_and_in_an_export(session: Session, files: Path) -> None:
    world = done_with_files(session)
    more(world, "x.dat", folder=files)
    more(world, "x.dat", folder=files)
    text = export_metatask(session, ExportRequest(OPERATOR, "m")).content.decode()
    assert f'["/nowhere/*.dat","{files}/x.dat"]' in text.replace("&quot;", '"')


def test_before_the_first_listing_the_files_only_join_the_sources(session: Session, files: Path) -> None:
    world = World.of(session, metatask(entry="", a="entry"), start=False)
    assert more(world, "x.dat", folder=files).later
    world.do("start")
    world.sweep()
    with reading(session.engine) as conn:
        (order,) = mailbox.pending(conn)
    assert order.body["sources"] == ["/nowhere/*.dat", str(files / "x.dat")]


def test_a_file_that_does_not_exist_is_refused_before_anything_is_written(
    session: Session, files: Path
) -> None:
    world = done_with_files(session)
    with pytest.raises(BadInput, match=r"there is no file z\.dat") as fault:
        more(world, "x.dat", "z.dat", "*.txt", folder=files)
    assert len(fault.value.findings) == 2
    assert membership(world) == ("closed", 1)


@pytest.mark.parametrize("name", ["entry", "dat", "default.m.entry.dat.t00000001_r01"])
def test_a_dataset_is_named_by_its_entry_its_type_or_its_name(
    session: Session, files: Path, name: str
) -> None:
    made = with_edge(metatask(entry="", a="entry"), "entry", "a", type="dat")
    world = World.of(session, made)
    assert more(world, "x.dat", folder=files, dataset=name).given == 1


def test_another_name_is_refused_with_near_ones_and_made_data_with_the_rule(
    session: Session, files: Path
) -> None:
    world = done_with_files(session)
    with pytest.raises(NotFound, match="near: entry"):
        more(world, "x.dat", folder=files, dataset="entri")
    with pytest.raises(Refused, match="made by a task"):
        more(world, "x.dat", folder=files, dataset="b")


def test_a_metatask_without_data_from_outside_takes_none(session: Session, files: Path) -> None:
    world = World.of(session, metatask(a=""))
    with pytest.raises(Refused, match="no data from outside"):
        more(world, "x.dat", folder=files)


def test_retired_data_take_nothing_more(session: Session, files: Path) -> None:
    world = done_with_files(session)
    with writing(session.engine) as conn:
        conn.execute(sa.update(deft_dataset).values(membership="retired"))
    with pytest.raises(Refused, match="retired"):
        more(world, "x.dat", folder=files)


def test_close_lets_a_task_that_waits_for_the_rest_end(session: Session) -> None:
    world = open_world(session)
    world.report("a", ok=1)
    world.sweep()
    assert (world.states(), membership(world)) == ({"a": "running"}, ("open", 1))
    answer = augment.close(session, CloseRequest(OPERATOR, "m"))
    assert (answer.already, membership(world)) == (False, ("closed", 1))
    with writing(session.engine) as conn:
        (order,) = mailbox.pending(conn)
        assert order.kind is OrderKind.CLOSE
        mailbox.acknowledge(conn, [order.id], session.clock.now())
        told = DatasetReport(order.dataset_id or 0, order.seq, available=1, version=1)
        mailbox.report_datasets(conn, [told])
    world.sweep()
    assert world.states() == {"a": "done"}


def test_close_of_what_is_closed_changes_nothing_and_a_dataset_is_named_alone(session: Session) -> None:
    world = open_world(session)
    name = "default.m.entry.data.t00000001_r01"
    assert not augment.close(session, CloseRequest(OPERATOR, name)).already
    assert augment.close(session, CloseRequest(OPERATOR, name)).already
    assert world.states() == {"a": "running"}
    with pytest.raises(NotFound):
        augment.close(session, CloseRequest(OPERATOR, "default.m.zzz"))


def test_a_dataset_closed_before_it_is_listed_is_closed_by_the_listing(session: Session) -> None:
    made = with_edge(metatask(entry="", a="entry"), "entry", "a", open=True)
    world = World.of(session, made)
    augment.close(session, CloseRequest(OPERATOR, "m"))
    world.list_external(available=1)
    with writing(session.engine) as conn:
        for order in mailbox.pending(conn):
            told = DatasetReport(order.dataset_id or 0, order.seq, available=1, version=1)
            mailbox.report_datasets(conn, [told])
    world.sweep()
    assert membership(world) == ("closed", 1)


def test_every_order_about_data_is_valid_by_the_schema(session: Session, files: Path) -> None:
    schema = json.loads((folder("schemas") / "order.schema.json").read_text(encoding="utf-8"))
    world = done_with_files(session)
    lose(world, "a")
    recover.recover(session, RecoverRequest(OPERATOR, "m/a", consumers=True))
    more(world, "x.dat", folder=files)
    for ask in (
        lambda: recover.dry_run(session, RecoverRequest(OPERATOR, "m/a"), NOBODY),
        lambda: scan.scan(session, ScanRequest(OPERATOR, "m"), NOBODY),
    ):
        with pytest.raises(Unreachable):
            ask()
    with reading(session.engine) as conn:
        rows = conn.execute(sa.select(wire_order.c.kind, wire_order.c.body)).all()
    assert {"recover", "grow", "scan"} <= {row.kind for row in rows}
    for row in rows:
        jsonschema.validate(json.loads(row.body), schema)
