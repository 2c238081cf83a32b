"""What a statement must be before it is a text: rules on its tree, where the types of columns are known.

A CLOB (every column of type Text) is compared with nothing, ordered and grouped by nothing in Oracle, and
stands in one COALESCE or CASE with CLOBs only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.oracle import oracledb
from sqlalchemy.sql import ClauseElement, ColumnElement, operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, Case, Null
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import CompoundSelect

from tests.oracle import rules

ORACLE: sa.Dialect = oracledb.dialect()  # type: ignore[no-untyped-call]
_COMPARE = frozenset(
    {operators.eq, operators.ne, operators.lt, operators.le, operators.gt, operators.ge, operators.in_op,
     operators.not_in_op, operators.between_op}
)  # fmt: skip


def judged(element: ClauseElement, keys: Sequence[str]) -> tuple[str, list[str]]:
    """The text of a statement for Oracle, and what is wrong with it."""
    text = text_of(element, keys)
    faults = dict.fromkeys([*rules.judged(text), *_clobs(element)])
    return text, list(faults)


def text_of(element: ClauseElement, keys: Sequence[str] = ()) -> str:
    """A statement in Oracle's words; lists that are filled in later stand there with one item."""
    text = str(element.compile(dialect=ORACLE, column_keys=list(keys) or None))
    return re.sub(r"__\[POSTCOMPILE_(\w+)\]", r":\1", text)


def _clobs(element: ClauseElement) -> Iterator[str]:
    for node in visitors.iterate(element):
        match node:
            case BinaryExpression(operator=operator) if operator in _COMPARE:
                if _is_clob(node.left) or _is_clob(node.right):
                    yield f"a CLOB is compared: {_shown(node)}"
            case Case():
                yield from _mixed(node, [*(then for _, then in node.whens), node.else_])
            case FunctionElement(name="coalesce"):
                yield from _mixed(node, list(node.clauses))
            case FunctionElement(name="max" | "min" | "greatest" | "least"):
                if any(map(_is_clob, node.clauses)):
                    yield f"the largest of CLOBs: {_shown(node)}"
            case sa.Select():
                yield from _of_select(node)
            case CompoundSelect():
                if "ALL" not in node.keyword.name and any(map(_is_clob, node.selected_columns)):
                    yield "a CLOB in a UNION"


def _of_select(select: sa.Select[Any]) -> Iterator[str]:
    if select._distinct and any(map(_is_clob, select.selected_columns)):
        yield "a CLOB in a SELECT DISTINCT"
    if any(map(_is_clob, select._group_by_clauses)):
        yield "GROUP BY a CLOB"
    for one in select._order_by_clauses:
        if any(_is_clob(part) for part in visitors.iterate(one) if isinstance(part, ColumnElement)):
            yield f"ORDER BY a CLOB: {_shown(one)}"


def _mixed(node: ClauseElement, parts: Sequence[Any]) -> Iterator[str]:
    given = [part for part in parts if part is not None and not isinstance(part, Null)]
    clobs = sum(map(_is_clob, given))
    if 0 < clobs < len(given):
        yield f"CLOBs and others in one (ORA-00932): {_shown(node)}"


def _is_clob(part: Any) -> bool:
    """A bound text is none: the driver hands it over as a string."""
    if isinstance(part, BindParameter):
        return False
    return isinstance(getattr(part, "type", None), sa.Text)


def _shown(node: ClauseElement) -> str:
    return " ".join(str(node).split())[:100]
