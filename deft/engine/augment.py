"""Data from outside: give a dataset more files, or say that no more will come."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Connection

from deft.access.roles import Actor
from deft.base.errors import BadInput, Finding, NotFound, Refused, Unreachable
from deft.engine import answers, commands
from deft.engine.answers import Patience
from deft.engine.commands import Command, Note
from deft.model.tasks import Membership
from deft.store import external, history, marking, specs
from deft.store.external import External
from deft.store.session import Session
from deft.wire import mailbox, orders
from deft.wire.orders import Order, OrderKind

_MAGIC = re.compile(r"[*?[]")
_LONGEST = 1000  # of a path, as JEDI keeps it
_NAMED = 20
# It was ordered, and is done sooner or later: nobody waits long for the counts.
_SOON = Patience(5.0)


@dataclass(frozen=True, slots=True)
class AugmentRequest:
    """Give a dataset of a Meta-Task more files: paths and globs, relative to `folder`.

    `dataset`: its name, its type, or the entry it comes from; None where there is only one.
    """

    actor: Actor
    metatask: str
    files: tuple[str, ...]
    dataset: str | None = None
    folder: Path = Path()
    reason: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class AugmentAnswer:
    """What was given; `counted`: JEDI has taken them in, and says which were new, back, changed or known.

    `later`: the dataset was never listed, and they are found when it is.
    """

    metatask: str
    dataset: str
    given: int
    later: bool = False
    counted: bool = False
    new: int = 0
    back: int = 0
    changed: int = 0
    known: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """Close an open dataset: of a Meta-Task, or by its own full name."""

    actor: Actor
    target: str
    dataset: str | None = None
    reason: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class CloseAnswer:
    """The dataset; `already`: it was closed before."""

    metatask: str
    dataset: str
    already: bool


def augment(session: Session, request: AugmentRequest, patience: Patience = _SOON) -> AugmentAnswer:
    """More files for a dataset. A task that used the others takes them in, as its edge says (on_growth).

    Raises BadInput naming every file that is not there, before anything is written; Refused for a dataset
    that is retired or made by a task; NotFound with near names, NotAllowed.
    """
    commands.check_reason(request.reason)
    paths = list(dict.fromkeys(_expanded(request.files, request.folder)))
    said = {"dataset": request.dataset, "files": _digest(paths), "reason": request.reason}
    given = {name: value for name, value in said.items() if value is not None}
    command = Command(request.actor, "augment", request.metatask, given, request.key)

    def act(conn: Connection, note: Note) -> AugmentAnswer:
        (metatask_id, full_name) = _metatask(session, conn, note, request.metatask)
        found = external.find(conn, metatask_id, full_name, request.dataset)
        if found.membership is Membership.RETIRED:
            raise Refused(f"{found.name} is retired, and takes nothing more")
        key = _grow(session, conn, found, paths)
        _remember(session, conn, request.actor, metatask_id,
                  "augment", request.reason or f"{len(paths)} files for {found.name}")  # fmt: skip
        return AugmentAnswer(full_name, found.name, len(paths), later=not found.listed, key=key)

    answer = commands.give(session, command, AugmentAnswer, act)
    return answer if answer.later else _counted(session, request.actor, answer, patience)


def close(session: Session, request: CloseRequest) -> CloseAnswer:
    """No more files will come: tasks that wait for the rest go on with what is there.

    Raises Refused for a dataset that is retired or made by a task, NotFound, BadInput, NotAllowed.
    """
    commands.check_reason(request.reason)
    said = {"dataset": request.dataset, "reason": request.reason}
    given = {name: value for name, value in said.items() if value is not None}
    command = Command(request.actor, "close", request.target, given, request.key)

    def act(conn: Connection, note: Note) -> CloseAnswer:
        metatask_id, full_name, named = _target(session, conn, note, request)
        found = external.find(conn, metatask_id, full_name, named)
        if found.membership is Membership.RETIRED:
            raise Refused(f"{found.name} is retired")
        already = not found.stays_open and found.membership is not Membership.OPEN
        if not already:
            external.close(conn, found)
            _order(session, conn, found, OrderKind.CLOSE, {"v": orders.VERSION})
            marking.mark_dirty(conn, sorted(marking.touched_by_datasets(conn, [found.id])))
            _remember(session, conn, request.actor, metatask_id, "close", request.reason or found.name)
        return CloseAnswer(full_name, found.name, already)

    return commands.give(session, command, CloseAnswer, act)


def _metatask(session: Session, conn: Connection, note: Note, text: str) -> tuple[int, str]:
    parts = commands.choose(session, conn, note, text, None)
    if len(parts) != 1 or not parts[0].whole:
        raise BadInput(f"{text!r}: one Meta-Task is wanted here, and no task of it")
    return parts[0].metatask_id, parts[0].full_name


def _target(
    session: Session, conn: Connection, note: Note, request: CloseRequest
) -> tuple[int, str, str | None]:
    """The Meta-Task and the name of the dataset in it."""
    try:
        return *_metatask(session, conn, note, request.target), request.dataset
    except NotFound:
        metatask_id = external.metatask_of(conn, request.target) if request.dataset is None else None
        if metatask_id is None:
            raise
    note.metatask_ids.add(metatask_id)
    return metatask_id, request.target, request.target


def _grow(session: Session, conn: Connection, found: External, paths: Sequence[str]) -> str:
    """The effect of an augment; returns the key of the order, empty where none is needed."""
    known = set(found.sources)
    external.add_sources(conn, found, [path for path in paths if path not in known])
    if not found.listed:
        return ""
    if found.membership is Membership.CLOSED:
        external.grow_again(conn, found.id)
    marking.mark_dirty(conn, sorted(marking.touched_by_datasets(conn, [found.id])))
    body = {"v": orders.VERSION, "units": list(paths), "answer": True}
    return _order(session, conn, found, OrderKind.GROW, body)


def _order(
    session: Session, conn: Connection, found: External, kind: OrderKind, body: dict[str, object]
) -> str:
    seq = specs.note_dataset_orders(conn, [found.id])[found.id]
    order = Order(kind, seq, f"d{found.id}-{seq}", body, dataset_id=found.id)
    mailbox.post(conn, [order], session.clock.now())
    return order.key


def _remember(
    session: Session, conn: Connection, actor: Actor, metatask_id: int, cause: str, reason: str
) -> None:
    change = history.Change(metatask_id, None, cause, reason=reason)
    history.record(conn, [change], actor.name, session.clock.now())


def _counted(session: Session, actor: Actor, answer: AugmentAnswer, patience: Patience) -> AugmentAnswer:
    """What JEDI says, if it says so soon."""
    try:
        told = answers.wait(session, actor, [answer.key], patience)[answer.key]
    except Unreachable:
        return answer
    return AugmentAnswer(
        answer.metatask, answer.dataset, answer.given, counted=True, new=told["new"], back=told["back"],
        changed=told["changed"], known=told["same"], key=answer.key,
    )  # fmt: skip


# --- files -------------------------------------------------------------------------------------------------


def _expanded(files: Sequence[str], folder: Path) -> list[str]:
    """Absolute paths of all that was given. Raises BadInput with a finding for each that is not there."""
    found: list[str] = []
    faults: list[Finding] = []
    for text in files:
        path = os.path.normpath(os.path.join(folder, os.path.expanduser(text)))
        named = list(_named(path))
        if not named:
            what = f"nothing matches {text}" if _MAGIC.search(text) else f"there is no file {text}"
            faults.append(Finding("no-file", what))
        for one in named:
            fault = _why_unfit(one)
            if fault:
                faults.append(Finding("bad-file", fault))
        found += named
    if not files:
        faults.append(Finding("no-file", "no file was given"))
    if faults:
        raise BadInput("these files cannot be taken:", faults)
    return found


def _digest(paths: Sequence[str]) -> list[str] | str:
    """Files as the log of commands keeps them: some by name, many by their number and a hash of the names."""
    if len(paths) <= _NAMED:
        return list(paths)
    names = hashlib.sha256("\n".join(paths).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{len(paths)} files, sha256 of their names {names}"


def _named(path: str) -> Iterator[str]:
    if os.path.lexists(path):
        yield path
    elif _MAGIC.search(path):
        yield from sorted(one for one in glob.iglob(path, recursive=True) if not os.path.isdir(one))


def _why_unfit(path: str) -> str | None:
    if len(path) > _LONGEST or "\n" in path or path.encode("utf-8", "replace").decode() != path:
        return f"{path!a} is no usable name: not UTF-8, too long, or with a line break"
    if not os.path.exists(path):
        return f"{path} points to nothing"
    return None if os.access(path, os.R_OK) else f"{path} is not readable"
