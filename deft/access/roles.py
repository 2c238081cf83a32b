"""Who may do what: one table verb -> least role, default deny, checked beneath every face.

With a database of one's own the actor is `user@host` with role admin: whoever can write the database is
trusted. The roles bind where a service stands between people and the database.
"""

from __future__ import annotations

import getpass
import socket
from dataclasses import dataclass
from enum import IntEnum

from deft.base.errors import NotAllowed


class Role(IntEnum):
    """The roles, each may do all that those before it may."""

    OBSERVER = 1
    OPERATOR = 2
    MANAGER = 3
    ADMIN = 4


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks: a name, and the role they have here."""

    name: str
    role: Role


LEAST_ROLE: dict[str, Role] = {
    "read": Role.OBSERVER,
    "validate": Role.OBSERVER,
    "export": Role.OBSERVER,
    "start": Role.OPERATOR,
    "force": Role.OPERATOR,
    "disarm": Role.OPERATOR,
    "hold": Role.OPERATOR,
    "resume": Role.OPERATOR,
    "retry": Role.OPERATOR,
    "abort": Role.OPERATOR,
    "finish": Role.OPERATOR,
    "finish-hard": Role.OPERATOR,
    "obsolete": Role.MANAGER,
    "reset": Role.MANAGER,
    "set": Role.OPERATOR,
    "set-state": Role.OPERATOR,
    "augment-graph": Role.MANAGER,
    "recover": Role.OPERATOR,
    "augment": Role.OPERATOR,
    "close": Role.OPERATOR,
    "scan": Role.OPERATOR,
    "import": Role.MANAGER,
    "run": Role.MANAGER,
    "sweep": Role.ADMIN,
    "jedi": Role.ADMIN,
    "archive": Role.ADMIN,
    "delete": Role.ADMIN,
    "init": Role.ADMIN,
    "db": Role.ADMIN,
}


def require(actor: Actor, verb: str) -> None:
    """Raise NotAllowed unless the actor's role may do this; a verb without a row is allowed to nobody."""
    least = LEAST_ROLE.get(verb)
    if least is None:
        raise NotAllowed(f"{actor.name} may not {verb}: no role is allowed to")
    if actor.role < least:
        needed = least.name.lower()
        raise NotAllowed(f"{actor.name} is {actor.role.name.lower()} and may not {verb}; it takes {needed}")


def owner_of_database() -> Actor:
    """Who works on a database of their own: `user@host`, admin."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"  # a user id without a name, as in some containers
    return Actor(f"{user}@{socket.gethostname()}", Role.ADMIN)
