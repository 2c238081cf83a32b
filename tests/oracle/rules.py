"""What the text of a statement must be so that Oracle takes it: to a parser, and by rules of our own.

The parser forgives much (LIMIT, booleans, `::`), so the rules carry the weight. Each yields what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

import sqlglot
from sqlglot import exp

from tests.oracle.reserved import WORDS

LONGEST_NAME = 128  # bytes, since 12.2; 30 before
LONGEST_LIST = 1000

Rule: TypeAlias = "Callable[[str, exp.Expr], Iterator[str]]"


def judged(text: str) -> list[str]:
    """What is wrong with a text that is meant for Oracle."""
    try:
        parsed = sqlglot.parse_one(text, read="oracle")
    except sqlglot.errors.SqlglotError as fault:
        return [f"the parser of Oracle's SQL does not take it: {str(fault).splitlines()[0]}"]
    bare = re.sub(r"'(?:[^']|'')*'", "''", text)
    return [fault for rule in RULES for fault in rule(bare, parsed)]


# --- words and names ---------------------------------------------------------------------------------------

_ELSEWHERE = (
    (r"\bLIMIT\b", "LIMIT; Oracle says FETCH FIRST"),
    (r"::|->|@>|\?\|", "an operator of PostgreSQL"),
    (r"\bILIKE\b|\bGLOB\b", "a comparison that Oracle does not have"),
    (r"\b(?:TRUE|FALSE)\b", "a boolean; Oracle has none before 23"),
    (r"\bON\s+CONFLICT\b|\bREPLACE\s+INTO\b", "an upsert; Oracle has MERGE"),
    (r"\bFILTER\s*\(", "FILTER of an aggregate"),
    (r"\bRECURSIVE\b", "RECURSIVE; Oracle says WITH alone"),
    (r"\bIS\s+(?:NOT\s+)?DISTINCT\s+FROM\b", "IS DISTINCT FROM"),
    (r"\bRETURNING\b(?!.*\bINTO\b)", "RETURNING without INTO"),
    (r"\b(?:FROM|JOIN|UPDATE|DELETE\s+FROM)\s+[\w.\"]+\s+AS\b", "AS before the alias of a table"),
    (r"\bSKIP\s+LOCKED\b(?!\s*$)", "SKIP LOCKED that is not the end of the statement"),
)


def _words_of_others(bare: str, parsed: exp.Expr) -> Iterator[str]:
    for pattern, says in _ELSEWHERE:
        if re.search(pattern, bare, re.IGNORECASE | re.DOTALL):
            yield says


def _joined_texts(bare: str, parsed: exp.Expr) -> Iterator[str]:
    """Not in a table's rules: there, what may be null is asked for first."""
    for joined in () if isinstance(parsed, exp.Create) else parsed.find_all(exp.DPipe):
        if joined.find(exp.Column):
            yield "||: a NULL joined to a text gives the text in Oracle, and NULL elsewhere"


def _empty_text(bare: str, parsed: exp.Expr) -> Iterator[str]:
    for literal in parsed.find_all(exp.Literal):
        if literal.is_string and literal.this == "":
            yield "'' is NULL in Oracle"


def _names(bare: str, parsed: exp.Expr) -> Iterator[str]:
    for name in parsed.find_all(exp.Identifier):
        if len(name.this.encode()) > LONGEST_NAME:
            yield f"the name {name.this} is longer than {LONGEST_NAME} bytes"
        elif not name.quoted and name.this.upper() in WORDS and not _is_level_of_grant(name):
            yield f"{name.this} is a reserved word"
        elif not name.quoted and not re.match(r"[A-Za-z]", name.this):
            yield f"the name {name.this} does not begin with a letter"
    for bind in re.findall(r"(?<!:):([A-Za-z_]\w*)", bare):
        if bind.upper() in WORDS or bind.startswith("_"):
            yield f":{bind} is no name for a bound value (ORA-01745)"


def _is_level_of_grant(name: exp.Identifier) -> bool:
    return isinstance(name.parent, exp.GrantPrincipal)


# --- functions ---------------------------------------------------------------------------------------------

# As the parser calls them.
_FUNCTIONS = (
    "AND OR NOT CASE IF CAST EXISTS COALESCE NULLIF COUNT SUM MAX MIN LOWER LENGTH GREATEST REGEXP_LIKE"
    " JSON_VALUE J_S_O_N_TABLE TO_CLOB DBMS_LOB.COMPARE"
)


def _functions(bare: str, parsed: exp.Expr) -> Iterator[str]:
    known = _FUNCTIONS.split()
    for call in parsed.find_all(exp.Func):
        name = call.name if isinstance(call, exp.Anonymous) else call.sql_name()
        if isinstance(call.parent, exp.Dot):
            name = f"{call.parent.this.name}.{name}"
        if name.upper() not in known:
            yield f"the function {name.upper()} is not among those known to be Oracle's"


# --- conditions are no values, and values no conditions ----------------------------------------------------

_CONDITIONS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Like, exp.Between, exp.Exists,
    exp.Not, exp.And, exp.Or, exp.RegexpLike,
)  # fmt: skip


def _booleans(bare: str, parsed: exp.Expr) -> Iterator[str]:
    for node in parsed.walk():
        if isinstance(node, _CONDITIONS) and not _wants_condition(node) and not _is_assignment(node):
            yield f"a condition where a value is wanted: {node.sql('oracle')[:80]}"
        if _gives_value(node) and _wants_condition(node):
            yield f"a value where a condition is wanted: {node.sql('oracle')[:80]}"


def _wants_condition(node: exp.Expr) -> bool:
    parent = node.parent
    if isinstance(parent, exp.Paren | exp.Escape) and node.arg_key == "this":
        return _wants_condition(parent)
    if isinstance(parent, exp.Where | exp.Having | exp.And | exp.Or | exp.Not | exp.CheckColumnConstraint):
        return True
    if isinstance(parent, exp.Join):
        return node.arg_key == "on"
    if isinstance(parent, exp.If):
        # CASE x WHEN y compares values, CASE WHEN y asks a condition
        return node.arg_key == "this" and parent.parent is not None and parent.parent.args.get("this") is None
    return False


def _is_assignment(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.Update) and node.arg_key == "expressions"


def _gives_value(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column | exp.Literal | exp.Placeholder | exp.Case | exp.Coalesce)


# --- shapes ------------------------------------------------------------------------------------------------


def _locks(bare: str, parsed: exp.Expr) -> Iterator[str]:
    for select in parsed.find_all(exp.Select):
        if select.args.get("locks"):
            for part in ("limit", "offset", "distinct", "group"):
                if select.args.get(part):
                    yield f"FOR UPDATE of a query with {part.upper()} (ORA-02014)"


def _with(bare: str, parsed: exp.Expr) -> Iterator[str]:
    for found in parsed.find_all(exp.With):
        if not isinstance(found.parent, exp.Select | exp.SetOperation):
            yield "WITH before something that is no query"
        for cte in found.expressions:
            uses_itself = any(table.name == cte.alias for table in cte.this.find_all(exp.Table))
            if uses_itself:
                yield "a recursive query: Oracle knows only UNION ALL there, and walks every path of a graph"


def _rows(bare: str, parsed: exp.Expr) -> Iterator[str]:
    for values in parsed.find_all(exp.Values):
        if len(values.expressions) > 1:
            yield "several rows of VALUES"
    for update in parsed.find_all(exp.Update):
        if update.args.get("from_"):
            yield "UPDATE … FROM"
    for delete in parsed.find_all(exp.Delete):
        if delete.args.get("using"):
            yield "DELETE … USING"
    for one in parsed.find_all(exp.In):
        if len(one.expressions) > LONGEST_LIST:
            yield f"{len(one.expressions)} items in a list (ORA-01795)"
    for select in parsed.find_all(exp.Select):
        if not select.args.get("from_"):
            yield "SELECT without FROM"


def _columns(bare: str, parsed: exp.Expr) -> Iterator[str]:
    """FETCH FIRST makes a view of the query, whose columns must differ."""
    for select in parsed.find_all(exp.Select):
        names = [column.alias_or_name for column in select.expressions if column.alias_or_name]
        twice = {name for name in names if names.count(name) > 1}
        if twice and (select.args.get("limit") or select.args.get("offset") or select.parent is not None):
            yield f"two columns called {', '.join(sorted(twice))} (ORA-00918)"


def _groups(bare: str, parsed: exp.Expr) -> Iterator[str]:
    """SQLite takes any column beside an aggregate, PostgreSQL those that follow from the key."""
    for select in parsed.find_all(exp.Select):
        group = select.args.get("group")
        by = {one.sql() for one in group.expressions} if group else set()
        columns = [column.unalias() for column in select.expressions]
        if group or any(_aggregates(column) for column in columns):
            for column in columns:
                constant = isinstance(column, exp.Literal | exp.Null)
                if not (_aggregates(column) or column.sql() in by or constant):
                    yield f"{column.sql()} is neither grouped nor an aggregate"


def _aggregates(column: exp.Expr) -> bool:
    found = column.find(exp.AggFunc)
    return found is not None and found.find_ancestor(exp.Subquery, exp.Select) is column.parent_select


def _divisions(bare: str, parsed: exp.Expr) -> Iterator[str]:
    """Whole numbers divided give a whole number elsewhere, in Oracle a fraction."""
    for division in parsed.find_all(exp.Div):
        if division.find(exp.Cast) is None:
            yield f"a division of whole numbers: {division.sql()[:80]}"


RULES: tuple[Rule, ...] = (
    _words_of_others, _joined_texts, _empty_text, _names, _functions, _booleans, _locks, _with, _rows,
    _columns, _groups, _divisions,
)  # fmt: skip
