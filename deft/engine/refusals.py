"""Why a verb is refused: the state of each task, the rule, and the command that would work."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches
from deft.model.net import VOCABULARY
from deft.model.verbs import Verb
from deft.store import guards
from deft.store.tables import deft_node

_LISTED = 10


def of(conn: Connection, verb: Verb, refused: Sequence[int]) -> str:
    """What to say of tasks that no row of a verb fits: each one's state, and the rule."""
    why: dict[int, str] = {}
    for guard, text in verb.refusals:
        left = [one for one in refused if one not in why]
        why |= dict.fromkeys(guards.holding(conn, left, VOCABULARY.parse(guard)), text)
    shown = refused[:_LISTED]
    query = sa.select(deft_node.c.id, deft_node.c.name, deft_node.c.state).where(deft_node.c.id.in_(shown))
    lines = [
        f"{row.name} is {row.state}: it {why.get(row.id, f'cannot {verb.name}')}"
        for row in conn.execute(query.order_by(deft_node.c.position))
    ]
    more = f"\n  and {len(refused) - len(shown)} more" if len(refused) > len(shown) else ""
    return f"{verb.name} refused, nothing was changed:\n  " + "\n  ".join(lines) + more


def names(conn: Connection, ids: Sequence[int]) -> list[str]:
    """The names of tasks, in the same order."""
    named: dict[int, str] = {}
    for part in batches(ids):
        rows = conn.execute(sa.select(deft_node.c.id, deft_node.c.name).where(deft_node.c.id.in_(part)))
        named |= {row.id: row.name for row in rows}
    return [named[one] for one in ids]
