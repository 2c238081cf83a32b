"""Give a command of an operator: noted in the log with its effect, done at most once under one key.

A refused command changed nothing and is noted in a transaction of its own, without its key: the same key may
be tried again. A command that was done under a key answers the same again, and does nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from deft.access import roles
from deft.access.roles import Actor
from deft.base import faults, records
from deft.base.again import again
from deft.base.errors import BadInput, NotAllowed, NotFound, Refused, Stale
from deft.store import commands as log
from deft.store import locks, selection
from deft.store.selection import Selected, Selection
from deft.store.session import Session

MAX_KEY = 255
MAX_REASON = 2000

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Command:
    """What an operator said. `options`: all that the effect depends on beside the selection."""

    actor: Actor
    verb: str
    selection: str
    options: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    dry_run: bool = False


@dataclass(slots=True)
class Note:
    """What a command is about, as far as it came: the Meta-Tasks, and how many tasks it changed."""

    metatask_ids: set[int] = field(default_factory=set)
    tasks: int = 0

    def forget(self) -> None:
        """Begin anew."""
        self.metatask_ids.clear()
        self.tasks = 0


Act = Callable[[Connection, Note], Answer]


def give(session: Session, command: Command, kind: type[Answer], act: Act[Answer]) -> Answer:
    """Do a command in one transaction with its row in the log; its answer is a dataclass of that kind.

    A dry run does it, rolls it back and is not noted. Raises NotAllowed, Refused where the state or an
    earlier command with this key forbids it, BadInput for a key that is none, and what `act` raises.
    """
    _check(command.key)
    note = Note()
    try:
        roles.require(command.actor, command.verb)
        if command.dry_run:
            return again(lambda: _tried(session, command, note, kind, act))
        answer = again(lambda: _once(session, command, note, kind, act))
    except (Refused, NotAllowed) as fault:
        if not command.dry_run:
            _remember(session, command, note, str(fault))
        raise
    faults.point("verb.after-commit")
    session.ring_all()
    return answer


def choose(
    session: Session, conn: Connection, note: Note, text: str, where: str | None
) -> Sequence[Selected]:
    """What is selected, under lock. Whether a condition still holds is asked again once the lock is there.

    Raises NotFound where nothing is, BadInput, Stale.
    """

    def ask() -> Selection:
        return selection.select(conn, text, where=where, now=session.clock.now())

    chosen = ask()
    note.metatask_ids.update(chosen.metatask_ids)
    locks.lock(conn, chosen.metatask_ids)
    if where is None or conn.dialect.name == "sqlite":
        return chosen.parts
    still = [part for part in ask().parts if part.metatask_id in set(chosen.metatask_ids)]
    if not still:
        raise Stale("what was selected changed meanwhile; give the same command again")
    return still


def check_reason(reason: str | None) -> None:
    """Raise BadInput for what the history could not show as one line."""
    if reason is not None and (len(reason) > MAX_REASON or not reason.isprintable()):
        raise BadInput(f"a reason is one line of at most {MAX_REASON} printable characters")


def _check(key: str | None) -> None:
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isprintable()):
        raise BadInput(f"a key is one line of 1 to {MAX_KEY} printable characters")


def _tried(session: Session, command: Command, note: Note, kind: type[Answer], act: Act[Answer]) -> Answer:
    with session.writing() as conn:
        answer = _given(conn, command, kind) or act(conn, note)
        conn.rollback()
    return answer


def _once(session: Session, command: Command, note: Note, kind: type[Answer], act: Act[Answer]) -> Answer:
    note.forget()
    try:
        return _done(session, command, note, kind, act)
    except IntegrityError:
        if command.key is None:
            raise
        # Another process gave a command with this key meanwhile, and this one waited for its end.
        raise Stale(f"the key {command.key!r} was given by another process at the same time") from None


def _done(session: Session, command: Command, note: Note, kind: type[Answer], act: Act[Answer]) -> Answer:
    with session.writing() as conn:
        if (given := _given(conn, command, kind)) is not None:
            return given
        # Entered first: whoever gives the same key meanwhile waits here, before it holds anything else.
        command_id = _enter(session, conn, command)
        answer = act(conn, note)
        kept = None if command.key is None else asdict(answer)  # type: ignore[call-overload]
        log.settle(conn, command_id, tasks=note.tasks, answer=kept)
        log.about(conn, command_id, note.metatask_ids)
        faults.point("verb.before-commit")
    return answer


def _enter(session: Session, conn: Connection, command: Command, why: str | None = None) -> int:
    return log.enter(
        conn,
        actor=command.actor.name,
        verb=command.verb,
        selection=command.selection,
        options=command.options,
        key=command.key if why is None else None,
        now=session.clock.now(),
        why=why,
    )


def _given(conn: Connection, command: Command, kind: type[Answer]) -> Answer | None:
    """The answer it got before, where it was done under this key."""
    given = None if command.key is None else log.under(conn, command.key)
    if given is None:
        return None
    options = log.text_of(command.options)
    if (given.verb, given.selection, given.options) != (command.verb, command.selection, options):
        raise Refused(
            f"the key {command.key!r} was given with another command: {given.verb} {given.selection} "
            f"{given.options}, now {command.verb} {command.selection} {options}; nothing was changed"
        )
    return records.restored(kind, given.answer)


def _remember(session: Session, command: Command, note: Note, why: str) -> None:
    with session.writing() as conn:
        command_id = _enter(session, conn, command, why)
        if not note.metatask_ids:  # it was refused before anybody looked at what was selected
            with contextlib.suppress(NotFound, BadInput):
                where, now = command.options.get("where"), session.clock.now()
                note.metatask_ids.update(
                    selection.select(conn, command.selection, where=where, now=now).metatask_ids
                )
        log.about(conn, command_id, note.metatask_ids)
