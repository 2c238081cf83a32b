"""What was: the history of changes, the commands of operators, and the settings things were given."""

from __future__ import annotations

import json

import sqlalchemy as sa

from deft.access import roles
from deft.access.roles import Actor
from deft.base.database import batches
from deft.observe import because
from deft.observe.because import Change
from deft.store import commands as log
from deft.store import history as changes
from deft.store import selection
from deft.store.session import Session
from deft.store.tables import deft_metatask, deft_node


def history(session: Session, actor: Actor, text: str, limit: int = 1000) -> list[Change]:
    """The last changes of a Meta-Task or of some of its tasks, oldest first. Raises NotFound."""
    roles.require(actor, "read")
    with session.reading() as conn:
        chosen = selection.resolve(conn, text)
        found = changes.of(conn, chosen.metatask_id, None if chosen.whole else chosen.node_ids, limit)
        return because.explained(conn, chosen.metatask_id, found, whole=chosen.whole)


def commands(session: Session, actor: Actor, text: str | None, limit: int = 1000) -> list[log.Past]:
    """The last commands about a Meta-Task, or about all, oldest first. Raises NotFound, BadInput."""
    roles.require(actor, "read")
    with session.reading() as conn:
        metatask_id = None if text is None else selection.resolve(conn, text).metatask_id
        return log.of(conn, metatask_id, limit)


def settings(session: Session, actor: Actor, text: str) -> dict[str, dict[str, object]]:
    """The settings of the tasks of a selection, and of the Meta-Task itself where it is named whole."""
    roles.require(actor, "read")
    with session.reading() as conn:
        chosen = selection.resolve(conn, text)
        found: dict[str, dict[str, object]] = {}
        if chosen.whole:
            one = sa.select(deft_metatask.c.settings).where(deft_metatask.c.id == chosen.metatask_id)
            found[chosen.full_name] = json.loads(conn.execute(one).scalar_one())
        n = deft_node.c
        for part in batches(chosen.node_ids):
            query = sa.select(n.name, n.settings).where(n.id.in_(part)).order_by(n.position)
            found |= {row.name: json.loads(row.settings) for row in conn.execute(query)}
    return found
