"""Make lost data again by running the jobs that made it, and no others.

DEFT knows how much is lost of which dataset; which jobs made it is JEDI's to find. So one transaction sets
every task to work that may have to make something again, consumers before producers, and says to JEDI what
is meant: all that is lost, or only what a consumer in the same transaction waits for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base.database import AnyRow
from deft.base.errors import BadInput, Refused
from deft.engine import answers, commands, refusals
from deft.engine.answers import PATIENCE, Patience
from deft.engine.commands import Command, Note
from deft.engine.perform import Cause, perform
from deft.model.net import VOCABULARY, Row
from deft.model.verbs import VERBS
from deft.store import guards, losses, marking
from deft.store.losses import Lost
from deft.store.selection import Selected
from deft.store.session import Session
from deft.wire import mailbox, orders
from deft.wire.orders import Order, OrderKind, Recover

RECOVER, REMAKE = VERBS["recover"], VERBS["remake"]
_NAMED = 5
_STARTED = VOCABULARY.parse("started")


@dataclass(frozen=True, slots=True)
class RecoverRequest:
    """Make again what the tasks of a selection have lost.

    `depth`: how many steps up lost input is made again first (None: all the way). `consumers`: those that
    had used lost units use them again.
    """

    actor: Actor
    selection: str
    depth: int | None = None
    consumers: bool = False
    reason: str | None = None
    key: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Recovered:
    """One task that makes something again: what it lost, and why it takes part: lost, input or consumer."""

    task: str
    part: str
    lost: int


@dataclass(frozen=True, slots=True)
class RecoverAnswer:
    """The tasks set to work, how many had lost nothing, and what else there is to know."""

    metatasks: tuple[str, ...]
    tasks: tuple[Recovered, ...]
    passed_over: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remake:
    """The jobs of one task that would run again: some of their numbers, and what they took when they ran.

    `waiting`: units of jobs that could not begin before other lost data are back; `lost`: some of the files.
    """

    task: str
    jobs: int
    numbers: tuple[int, ...]
    units: int
    waiting: int
    cpu_s: float
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecoverPlan:
    """What a recover would run."""

    metatasks: tuple[str, ...]
    tasks: tuple[Remake, ...]
    notes: tuple[str, ...]


def recover(session: Session, request: RecoverRequest) -> RecoverAnswer:
    """Set the jobs that made lost units to run again.

    Raises Refused where nothing is lost or the state forbids it, NotFound, BadInput, NotAllowed.
    """
    _check(request)
    said = {"depth": request.depth, "consumers": request.consumers or None, "reason": request.reason,
            "where": request.where}  # fmt: skip
    given = {name: value for name, value in said.items() if value is not None}
    command = Command(request.actor, "recover", request.selection, given, request.key)

    def act(conn: Connection, note: Note) -> RecoverAnswer:
        parts = commands.choose(session, conn, note, request.selection, request.where)
        plan = _plan(conn, parts, request)
        _effect(conn, plan, Cause(request.actor.name, request.reason), session.clock.now())
        note.tasks += len(plan.steps)
        return RecoverAnswer(_metatasks(parts), _told(conn, plan), plan.passed_over, tuple(plan.notes))

    return commands.give(session, command, RecoverAnswer, act)


def dry_run(session: Session, request: RecoverRequest, patience: Patience = PATIENCE) -> RecoverPlan:
    """Ask JEDI which jobs that would be.

    Raises as `recover` does, and Unreachable where JEDI does not answer.
    """
    _check(request)
    roles.require(request.actor, "recover")
    with session.writing() as conn:
        parts = commands.choose(session, conn, Note(), request.selection, request.where)
        plan = _plan(conn, parts, request)
        key = _ask(conn, plan, session.clock.now())
        names = dict(zip(plan.ids, refusals.names(conn, plan.ids), strict=True))
    session.ring_all()
    told = answers.wait(session, request.actor, [key], patience)[key]
    found = tuple(_remake(names, one) for one in told.get("tasks", ()))
    return RecoverPlan(_metatasks(parts), found, tuple(plan.notes))


def _check(request: RecoverRequest) -> None:
    commands.check_reason(request.reason)
    if request.depth is not None and request.depth < 0:
        raise BadInput(f"--depth {request.depth}: a number of steps up, 0 or more")


def _metatasks(parts: Sequence[Selected]) -> tuple[str, ...]:
    return tuple(part.full_name for part in parts)


def _remake(names: dict[int, str], told: dict[str, Any]) -> Remake:
    return Remake(
        task=names[told["task_id"]],
        jobs=told["jobs"],
        numbers=tuple(told["numbers"]),
        units=told["units"],
        waiting=told["waiting"],
        cpu_s=told["cpu_s"],
        lost=tuple(told["lost"]),
    )


# --- which tasks take part ---------------------------------------------------------------------------------


@dataclass
class _Step:
    """One task that takes part: the row that fires, and what JEDI is told."""

    row: Row
    task: AnyRow
    means: Recover
    part: str
    lost: int = 0


@dataclass
class _Plan:
    """All that take part, by id, and what is worth saying beside."""

    steps: dict[int, _Step] = field(default_factory=dict)
    passed_over: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def ordered(self) -> list[_Step]:
        """Consumers before producers: JEDI sees what they wait for before it is made again."""
        return sorted(self.steps.values(), key=lambda one: (-one.task.depth, one.task.id))

    @property
    def ids(self) -> list[int]:
        """The tasks that take part."""
        return sorted(self.steps)

    def add(
        self, enabled: Iterable[tuple[Row, AnyRow]], part: str, *, lost: bool = False, awaited: bool = False
    ) -> list[int]:
        """Tasks take part; returns their ids."""
        found = [(row, task) for row, task in enabled if task.id not in self.steps]
        for row, task in found:
            self.steps[task.id] = _Step(row, task, Recover(task.id, lost=lost, awaited=awaited), part)
        return [task.id for _, task in found]


def _plan(conn: Connection, parts: Sequence[Selected], request: RecoverRequest) -> _Plan:
    plan = _Plan()
    _choose(conn, plan, parts)
    chosen = plan.ids
    lost = losses.of_outputs(conn, chosen)
    _add_producers(conn, plan, request.depth)
    if request.consumers:
        _add_consumers(conn, plan, [one.dataset_id for one in lost])
    for one in losses.of_outputs(conn, plan.ids):
        plan.steps[one.producer_id or 0].lost += one.units
    return plan


def _choose(conn: Connection, plan: _Plan, parts: Sequence[Selected]) -> None:
    """What is selected and has lost something. Raises Refused where a task that was named has not."""
    ids = [node_id for part in parts for node_id in part.node_ids]
    plan.add(guards.first_enabled(conn, ids, RECOVER.rows), "lost", lost=True)
    for part in parts:
        rest = [one for one in part.node_ids if one not in plan.steps]
        plan.passed_over += len(rest)
        if rest and part.named:
            raise Refused(refusals.of(conn, RECOVER, rest))
    if not plan.steps:
        _refuse_all(conn, parts, ids)


def _refuse_all(conn: Connection, parts: Sequence[Selected], ids: Sequence[int]) -> None:
    lost = sorted({one.producer_id or 0 for one in losses.of_outputs(conn, ids)})
    if lost:
        raise Refused(refusals.of(conn, RECOVER, lost))
    which = ", ".join(_metatasks(parts))
    raise Refused(f"nothing that {which} made is known to be lost; `deft scan` looks at the files")


def _add_producers(conn: Connection, plan: _Plan, depth: int | None) -> None:
    """Those above that have lost input of tasks which take part, step by step."""
    level, seen = plan.ids, set(plan.ids)
    while level and (depth is None or depth > 0):
        above = [one for one in losses.of_inputs(conn, level) if one.producer_id not in seen]
        _note_external(plan, [one for one in above if one.producer_id is None])
        producers = sorted({one.producer_id for one in above if one.producer_id is not None})
        enabled = guards.first_enabled(conn, producers, RECOVER.rows) if producers else []
        level = plan.add(enabled, "input", awaited=True)
        seen.update(producers)
        _note_refused(conn, plan, [one for one in producers if one not in plan.steps], "lost its data, too")
        depth = None if depth is None else depth - 1


def _note_external(plan: _Plan, lost: Sequence[Lost]) -> None:
    for one in {one.dataset_id: one for one in lost}.values():
        plan.notes.append(
            f"{one.dataset} comes from outside and has lost {one.units} files; "
            "jobs that need them wait until they are back"
        )


def _note_refused(conn: Connection, plan: _Plan, node_ids: Sequence[int], what: str) -> None:
    for name in refusals.names(conn, node_ids[:_NAMED]):
        plan.notes.append(f"{name} {what}, and cannot make it again; `deft recover …/{name}` says why")


def _add_consumers(conn: Connection, plan: _Plan, dataset_ids: Collection[int]) -> None:
    """Those that had used lost units; one that takes part anyhow does both."""
    readers = losses.readers(conn, sorted(dataset_ids))
    if not readers:
        return
    enabled = guards.first_enabled(conn, sorted(readers), REMAKE.rows)
    plan.add(enabled, "consumer")
    for row, task in enabled:
        step = plan.steps[task.id]
        step.row, step.means = row, replace(step.means, used=tuple(sorted(readers[task.id])))
    rest = [one for one in readers if one not in {task.id for _, task in enabled}]
    begun = guards.holding(conn, rest, _STARTED) if rest else set()
    _note_refused(conn, plan, sorted(begun), "used what was lost")


# --- what becomes of them ----------------------------------------------------------------------------------


def _effect(conn: Connection, plan: _Plan, cause: Cause, now: datetime) -> None:
    touched: set[int] = set()
    said = {one: orders.dump(step.means) for one, step in plan.steps.items()}
    for _, level in groupby(plan.ordered, key=lambda one: one.task.depth):
        step = perform(conn, [(one.row, one.task) for one in level], replace(cause, said=said), now)
        touched |= step.touched
    marking.mark_dirty(conn, sorted(touched))


def _ask(conn: Connection, plan: _Plan, now: datetime) -> str:
    """Order JEDI to say what it would do; returns the key of the order, one about the first of the tasks."""
    first = plan.ordered[0].task.id
    seq = marking.note_order(conn, first)
    body = orders.dump_steps([one.means for one in plan.ordered])
    key = f"t{first}-{seq}"
    mailbox.post(conn, [Order(OrderKind.RECOVER, seq, key, body, task_id=first)], now)
    return key


def _told(conn: Connection, plan: _Plan) -> tuple[Recovered, ...]:
    steps = sorted(plan.steps.values(), key=lambda one: (one.task.metatask_id, one.task.depth, one.task.id))
    names = refusals.names(conn, [one.task.id for one in steps])
    return tuple(Recovered(name, one.part, one.lost) for name, one in zip(names, steps, strict=True))
