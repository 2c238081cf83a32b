"""The log of operators' commands: who ordered what, and what came of it. A row is settled once and stays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import insert_rows
from deft.base.records import to_text
from deft.store.tables import deft_command, deft_command_metatask

DONE, REFUSED = "done", "refused"


@dataclass(frozen=True, slots=True)
class Past:
    """One command as people read it. `tasks`: how many it changed; `why`: of a refusal."""

    at: datetime
    actor: str
    verb: str
    selection: str
    options: Mapping[str, Any]
    outcome: str
    tasks: int
    why: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """A command that was done under a key, and the answer it got."""

    verb: str
    selection: str
    options: str
    answer: Mapping[str, Any]


def enter(
    conn: Connection, *, actor: str, verb: str, selection: str, options: Mapping[str, Any], key: str | None,
    now: datetime, why: str | None = None,
) -> int:  # fmt: skip
    """Append a command, refused where it says why; returns its id.

    Raises IntegrityError where another process gave one with this key meanwhile.
    """
    row = {
        "idempotency_key": key, "actor": actor, "verb": verb, "selection": selection,
        "options": text_of(options), "created": now, "outcome": DONE if why is None else REFUSED, "why": why,
    }  # fmt: skip
    made = conn.execute(sa.insert(deft_command).values(row)).inserted_primary_key
    assert made is not None
    return int(made[0])


def settle(conn: Connection, command_id: int, *, tasks: int, answer: Mapping[str, Any] | None) -> None:
    """Say what a command came to."""
    said = None if answer is None else to_text(answer)
    done = sa.update(deft_command).where(deft_command.c.id == command_id)
    conn.execute(done.values(tasks=tasks, answer=said))


def about(conn: Connection, command_id: int, metatask_ids: Iterable[int]) -> None:
    """Note the Meta-Tasks that a command was about."""
    rows = [{"command_id": command_id, "metatask_id": one} for one in sorted(set(metatask_ids))]
    insert_rows(conn, deft_command_metatask, rows)


# What changes the definition of a Meta-Task that is stored.
_REDEFINE = ("set", "augment-graph")


def redefined(conn: Connection, metatask_id: int) -> bool:
    """Whether operators changed its definition since it was imported."""
    c, on = deft_command.c, deft_command_metatask.c
    theirs = sa.select(on.command_id).where(on.metatask_id == metatask_id)
    changed = sa.select(c.id).where(c.verb.in_(_REDEFINE), c.outcome == DONE, c.id.in_(theirs))
    return conn.execute(changed.limit(1)).first() is not None


def text_of(options: Mapping[str, Any]) -> str:
    """Options as they are kept and compared."""
    return to_text({name: options[name] for name in sorted(options)})


def under(conn: Connection, key: str) -> Given | None:
    """What was done under a key."""
    c = deft_command.c
    query = sa.select(c.verb, c.selection, c.options, c.answer).where(c.idempotency_key == key)
    row = conn.execute(query).first()
    return None if row is None else Given(row.verb, row.selection or "", row.options, json.loads(row.answer))


def of(conn: Connection, metatask_id: int | None, limit: int) -> list[Past]:
    """The last commands about a Meta-Task, or all of them, oldest first."""
    c = deft_command.c
    query = sa.select(deft_command).order_by(c.id.desc()).limit(limit)
    if metatask_id is not None:
        on = deft_command_metatask.c
        query = query.where(c.id.in_(sa.select(on.command_id).where(on.metatask_id == metatask_id)))
    return [
        Past(
            at=row.created,
            actor=row.actor,
            verb=row.verb,
            selection=row.selection or "",
            options=json.loads(row.options),
            outcome=row.outcome,
            tasks=row.tasks,
            why=row.why,
            key=row.idempotency_key,
        )
        for row in reversed(conn.execute(query).all())
    ]
