"""Wait for JEDI to apply orders, and read its answers.

Where nobody serves a database of one's own, JEDI answers in this process: it applies what waits and begins
no job. Waiting looks again and again; it does not listen to the bell, which belongs to the sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from deft.access.roles import Actor
from deft.base import plugin
from deft.base.errors import Refused, Unreachable
from deft.base.plugin import Request
from deft.store.session import Session
from deft.wire import mailbox
from deft.wire.hints import SilentBell

_LOOK_S = 0.05


def serve_here(session: Session, actor: Actor) -> None:
    """Let JEDI apply what waits, here and now, where that is ours to do and nobody else does it."""
    command = plugin.find("jedi", "apply") if session.settings.embedded else None
    if command is None:
        return
    request = Request(actor.name, session.annex_engine, session.clock, session.settings)
    try:
        plugin.function(command.run)(request)
    except Refused:  # a service holds the lease, and it was rung
        return


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for answers, and who is to give them where nobody did yet."""

    seconds: float = 30.0
    serve: Callable[[Session, Actor], None] = serve_here


PATIENCE = Patience()


def wait(
    session: Session, actor: Actor, keys: Collection[str], patience: Patience = PATIENCE
) -> dict[str, dict[str, Any]]:
    """The answers to orders by their keys; nothing in those that got none.

    Raises Unreachable where JEDI does not apply them in time, Refused with its reason where it refuses one.
    """
    wanted = sorted(keys)
    if not wanted:
        return {}
    if not _applied(session, wanted):
        patience.serve(session, actor)
    looks = int(patience.seconds / _LOOK_S)
    while not _applied(session, wanted):
        if looks <= 0:
            raise Unreachable(
                f"JEDI did not answer within {patience.seconds:g} s: start it with `deft jedi run`, "
                "or let it apply what was ordered with `deft jedi apply`"
            )
        looks -= 1
        SilentBell().wait(_LOOK_S)
    return _answers(session, wanted)


def _applied(session: Session, keys: Collection[str]) -> bool:
    with session.reading() as conn:
        found = mailbox.outcomes(conn, list(keys))
    return all(key in found and found[key].applied for key in keys)


def _answers(session: Session, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    with session.reading() as conn:
        found = mailbox.outcomes(conn, list(keys))
    answers = {key: outcome.answer or {} for key, outcome in found.items()}
    for answer in answers.values():
        if "refused" in answer:
            raise Refused(f"JEDI refused it: {answer['refused']}")
    return answers
