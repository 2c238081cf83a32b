"""The verbs of operators: start, disarm, hold, resume, abort, retry. One transaction each, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base import faults
from deft.base.database import batches
from deft.base.errors import BadInput, Refused
from deft.engine.perform import Cause, Done, perform
from deft.model.net import VOCABULARY, Row
from deft.model.verbs import VERBS, Verb
from deft.store import guards, holds, locks, marking, selection
from deft.store.selection import Selected
from deft.store.session import Session
from deft.store.tables import deft_node
from deft.wire.orders import OrderKind

HOLD_MODES = ("drain", "requeue", "kill")
MAX_REASON = 2000
_LISTED = 10


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """One verb on one selection. `mode` is of hold: drain, requeue or kill."""

    actor: Actor
    verb: str
    selection: str
    reason: str | None = None
    mode: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """What changed (task names), how many were so already, and how many the verb does not fit."""

    metatask: str
    verb: str
    changed: tuple[str, ...]
    already: int
    passed_over: int
    whole: bool
    dry_run: bool = False


def control(session: Session, request: ControlRequest) -> ControlAnswer:
    """Do a verb. Raises Refused with the state and the rule, NotFound, BadInput, NotAllowed."""
    roles.require(request.actor, request.verb)
    _check(request)
    with session.writing() as conn:
        chosen = selection.resolve(conn, request.selection)
        locks.lock(conn, [chosen.metatask_id])
        if chosen.whole and request.verb in ("hold", "resume"):
            answer = _whole(session, conn, request, chosen)
        else:
            answer = _tasks(session, conn, request, chosen)
        faults.point("verb.before-commit")
        if request.dry_run:
            conn.rollback()
    faults.point("verb.after-commit")
    if not request.dry_run:
        session.ring_all()
    return answer


def arm_all(conn: Connection, metatask_id: int, cause: Cause, now: datetime) -> None:
    """Arm every task of a Meta-Task that does not say armed=false; those armed already stay so."""
    ids = _armable(conn, metatask_id)
    step = perform(conn, guards.first_enabled(conn, ids, VERBS["start"].rows), cause, now)
    marking.mark_dirty(conn, sorted(step.touched))


def _check(request: ControlRequest) -> None:
    reason = request.reason
    if reason is not None and (len(reason) > MAX_REASON or not reason.isprintable()):
        raise BadInput(f"a reason is one line of at most {MAX_REASON} printable characters")
    if request.mode is not None and request.mode not in HOLD_MODES:
        raise BadInput(f"{request.mode!r} is no mode of hold; known: {', '.join(HOLD_MODES)}")


def _cause(request: ControlRequest) -> Cause:
    return Cause(request.actor.name, request.reason, request.mode)


def _tasks(session: Session, conn: Connection, request: ControlRequest, chosen: Selected) -> ControlAnswer:
    verb = VERBS[request.verb]
    ids = _eligible(conn, chosen, request.verb)
    enabled = guards.first_enabled(conn, ids, verb.rows)
    changed = [task.id for _, task in enabled]
    rest = [one for one in ids if one not in set(changed)]
    already = guards.holding(conn, rest, VOCABULARY.parse(verb.already)) if verb.already and rest else set()
    refused = [one for one in rest if one not in already]
    if refused and (not chosen.whole or not (changed or already)):
        raise Refused(_refusal(conn, verb, refused))
    step = perform(conn, enabled, _cause(request), session.clock.now())
    marking.mark_dirty(conn, sorted(step.touched))
    return ControlAnswer(
        metatask=chosen.full_name,
        verb=request.verb,
        changed=tuple(_names(conn, changed)),
        already=len(already),
        passed_over=len(refused),
        whole=chosen.whole,
        dry_run=request.dry_run,
    )


def _eligible(conn: Connection, chosen: Selected, verb: str) -> list[int]:
    """`start META` passes over tasks that say armed=false; `start META/TASK` does not."""
    if verb != "start" or not chosen.whole:
        return list(chosen.node_ids)
    return _armable(conn, chosen.metatask_id)


def _armable(conn: Connection, metatask_id: int) -> list[int]:
    n = deft_node.c
    query = sa.select(n.id).where(n.metatask_id == metatask_id, n.kind == "task", n.arms == 1)
    return list(conn.execute(query).scalars())


def _refusal(conn: Connection, verb: Verb, refused: Sequence[int]) -> str:
    why: dict[int, str] = {}
    for guard, text in verb.refusals:
        left = [one for one in refused if one not in why]
        why |= dict.fromkeys(guards.holding(conn, left, VOCABULARY.parse(guard)), text)
    shown = refused[:_LISTED]
    query = sa.select(deft_node.c.id, deft_node.c.name, deft_node.c.state).where(deft_node.c.id.in_(shown))
    lines = [
        f"{row.name} is {row.state}: it {why.get(row.id, f'cannot {verb.name}')}"
        for row in conn.execute(query)
    ]
    more = f"\n  and {len(refused) - len(shown)} more" if len(refused) > len(shown) else ""
    return f"{verb.name} refused, nothing was changed:\n  " + "\n  ".join(lines) + more


def _names(conn: Connection, ids: Sequence[int]) -> list[str]:
    named: dict[int, str] = {}
    for part in batches(ids):
        rows = conn.execute(sa.select(deft_node.c.id, deft_node.c.name).where(deft_node.c.id.in_(part)))
        named |= {row.id: row.name for row in rows}
    return [named[one] for one in ids]


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
    changed = tuple(_names(conn, [one.node_id for one in done]))
    return ControlAnswer(chosen.full_name, request.verb, changed, 0, 0, whole=True, dry_run=request.dry_run)
