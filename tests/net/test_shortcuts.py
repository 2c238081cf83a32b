"""What makes evaluation cheap may change nothing: merged guards, and changes that no consumer can tell."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from deft.base import guards
from deft.base.database import writing
from deft.base.idlists import listed
from deft.base.merging import merged, passes
from deft.model import net, visibility
from deft.model.tasks import Membership, State
from deft.model.verbs import VERBS
from deft.store import guards as in_sql
from deft.store.tables import deft_node
from tests.support import build

SHAPE = {"a": "", "b": "", "entry": "", "c": "a b entry", "d": "c a"}
ROWS = (*net.AUTOMATIC, *(row for verb in VERBS.values() for row in verb.rows))
OUTPUTS = {
    State.DEFINED: Membership.DECLARED,
    State.WAITING: Membership.DECLARED,
    State.RUNNING: Membership.OPEN,
}


def markings(engine: Engine, conn: Connection, seed: int) -> dict[int, dict[str, Any]]:
    """Tasks with random tokens, by id."""
    build.randomize(conn, random.Random(seed))
    ids = conn.execute(sa.select(deft_node.c.id).where(deft_node.c.kind == "task")).scalars().all()
    return in_sql.tokens_of(conn, list(ids))


def filled(engine: Engine, tmp_path: Path, metatasks: int) -> None:
    session = build.session_on(engine, tmp_path)
    for number in range(metatasks):
        build.World.of(session, build.metatask(f"m{number}", **SHAPE), start=False)


@pytest.mark.parametrize("seed", range(6))
def test_a_merged_guard_says_the_same_in_memory_and_in_sql(engine: Engine, tmp_path: Path, seed: int) -> None:
    filled(engine, tmp_path, 12)
    with writing(engine) as conn:
        tokens = markings(engine, conn, seed)
        for row in ROWS:
            expected = {one for one in tokens if guards.evaluate(row.expr, tokens[one])}
            assert {one for one in tokens if guards.evaluate(merged(row.expr), tokens[one])} == expected, (
                row.name
            )
            found = in_sql.first_enabled(conn, list(tokens), (row,))
            assert {task.id for _, task in found} == expected, row.name


def test_merging_never_makes_a_guard_go_through_a_collection_more_often() -> None:
    for row in ROWS:
        assert passes(merged(row.expr)) <= passes(row.expr), row.name


def test_all_that_must_hold_of_every_input_is_asked_in_one_pass() -> None:
    assert passes(net.row("finalize-done").expr) > 1
    assert passes(merged(net.row("finalize-done").expr)) == 1


def test_a_task_that_starts_looks_to_its_consumers_as_it_did_while_it_waited() -> None:
    assert not visibility.concerns_consumers(net.row("start"), "waiting")
    assert visibility.concerns_consumers(net.row("finalize-done"), "running")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(6))
def test_a_change_that_concerns_no_consumer_alters_no_guard_of_one(
    engine: Engine, tmp_path: Path, seed: int
) -> None:
    filled(engine, tmp_path, 12)
    with writing(engine) as conn:
        tokens = markings(engine, conn, seed)
    for task in tokens.values():
        for item in task["inputs"]:
            if item["producer"] == "none" or item["membership"] == Membership.RETIRED:
                continue
            for row in net.AUTOMATIC:
                old = State(item["producer"])
                if not visibility.concerns_consumers(row, old):
                    before = {**item, "membership": OUTPUTS.get(old, Membership.CLOSED).value}
                    after = {**before, "producer": (row.state or old).value}
                    after |= {} if row.outputs is None else {"membership": row.outputs.value}
                    assert enabled(task, item, before) == enabled(task, item, after), row.name


def enabled(task: dict[str, Any], item: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """The automatic rows that are enabled with `other` in the place of one input."""
    inputs = [other if one is item else one for one in task["inputs"]]
    return {row.name for row in net.AUTOMATIC if guards.evaluate(row.expr, {**task, "inputs": inputs})}


def test_a_list_of_ids_is_one_bound_value_on_every_database(engine: Engine, tmp_path: Path) -> None:
    filled(engine, tmp_path, 1)
    query = sa.select(deft_node.c.id).where(listed(deft_node.c.id))
    with writing(engine) as conn:
        ids = list(conn.execute(sa.select(deft_node.c.id)).scalars())
        assert set(conn.execute(query, {"ids": [*ids, 10**9]}).scalars()) == set(ids)
        assert conn.execute(query, {"ids": []}).all() == []
