"""Let the database give back the space of what was deleted."""

from __future__ import annotations

from dataclasses import dataclass

from deft.access import roles
from deft.access.roles import Actor
from deft.base import space
from deft.store import ddl
from deft.store.session import Session


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """The bytes of the database before and after."""

    before: int
    after: int


def vacuum(session: Session, actor: Actor, *, full: bool = False) -> Vacuumed:
    """Vacuum all tables; `full`: see `space.give_back`. Raises NotAllowed, Refused, Unreachable."""
    roles.require(actor, "db")
    before = _bytes(session)
    space.give_back(session.engine, ddl.all_tables().tables, full=full)
    return Vacuumed(before, _bytes(session))


def _bytes(session: Session) -> int:
    with session.reading() as conn:
        return space.whole(conn)[0]
