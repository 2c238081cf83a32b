"""Selections asked of tasks in memory: what the database must answer, worked out another way.

`facts` reads whole tables; `holds` evaluates an expression on them; `expressions` draws texts of the language
about these facts.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from deft.base.records import names_of
from deft.model.fields import FIELDS, NUMBER, Field
from deft.model.selection import Among, Compare, Expr, Flag, Junction, Not, Related
from deft.model.tasks import ACTIVE, ENDED, State
from deft.observe import status
from deft.store.tables import deft_edge, deft_metatask, deft_node

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one task: its fields, and the names of the tasks above and below it."""

    fields: Mapping[str, Any]
    above: frozenset[str]
    below: frozenset[str]


def facts(conn: Connection, now: datetime) -> dict[int, Facts]:
    """The facts of every task there is."""
    metatasks = {row.id: row for row in conn.execute(sa.select(deft_metatask))}
    nodes = {row.id: row for row in conn.execute(sa.select(deft_node))}
    lines = {(one, line.task): line for one in metatasks for line in status.task_lines(conn, one)}
    edges = [(row.source_id, row.target_id) for row in conn.execute(sa.select(deft_edge)) if row.source_id]
    against = [(target, source) for source, target in edges]
    names = {node_id: node.name for node_id, node in nodes.items() if node.kind == "task"}
    return {
        node_id: Facts(
            _fields(node, metatasks[node.metatask_id], lines[node.metatask_id, node.name], now),
            _reached(node_id, against, names),
            _reached(node_id, edges, names),
        )
        for node_id, node in nodes.items()
        if node.kind == "task"
    }


def _reached(begin: int, edges: list[tuple[int, int]], names: Mapping[int, str]) -> frozenset[str]:
    found, waiting = set[int](), [begin]
    while waiting:
        here = waiting.pop()
        new = {target for source, target in edges if source == here} - found
        found |= new
        waiting += new
    return frozenset(names[one] for one in found if one in names)


_OF_NODE = [one.name for one in FIELDS if one.type == "flag" and one.name in deft_node.c]
_OF_LINE = [one.name for one in FIELDS if one.type == "number" and one.name in names_of(status.TaskLine)]


def _fields(node: Any, metatask: Any, line: status.TaskLine, now: datetime) -> dict[str, Any]:
    own, graph = json.loads(node.settings), json.loads(metatask.settings)
    return {
        **{key: _plain(value) for key, value in {**graph, **own}.items() if key[:5] in ("attr.", "param")},
        **{name: bool(getattr(node, name)) for name in _OF_NODE},
        **{name: getattr(line, name) for name in _OF_LINE},
        "state": node.state, "name": node.name, "metatask": metatask.name, "project": metatask.project,
        "owner": metatask.owner, "tool": _plain(graph.get("tool")), "origin": metatask.origin,
        "template": _plain(own.get("template")), "reason": line.reason, "priority": own.get("priority", 0),
        "since": node.changed, "created": metatask.created, "age": (now - node.changed).total_seconds(),
        "ended": State(node.state) in ENDED, "active": State(node.state) in ACTIVE,
        "held": bool(node.hold or metatask.hold),
        "progress": line.ok / line.expected if line.expected else 0,  # the line itself has it rounded
    }  # fmt: skip


def _plain(value: Any) -> str | None:
    """A setting as text, as it is compared."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def holds(expr: Expr, task: Facts) -> bool:
    """Whether an expression holds for a task."""
    match expr:
        case Flag(field):
            return bool(task.fields[field.name])
        case Compare(field, op, value):
            return _compare(field, op, value, task.fields.get(field.name))
        case Among(field, values):
            return any(_compare(field, "==", value, task.fields.get(field.name)) for value in values)
        case Related(word, name):
            related = task.below if word == "upstream_of" else task.above
            return any(_matches(one, name) for one in related)
        case Not(of):
            return not holds(of, task)
        case Junction(word, parts):
            found = (holds(part, task) for part in parts)
            return all(found) if word == "and" else any(found)


def _compare(field: Field, op: str, value: Any, own: Any) -> bool:
    if own is None:
        return False
    if isinstance(value, str):
        return _matches(own.lower(), value.lower()) if field.folded else _matches(own, value)
    if field.type == "free":
        if NUMBER.fullmatch(own) is None:
            return False
        own = float(own)
    if isinstance(value, datetime):
        value = value.astimezone()
    return bool(OPERATORS[op](own, value))


def _matches(text: str, pattern: str) -> bool:
    signs = {"*": ".*", "?": "."}
    return (
        re.fullmatch("".join(signs.get(one, re.escape(one)) for one in pattern), text, re.DOTALL) is not None
    )


# --- texts of the language ---------------------------------------------------------------------------------

TEXTS = (
    "a", "b", "A", "a*", "*b", "?", "*", "m", "M", "m?", "other", "DEFAULT", "p", "7", "7.0", "-1e1", "0.5",
    "x7", "true", "100%", "a_b", "a%b", "a\\b", "a[b]", "[a]*", "it", "", "ann*", "Ünï", "ü*", "ANN", "rec*",
    "; drop table deft_node; --", "input*", "%", "_", "\\%",
)  # fmt: skip
_NUMBERS = st.one_of(st.integers(-2, 8), st.sampled_from([0.5, 1.0, 7.5, -10, 1e3]))
_OPS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_ORDER = st.sampled_from(["<", "<=", ">", ">="])
_TEXTS = st.sampled_from(TEXTS).map(lambda text: f"'{text}'")
_MOMENTS = st.sampled_from(["2025-12-31", "2026-01-01T00:00+00:00", "'2026-01-01 02:00+02:00'", "2026-02-01"])
_FREE = ("attr.risk", "attr.x", "param.events", "attr.none")


def _names(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name for one in FIELDS if one.type == kind for name in (one.name, *one.aliases)])


def _pairs(fields: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    same = st.builds("{} {} {}".format, fields, st.sampled_from(["==", "!="]), values)
    listed = st.lists(values, min_size=1, max_size=4).map(lambda some: ", ".join(map(str, some)))
    return same | st.builds("{} {} ({})".format, fields, st.sampled_from(["in", "not in"]), listed)


_CONDITIONS = st.one_of(
    _names("flag"),
    _pairs(_names("state"), st.sampled_from(list(State)).map(str)),
    _pairs(_names("text"), _TEXTS),
    _pairs(st.sampled_from(_FREE), st.one_of(_NUMBERS, _TEXTS)),
    st.builds("{} {} {}".format, st.one_of(_names("number"), st.sampled_from(_FREE)), _OPS, _NUMBERS),
    st.builds("{} {} {}".format, _names("time"), _ORDER, _MOMENTS),
    st.builds("age {} {}".format, _ORDER, st.sampled_from(["0s", "1h", "2d"])),
    st.builds("{}({})".format, st.sampled_from(["upstream_of", "downstream_of"]), _TEXTS),
)  # fmt: skip


def _longer(shorter: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.builds("({} {} {})".format, shorter, st.sampled_from(["and", "or"]), shorter)
    return joined | shorter.map("not ({})".format)


def expressions() -> st.SearchStrategy[str]:
    """Texts of the selector."""
    return st.recursive(_CONDITIONS, _longer, max_leaves=6)
