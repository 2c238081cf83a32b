"""The rules bite: each finds what Oracle would refuse, and lets pass what it takes."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.sql import ClauseElement

from deft.base import wording
from deft.base.database import metadata
from deft.base.idlists import listed
from deft.store.tables import deft_history, deft_node
from tests.oracle import rules, trees

REFUSED = (
    ("SELECT FROM WHERE", "parser"),
    ("SELECT id FROM t LIMIT 5", "LIMIT"),
    ("SELECT x::int FROM t", "PostgreSQL"),
    ("SELECT id FROM t WHERE a ILIKE :b", "comparison that Oracle does not have"),
    ("SELECT id FROM t WHERE hold = TRUE", "boolean"),
    ("SELECT max(a) FILTER (WHERE b = 1) FROM t", "FILTER"),
    ("WITH RECURSIVE a AS (SELECT id FROM t) SELECT id FROM a", "RECURSIVE"),
    ("SELECT id FROM t WHERE a IS NOT DISTINCT FROM :b", "IS DISTINCT FROM"),
    ("INSERT INTO t (a) VALUES (:a) RETURNING id", "RETURNING without INTO"),
    ("SELECT n.id FROM deft_node AS n", "AS before"),
    ("SELECT id FROM t FOR UPDATE SKIP LOCKED FETCH FIRST 1 ROWS ONLY", ""),
    ("SELECT a || b FROM t", "gives the text in Oracle"),
    ("SELECT id FROM t WHERE a = ''", "'' is NULL"),
    (f"SELECT {'x' * 129} FROM t", "longer than 128"),
    ("SELECT t.number FROM t", "number is a reserved word"),
    ("UPDATE t SET a = :mode", ":mode is no name for a bound value"),
    ("SELECT _x FROM t", "does not begin with a letter"),
    ("SELECT group_concat(a) FROM t", "not among those known"),
    ("SELECT json_extract(a, :b) FROM t", "not among those known"),
    ("SELECT a = 1 AS b FROM t", "a condition where a value is wanted"),
    ("SELECT sum(a = 1) FROM t", "a condition where a value is wanted"),
    ("UPDATE t SET a = (b = 1)", "a condition where a value is wanted"),
    ("SELECT EXISTS (SELECT 1 FROM u) FROM t", "a condition where a value is wanted"),
    ("SELECT id FROM t WHERE hold", "a value where a condition is wanted"),
    ("SELECT id FROM t WHERE NOT hold AND a = 1", "a value where a condition is wanted"),
    ("SELECT CASE WHEN hold THEN 1 ELSE 0 END AS x FROM t", "a value where a condition is wanted"),
    ("SELECT id FROM t ORDER BY id FETCH FIRST :n ROWS ONLY FOR UPDATE", "ORA-02014"),
    ("SELECT DISTINCT id FROM t FOR UPDATE", "ORA-02014"),
    ("WITH a AS (SELECT id FROM t) DELETE FROM u WHERE id IN (SELECT id FROM a)", "WITH before"),
    ("WITH a(id) AS (SELECT id FROM t UNION ALL SELECT u.id FROM u JOIN a ON a.id = u.x) SELECT id FROM a",
     "recursive"),
    ("INSERT INTO t (a) VALUES (1), (2)", "several rows"),
    ("UPDATE t SET a = u.a FROM u WHERE u.id = t.id", "UPDATE"),
    ("DELETE FROM t USING u WHERE u.id = t.id", "USING"),
    (f"SELECT id FROM t WHERE id IN ({', '.join(['1'] * 1001)})", "ORA-01795"),
    ("SELECT 1", "SELECT without FROM"),
    ("SELECT t.id, u.id FROM t JOIN u ON u.t = t.id FETCH FIRST 1 ROWS ONLY", "ORA-00918"),
    ("SELECT a, b, count(*) FROM t GROUP BY a", "neither grouped"),
    ("SELECT a, max(b) FROM t", "neither grouped"),
    ("SELECT ok / expected FROM t", "a division of whole numbers"),
)  # fmt: skip

TAKEN = (
    "SELECT id FROM t WHERE id IN (SELECT id FROM JSON_TABLE(:ids, '$[*]' COLUMNS (id NUMBER PATH '$')))",
    'UPDATE t SET "mode" = :"mode" WHERE id = :b_id',
    "INSERT INTO t (a, b) VALUES (:a, :b) RETURNING t.id INTO :ret_0",
    "SELECT id FROM t WHERE NOT (a = 1 OR b LIKE :p ESCAPE '!') FOR UPDATE SKIP LOCKED",
    "SELECT id FROM t WHERE id IN (SELECT id FROM t ORDER BY id FETCH FIRST :n ROWS ONLY) FOR UPDATE",
    "SELECT CASE WHEN a = 1 THEN 1 ELSE 0 END AS b, CAST(c AS FLOAT) / d AS e FROM t JOIN u ON u.x = t.y",
    "SELECT a, count(*) AS n, 1 AS one FROM t GROUP BY a",
    "SELECT id FROM t WHERE says = 'LIMIT || TRUE'",
    "SELECT id FROM t WHERE says LIKE :p || '%' ESCAPE '/'",
)  # fmt: skip


@pytest.mark.parametrize(("text", "says"), REFUSED, ids=[text[:50] for text, _ in REFUSED])
def test_what_oracle_refuses_is_found(text: str, says: str) -> None:
    assert any(says in fault for fault in rules.judged(text)), rules.judged(text)


@pytest.mark.parametrize("text", TAKEN)
def test_what_oracle_takes_passes(text: str) -> None:
    assert rules.judged(text) == []


H, N = deft_history.c, deft_node.c
CLOBS: tuple[tuple[ClauseElement, str], ...] = (
    (sa.select(H.id).where(H.reason == "x"), "a CLOB is compared"),
    (sa.select(H.id).where(H.reason.in_(["x"])), "a CLOB is compared"),
    (sa.select(H.id).where(sa.func.coalesce(H.reason, N.reason) == "x"), "a CLOB is compared"),
    (sa.select(H.reason).distinct(), "SELECT DISTINCT"),
    (sa.select(sa.func.count()).group_by(H.reason), "GROUP BY a CLOB"),
    (sa.select(H.id).order_by(H.reason.desc()), "ORDER BY a CLOB"),
    (sa.select(sa.func.max(H.reason)), "the largest of CLOBs"),
    (sa.union(sa.select(H.reason), sa.select(N.reason)), "a CLOB in a UNION"),
    (sa.select(sa.func.coalesce(H.reason, H.cause)), "ORA-00932"),
    (sa.select(sa.func.coalesce(sa.bindparam("given", type_=sa.Text), H.reason)), "ORA-00932"),
    (sa.select(sa.case((H.id == 1, H.reason), else_=H.cause)), "ORA-00932"),
)


@pytest.mark.parametrize(("statement", "says"), CLOBS)
def test_a_clob_is_kept_out_of_what_it_cannot_do(statement: ClauseElement, says: str) -> None:
    _, faults = trees.judged(statement, [])
    assert any(says in fault for fault in faults), faults


@pytest.mark.parametrize(
    "statement",
    [
        sa.select(H.id).where(wording.same(H.reason, "x"), H.reason.is_not(None)),
        sa.select(sa.func.coalesce(H.reason, N.reason).label("why")).join(deft_node, N.id == H.node_id),
        sa.union_all(sa.select(H.reason), sa.select(N.reason)),
        sa.insert(deft_history).values(reason="x"),
        sa.delete(deft_node).where(listed(N.id)),
    ],
)
def test_what_a_clob_can_do_passes(statement: Any) -> None:
    _, faults = trees.judged(statement, [])
    assert faults == []


def test_a_reserved_word_is_quoted_by_the_compiler_or_found() -> None:
    made = sa.Table("t", sa.MetaData(), *(sa.Column(word, sa.Integer) for word in ("number", "file", "kind")))
    text, faults = trees.judged(sa.select(made), [])
    assert '"number"' in text
    assert faults == ["file is a reserved word"]
    assert "t" not in metadata.tables
