"""What a selection names: `META`, `META/TASK`, `PROJECT/META/TASK`, with globs for tasks."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import AnyRow
from deft.base.errors import BadInput, NotFound
from deft.store.tables import deft_metatask, deft_node


@dataclass(frozen=True, slots=True)
class Selected:
    """Some tasks of one Meta-Task; `whole` where the Meta-Task itself was named."""

    metatask_id: int
    project: str
    name: str
    whole: bool
    node_ids: tuple[int, ...]

    @property
    def full_name(self) -> str:
        """`project/name` of the Meta-Task."""
        return f"{self.project}/{self.name}"


def resolve(conn: Connection, text: str) -> Selected:
    """Resolve one selection. Raises NotFound with near names, BadInput for a name of several Meta-Tasks."""
    parts = [part for part in text.strip().split("/") if part]
    if not 1 <= len(parts) <= 3:
        raise BadInput(f"{text!r} is no selection; write META, META/TASK or PROJECT/META/TASK")
    metatask, pattern = _metatask_of(conn, parts, text)
    node_ids = _tasks_of(conn, metatask, pattern)
    return Selected(metatask.id, metatask.project, metatask.name, pattern is None, tuple(node_ids))


def _metatask_of(conn: Connection, parts: Sequence[str], text: str) -> tuple[AnyRow, str | None]:
    """Read the parts in every way they can be meant; the first that names a Meta-Task counts."""
    readings: list[tuple[str | None, str, str | None]] = [
        (None, parts[0], parts[1] if len(parts) == 2 else None)
    ]
    if len(parts) == 2:
        readings.append((parts[0], parts[1], None))
    if len(parts) == 3:
        readings = [(parts[0], parts[1], parts[2])]
    for project, name, pattern in readings:
        found = _named(conn, project, name)
        if len(found) > 1:
            which = ", ".join(f"{row.project}/{row.name}" for row in found)
            raise BadInput(f"{name!r} is the name of several Meta-Tasks: {which}; write the project too")
        if found:
            return found[0], pattern
    raise NotFound(_no_metatask(conn, text))


def _named(conn: Connection, project: str | None, name: str) -> Sequence[AnyRow]:
    m = deft_metatask.c
    query = sa.select(m.id, m.project, m.name).order_by(m.id)
    if project is not None:
        return conn.execute(query.where(m.name_key == f"{project}/{name}".lower())).all()
    return conn.execute(query.where(sa.func.lower(m.name) == name.lower())).all()


def _no_metatask(conn: Connection, text: str) -> str:
    known = list(conn.execute(sa.select(deft_metatask.c.name).limit(10_000)).scalars())
    near = get_close_matches(text.split("/", maxsplit=1)[0], known, 3)
    hint = f"did you mean {', '.join(near)}?" if near else "`deft list` shows them all"
    return f"there is no Meta-Task {text!r}; {hint}"


def _tasks_of(conn: Connection, metatask: AnyRow, pattern: str | None) -> list[int]:
    n = deft_node.c
    query = sa.select(n.id, n.name).where(n.metatask_id == metatask.id, n.kind == "task").order_by(n.position)
    rows = conn.execute(query).all()
    chosen = [row.id for row in rows if pattern is None or fnmatch.fnmatchcase(row.name, pattern)]
    if not chosen:
        near = get_close_matches(pattern or "", [row.name for row in rows], 3) or [
            row.name for row in rows[:8]
        ]
        raise NotFound(f"{metatask.project}/{metatask.name} has no task {pattern!r}; near: {', '.join(near)}")
    return chosen
