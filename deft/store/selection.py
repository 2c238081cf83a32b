"""What a selection names: tasks of one or of many Meta-Tasks, by path and by condition.

A path is `META`, `META/TASK`, `PROJECT/META` or `PROJECT/META/TASK`, with globs of `*` and `?` in any part;
several paths stand side by side, separated by blanks. A condition (`model.selection`) narrows them down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from deft.base.database import AnyRow, batches
from deft.base.errors import BadInput, NotFound
from deft.model import selection as language
from deft.model.selection import Expr, Related
from deft.store import conditions, lineage
from deft.store.conditions import Place
from deft.store.guards import METATASK, NODE, TASKS

EVERYTHING = "*"
_LISTED = 8
_LOOKED_AT = 10_000


@dataclass(frozen=True, slots=True)
class Selected:
    """Some tasks of one Meta-Task.

    `whole` where the Meta-Task itself was named; `filtered` where a condition picked the tasks.
    """

    metatask_id: int
    project: str
    name: str
    whole: bool
    node_ids: tuple[int, ...]
    filtered: bool = False

    @property
    def full_name(self) -> str:
        """`project/name` of the Meta-Task."""
        return f"{self.project}/{self.name}"

    @property
    def named(self) -> bool:
        """Whether each task was named, so that a verb does all of them or none."""
        return not (self.whole or self.filtered)


@dataclass(frozen=True, slots=True)
class Selection:
    """Tasks of any number of Meta-Tasks; there is at least one."""

    parts: tuple[Selected, ...]

    @property
    def node_ids(self) -> tuple[int, ...]:
        """All the tasks."""
        return tuple(node_id for part in self.parts for node_id in part.node_ids)

    @property
    def metatask_ids(self) -> tuple[int, ...]:
        """The Meta-Tasks they belong to."""
        return tuple(part.metatask_id for part in self.parts)

    @property
    def one(self) -> Selected:
        """The part that there is. Raises BadInput for tasks of several Meta-Tasks."""
        if len(self.parts) > 1:
            names = ", ".join(part.full_name for part in self.parts[:_LISTED])
            raise BadInput(f"{len(self.parts)} Meta-Tasks are named, and one is wanted here: {names}")
        return self.parts[0]


def resolve(conn: Connection, text: str) -> Selected:
    """One path that names one Meta-Task or tasks of one. Raises NotFound with near names, BadInput."""
    return Selection(tuple(_selected(conn, text.strip(), None, None))).one


def select(conn: Connection, text: str, *, where: str | None, now: datetime) -> Selection:
    """Any number of paths, separated by blanks, narrowed by a condition; no path and a condition: all tasks.

    Raises NotFound where nothing is named, BadInput.
    """
    expr = None if where is None else language.parse(where)
    paths = text.split() or ([EVERYTHING] if expr else [])
    if not paths:
        raise BadInput("nothing is selected: write META, META/TASK, or a condition by --where")
    found: dict[int, Selected] = {}
    for path in paths:
        for part in _selected(conn, path, expr, now):
            known = found.get(part.metatask_id)
            found[part.metatask_id] = part if known is None else _joined(known, part)
    if not found:
        what = "no task" if text.split() in ([], [EVERYTHING]) else f"no task of {' '.join(paths)}"
        raise NotFound(f"{what} matches {where}")
    return Selection(tuple(found.values()))


def metatasks_with(conn: Connection, where: str, now: datetime) -> sa.Select[int]:
    """The ids of the Meta-Tasks with a task for which a condition holds, as a query. Raises BadInput."""
    condition = _condition(conn, language.parse(where), now, None)
    return sa.select(NODE.c.metatask_id).select_from(TASKS).where(NODE.c.kind == "task", condition)


def names_one(text: str) -> bool:
    """Whether a selection can only name one Meta-Task, or tasks of one: one path, its first part no glob."""
    paths = text.split()
    return len(paths) == 1 and not any(map(language.is_glob, _parts(paths[0])[:-1] or _parts(paths[0])))


def is_unique(conn: Connection, name: str) -> bool:
    """Whether a Meta-Task's name, without its project, names one alone."""
    return len(_metatasks(conn, _Path(None, name, None))) == 1


def _joined(one: Selected, other: Selected) -> Selected:
    """Both parts of one Meta-Task; one that is whole holds the other."""
    if one.whole or other.whole:
        return one if one.whole else other
    ids = tuple(dict.fromkeys((*one.node_ids, *other.node_ids)))
    return Selected(one.metatask_id, one.project, one.name, False, ids, one.filtered)


# --- paths -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Path:
    """One reading of a path; no `task`: all of them."""

    project: str | None
    name: str
    task: str | None

    def metatasks(self) -> sa.Select[int] | None:
        """The ids of the Meta-Tasks it names; None for all there are."""
        m = METATASK.c
        if (self.project, self.name) == (None, EVERYTHING):
            return None
        named = conditions.matches(m.name, self.name, folded=True)
        if self.project is not None and language.is_glob(self.project + self.name):
            named = sa.and_(named, conditions.matches(m.project, self.project, folded=True))
        elif self.project is not None:
            named = m.name_key == f"{self.project}/{self.name}".lower()
        return sa.select(m.id).where(named).correlate(None)

    def tasks(self) -> ColumnElement[bool]:
        """The tasks it names, as a condition on the rows of `store.guards.TASKS`."""
        found = [NODE.c.kind == "task"]
        metatasks = self.metatasks()
        if metatasks is not None:  # ids first: else SQLite looks at every task there is
            found.append(NODE.c.metatask_id.in_(metatasks))
        if self.task is not None:
            found.append(conditions.matches(NODE.c.name, self.task))
        return sa.and_(*found)


def _parts(text: str) -> list[str]:
    return [part for part in text.split("/") if part]


def _readings(text: str) -> list[_Path]:
    """The ways in which a path may be meant; the first that names anything counts."""
    parts = _parts(text)
    if not 1 <= len(parts) <= 3 or not text.isprintable():
        raise BadInput(f"{text!r} is no selection; write META, META/TASK or PROJECT/META/TASK")
    if len(parts) == 1:
        return [_Path(None, parts[0], None)]
    if len(parts) == 2:
        return [_Path(None, parts[0], parts[1]), _Path(parts[0], parts[1], None)]
    return [_Path(parts[0], parts[1], parts[2])]


def _meant(conn: Connection, text: str) -> _Path:
    """The reading that names any task. Raises NotFound, BadInput for a name of several Meta-Tasks."""
    readings = _readings(text)
    for path in readings:
        any_task = sa.select(NODE.c.id).select_from(TASKS).where(path.tasks()).limit(1)
        if conn.execute(any_task).first() is not None:
            _refuse_ambiguous(conn, path)
            return path
    raise _nothing(conn, readings, text)


def _refuse_ambiguous(conn: Connection, path: _Path) -> None:
    if path.project is None and not language.is_glob(path.name):
        found = _metatasks(conn, path)
        if len(found) > 1:
            which = ", ".join(f"{row.project}/{row.name}" for row in found)
            raise BadInput(f"{path.name!r} is the name of several Meta-Tasks: {which}; write the project too")


def _metatasks(conn: Connection, path: _Path) -> Sequence[AnyRow]:
    m, ids = METATASK.c, path.metatasks()
    query = sa.select(m.id, m.project, m.name).order_by(m.id).limit(_LOOKED_AT)
    return conn.execute(query if ids is None else query.where(m.id.in_(ids))).all()


def _nothing(conn: Connection, readings: Sequence[_Path], text: str) -> NotFound:
    """Why a path names no task: no such Meta-Task, or no such task in it."""
    for path in readings:
        metatasks = _metatasks(conn, path)
        if metatasks and path.task is not None:
            return _no_task(conn, metatasks, path.task)
    known = list(conn.execute(sa.select(METATASK.c.name).limit(_LOOKED_AT)).scalars())
    near = get_close_matches(readings[0].name, known, 3)
    hint = f"did you mean {', '.join(near)}?" if near else "`deft list` shows them all"
    return NotFound(f"there is no Meta-Task {text!r}; {hint}")


def _no_task(conn: Connection, metatasks: Sequence[AnyRow], pattern: str) -> NotFound:
    first = metatasks[0]
    where = f"{first.project}/{first.name}" + (f" and {len(metatasks) - 1} more" if metatasks[1:] else "")
    query = sa.select(NODE.c.name).where(NODE.c.metatask_id == first.id, NODE.c.kind == "task")
    names = list(conn.execute(query.order_by(NODE.c.position).limit(_LOOKED_AT)).scalars())
    near = get_close_matches(pattern, names, 3) or names[:_LISTED]
    return NotFound(f"{where} has no task {pattern!r}; near: {', '.join(near)}")


# --- tasks -------------------------------------------------------------------------------------------------


def _selected(conn: Connection, text: str, expr: Expr | None, now: datetime | None) -> Iterator[Selected]:
    """The tasks of one path that fit, by Meta-Task; none only where there is a condition."""
    path = _meant(conn, text)
    query = sa.select(NODE.c.metatask_id, NODE.c.id).select_from(TASKS).where(path.tasks())
    if expr is not None:
        assert now is not None
        query = query.where(_condition(conn, expr, now, path.metatasks()))
    found: dict[int, list[int]] = {}
    for row in conn.execute(query.order_by(NODE.c.metatask_id, NODE.c.position)):
        found.setdefault(row.metatask_id, []).append(row.id)
    whole = path.task is None and expr is None
    for metatask in _by_id(conn, list(found)):
        ids = tuple(found[metatask.id])
        yield Selected(metatask.id, metatask.project, metatask.name, whole, ids, expr is not None)


def _condition(
    conn: Connection, expr: Expr, now: datetime, metatasks: sa.Select[int] | None
) -> ColumnElement[bool]:
    """An expression on the rows of `store.guards.TASKS`, whose questions about the graph are asked first."""
    related: dict[Related, set[int]] = {}
    for one in conditions.relations(expr):
        if one not in related:
            named = (conditions.matches(NODE.c.name, one.name), NODE.c.kind == "task")
            where = named if metatasks is None else (NODE.c.metatask_id.in_(metatasks), *named)
            begin = sa.select(NODE.c.id).where(*where)
            way: lineage.Way = "down" if one.word == "downstream_of" else "up"
            related[one] = lineage.reached(conn, conn.execute(begin).scalars().all(), way)
    return conditions.to_sql(expr, Place(now, related))


def _by_id(conn: Connection, metatask_ids: Sequence[int]) -> Iterator[AnyRow]:
    m = METATASK.c
    for part in batches(metatask_ids):
        query = sa.select(m.id, m.project, m.name).where(m.id.in_(part))
        yield from conn.execute(query.order_by(m.id)).all()
