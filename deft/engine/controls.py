"""The verbs of operators that are rows of `model.verbs`. One transaction each, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access.roles import Actor
from deft.base.errors import BadInput, Refused
from deft.engine import commands, refusals
from deft.engine.commands import Command, Note
from deft.engine.perform import Cause, Done, perform
from deft.model.net import VOCABULARY, Row
from deft.model.verbs import VERBS
from deft.store import guards, holds, marking
from deft.store.selection import Selected
from deft.store.session import Session
from deft.store.tables import deft_node
from deft.wire.orders import OrderKind

HOLD_MODES = ("drain", "requeue", "kill")


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """One verb on a selection: paths, separated by blanks, and a condition `where` on their tasks.

    `mode` is of hold: drain, requeue or kill. `key`: see `engine.commands`.
    """

    actor: Actor
    verb: str
    selection: str
    reason: str | None = None
    mode: str | None = None
    dry_run: bool = False
    key: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """Of one Meta-Task: the tasks that changed, how many were so already, and how many it does not fit."""

    metatask: str
    verb: str
    changed: tuple[str, ...]
    already: int
    passed_over: int
    whole: bool
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ControlAnswers:
    """The same of every Meta-Task that a selection names."""

    answers: tuple[ControlAnswer, ...]

    @property
    def tasks(self) -> int:
        """How many tasks changed."""
        return sum(len(answer.changed) for answer in self.answers)


def control(session: Session, request: ControlRequest) -> ControlAnswer:
    """Do a verb on one Meta-Task, or tasks of one.

    Raises Refused with the state and the rule, NotFound, BadInput, NotAllowed.
    """
    return _give(session, request, one=True).answers[0]


def control_all(session: Session, request: ControlRequest) -> ControlAnswers:
    """Do a verb on tasks of any number of Meta-Tasks in one transaction: all that is named, or nothing.

    Where a Meta-Task as a whole or a condition was given, tasks that the verb does not fit are passed over,
    and so are Meta-Tasks without any other. Raises as `control` does.
    """
    return _give(session, request, one=False)


def _give(session: Session, request: ControlRequest, *, one: bool) -> ControlAnswers:
    _check(request)
    said = {
        name: text for name in ("reason", "mode", "where") if (text := getattr(request, name)) is not None
    }
    command = Command(request.actor, request.verb, request.selection, said, request.key, request.dry_run)

    def act(conn: Connection, note: Note) -> ControlAnswers:
        chosen = _chosen(session, conn, request, note, one=one)
        return ControlAnswers(tuple(_each(session, conn, request, note, chosen)))

    return commands.give(session, command, ControlAnswers, act)


def perform_verb(session: Session, conn: Connection, request: ControlRequest, note: Note) -> ControlAnswer:
    """Do a verb on one Meta-Task in the caller's transaction."""
    (answer,) = _each(session, conn, request, note, _chosen(session, conn, request, note, one=True))
    return answer


def _chosen(
    session: Session, conn: Connection, request: ControlRequest, note: Note, *, one: bool
) -> Sequence[Selected]:
    """What is selected, under lock."""
    parts = commands.choose(session, conn, note, request.selection, request.where)
    if one and len(parts) > 1:
        raise BadInput(f"{request.selection!r} names {len(parts)} Meta-Tasks, and one is wanted here")
    return parts


def _each(
    session: Session, conn: Connection, request: ControlRequest, note: Note, chosen: Sequence[Selected]
) -> Iterator[ControlAnswer]:
    refused: list[Refused] = []
    for part in chosen:
        try:
            answer = _one(session, conn, request, part)
        except Refused as fault:
            refused.append(fault)
            if part.named or len(refused) == len(chosen):
                raise refused[0] from None
            yield _none(request, part)
            continue
        note.tasks += len(answer.changed)
        yield answer


def _one(session: Session, conn: Connection, request: ControlRequest, chosen: Selected) -> ControlAnswer:
    if chosen.whole and request.verb in ("hold", "resume"):
        return _whole(session, conn, request, chosen)
    return _tasks(session, conn, request, chosen)


def _none(request: ControlRequest, chosen: Selected) -> ControlAnswer:
    passed_over = len(chosen.node_ids)
    return ControlAnswer(
        chosen.full_name, request.verb, (), 0, passed_over, chosen.whole, dry_run=request.dry_run
    )


def arm_all(conn: Connection, metatask_id: int, cause: Cause, now: datetime) -> None:
    """Arm every task of a Meta-Task that does not say armed=false; those armed already stay so."""
    ids = _armable(conn, metatask_id)
    step = perform(conn, guards.first_enabled(conn, ids, VERBS["start"].rows), cause, now)
    marking.mark_dirty(conn, sorted(step.touched))


def _check(request: ControlRequest) -> None:
    commands.check_reason(request.reason)
    if request.mode is not None and request.mode not in HOLD_MODES:
        raise BadInput(f"{request.mode!r} is no mode of hold; known: {', '.join(HOLD_MODES)}")


def _cause(request: ControlRequest) -> Cause:
    mode = "hard" if request.verb == "finish-hard" else request.mode
    return Cause(request.actor.name, request.reason, mode)


def _tasks(session: Session, conn: Connection, request: ControlRequest, chosen: Selected) -> ControlAnswer:
    verb = VERBS[request.verb]
    ids = _eligible(conn, chosen, request.verb)
    enabled = guards.first_enabled(conn, ids, verb.rows)
    changed = sorted(task.id for _, task in enabled)
    rest = [one for one in ids if one not in set(changed)]
    already = guards.holding(conn, rest, VOCABULARY.parse(verb.already)) if verb.already and rest else set()
    refused = [one for one in rest if one not in already]
    if refused and (chosen.named or not (changed or already)):
        raise Refused(refusals.of(conn, verb, refused))
    step = perform(conn, enabled, _cause(request), session.clock.now())
    marking.mark_dirty(conn, sorted(step.touched))
    return ControlAnswer(
        metatask=chosen.full_name,
        verb=request.verb,
        changed=tuple(refusals.names(conn, changed)),
        already=len(already),
        passed_over=len(refused),
        whole=chosen.whole,
        dry_run=request.dry_run,
    )


def _eligible(conn: Connection, chosen: Selected, verb: str) -> list[int]:
    """`start META` passes over tasks that say armed=false, and so does a condition; `start META/TASK` not."""
    if verb != "start" or chosen.named:
        return list(chosen.node_ids)
    armable = set(_armable(conn, chosen.metatask_id))
    return [one for one in chosen.node_ids if one in armable]


def _armable(conn: Connection, metatask_id: int) -> list[int]:
    n = deft_node.c
    query = sa.select(n.id).where(n.metatask_id == metatask_id, n.kind == "task", n.arms == 1)
    return list(conn.execute(query).scalars())


# --- hold and resume of a whole Meta-Task: one token, and one order for each task that JEDI knows ----------

_ORDERS = {
    "hold": Row("hold-metatask", "started and not ended and not hold", order=OrderKind.HOLD),
    # A task's own hold outlives that of its Meta-Task.
    "resume": Row("resume-metatask", "started and not ended and not hold", order=OrderKind.RESUME),
}


def _whole(session: Session, conn: Connection, request: ControlRequest, chosen: Selected) -> ControlAnswer:
    holding = request.verb == "hold"
    now = session.clock.now()
    is_held = holds.metatask_is_held(conn, chosen.metatask_id)
    if not holding and not is_held and holds.held_tasks(conn, chosen.metatask_id):
        # Only tasks are held, one by one: `resume META` means them.
        return _tasks(session, conn, request, chosen)
    if holding and not holds.anything_alive(conn, chosen.metatask_id):
        raise Refused(f"{chosen.full_name} has ended; there is nothing to hold")
    if is_held == holding:
        return ControlAnswer(chosen.full_name, request.verb, (), 1, 0, whole=True, dry_run=request.dry_run)
    if holding:
        holds.hold_metatask(conn, chosen.metatask_id, actor=request.actor.name, reason=request.reason,
                            mode=request.mode or HOLD_MODES[0], now=now)  # fmt: skip
    else:
        holds.resume_metatask(
            conn, chosen.metatask_id, actor=request.actor.name, reason=request.reason, now=now
        )
    enabled = guards.first_enabled(conn, chosen.node_ids, (_ORDERS[request.verb],))
    step = perform(conn, enabled, _cause(request), now)
    marking.mark_dirty(conn, chosen.node_ids)
    return _whole_answer(request, chosen, conn, step.done)


def _whole_answer(
    request: ControlRequest, chosen: Selected, conn: Connection, done: Sequence[Done]
) -> ControlAnswer:
    changed = tuple(refusals.names(conn, [one.node_id for one in done]))
    return ControlAnswer(chosen.full_name, request.verb, changed, 0, 0, whole=True, dry_run=request.dry_run)
