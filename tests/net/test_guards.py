"""Guards: one expression, evaluated in memory and in SQL, and the two never differ."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base import guards
from deft.base.database import writing
from deft.base.guards import GuardError
from deft.model import net
from deft.model.verbs import VERBS
from deft.store import guards as in_sql
from deft.store.tables import deft_node
from tests.proof.exclusive import BESIDE, TOGETHER
from tests.support import build

SHAPES = {
    "chain": {"entry": "", "a": "entry", "b": "a", "c": "b"},
    "diamond": {"a": "", "b": "a", "c": "a", "d": "b c"},
    "fan_in": {"a": "", "b": "", "entry": "", "c": "a b entry", "d": "c a"},
}


@pytest.mark.parametrize("seed", range(12))
def test_memory_and_sql_agree_on_every_guard_of_random_markings(
    engine: Engine, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    session = build.session_on(engine, tmp_path)
    for name, shape in SHAPES.items():
        for number in range(4):
            build.World.of(session, build.metatask(f"{name}{number}", **shape), start=False)
    with writing(engine) as conn:
        build.randomize(conn, draw)
        ids = list(conn.execute(sa.select(deft_node.c.id).where(deft_node.c.kind == "task")).scalars())
        tokens = in_sql.tokens_of(conn, ids)
        for row in (*net.AUTOMATIC, *(row for verb in VERBS.values() for row in verb.rows)):
            expected = {one for one in ids if guards.evaluate(row.expr, tokens[one])}
            assert in_sql.holding(conn, ids, row.expr) == expected, row.name


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_no_two_automatic_rows_are_enabled_at_once(engine: Engine, tmp_path: Path, seed: int) -> None:
    session = build.session_on(engine, tmp_path)
    for number in range(200):
        build.World.of(session, build.metatask(f"m{number}", **SHAPES["diamond"]), start=False)
    with writing(engine) as conn:
        build.randomize(conn, random.Random(seed))
        ids = list(conn.execute(sa.select(deft_node.c.id)).scalars())
        tokens = in_sql.tokens_of(conn, ids)
    for one in tokens.values():
        enabled = {row.name for row in net.AUTOMATIC if guards.evaluate(row.expr, one)}
        conflicts = enabled - BESIDE
        assert len(conflicts) <= 1 or any(conflicts <= pair for pair in TOGETHER), enabled


def test_a_guard_reads_items_and_the_task_they_belong_to() -> None:
    expr = net.VOCABULARY.parse("every(inputs, available > 0 or task.force)")
    empty = {"available": 0}
    assert not guards.evaluate(expr, {"force": 0, "inputs": [empty]})
    assert guards.evaluate(expr, {"force": 1, "inputs": [empty]})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("armd", "neither a token nor a word"),
        ("armed and", "syntax"),
        ("True", "not a constant"),
        ("__import__('os')", "not in the grammar"),
        ("state.upper()", "not in the grammar"),
        ("every(inputs, every(outputs, membership == 'open'))", "only every, some and total"),
        ("every(things, available)", "no collection"),
        ("1 < ok < 2", "not in the grammar"),
        ("ok is failed", "compared"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused(text: str, says: str) -> None:
    with pytest.raises(GuardError, match=says):
        net.VOCABULARY.parse(text)


def test_every_word_and_row_of_the_net_parses() -> None:
    for scope, words in net.WORDS.items():
        for word in words:
            net.VOCABULARY.parse(word, scope)
    for verb in VERBS.values():
        for text in (verb.already, *(guard for guard, _ in verb.refusals)):
            assert not text or net.VOCABULARY.parse(text)
