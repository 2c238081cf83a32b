"""Lead tasks to a wanted state by the verbs that there are, and show first what would follow by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base.errors import BadInput, Refused
from deft.engine import commands, refusals, reset
from deft.engine.commands import Command, Note
from deft.engine.evaluate import evaluate
from deft.engine.perform import Cause, perform
from deft.engine.reset import Discarded
from deft.model.net import VOCABULARY
from deft.model.tasks import State
from deft.model.verbs import VERBS
from deft.model.wanted import DISCARDS, NEAR, WAYS
from deft.store import guards, lineage, marking
from deft.store.selection import Selected
from deft.store.session import Session
from deft.store.tables import deft_node

_LISTED = 10


@dataclass(frozen=True, slots=True)
class SetStateRequest:
    """Lead a selection to a state. `discard`: throwing progress away is a way, too."""

    actor: Actor
    selection: str
    state: str
    discard: bool = False
    reason: str | None = None
    dry_run: bool = False
    key: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """One verb, and the tasks it was done to."""

    verb: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Follows:
    """What the net would do next by itself: a task, its state before and after, the transition."""

    task: str
    old: str
    new: str
    cause: str


@dataclass(frozen=True, slots=True)
class SetStateAnswer:
    """The verbs that were done; of a dry run also what follows, and the tasks that take their data."""

    metatasks: tuple[str, ...]
    state: str
    taken: tuple[Taken, ...]
    already: int
    passed_over: int
    discarded: tuple[Discarded, ...] = ()
    follows: tuple[Follows, ...] = ()
    below: tuple[str, ...] = ()
    dry_run: bool = False


def set_state(session: Session, request: SetStateRequest) -> SetStateAnswer:
    """Lead tasks to a state; where each was named, all of them or none.

    Raises Refused where no verb leads there, naming one that is near; BadInput, NotFound, NotAllowed.
    """
    commands.check_reason(request.reason)
    if request.state not in set(State):
        raise BadInput(f"{request.state!r} is no state of a task; the states are {', '.join(State)}")
    said: dict[str, object] = {"state": request.state, "discard": request.discard}
    said |= {n: text for n in ("reason", "where") if (text := getattr(request, n)) is not None}
    command = Command(request.actor, "set-state", request.selection, said, request.key, request.dry_run)

    def act(conn: Connection, note: Note) -> SetStateAnswer:
        parts = commands.choose(session, conn, note, request.selection, request.where)
        return _Doing(conn, session.clock.now(), request).all(parts, note)

    return commands.give(session, command, SetStateAnswer, act)


class _Doing:
    """One command under way in its transaction."""

    def __init__(self, conn: Connection, now: datetime, request: SetStateRequest) -> None:
        self._conn, self._now, self._request = conn, now, request
        self._state = State(request.state)
        self._cause = Cause(request.actor.name, request.reason)
        self._taken: dict[str, list[int]] = defaultdict(list)
        self._discarded: list[Discarded] = []
        self._touched: set[int] = set()

    def all(self, parts: Sequence[Selected], note: Note) -> SetStateAnswer:
        """Lead every part there."""
        already = passed_over = 0
        for part in parts:
            ids = list(part.node_ids)
            there = self._holding(ids, f"state == '{self._state}'")
            ways = self._ways([one for one in ids if one not in there])
            stuck = [one for one in ids if one not in there and one not in ways]
            if stuck and (part.named or not (ways or there)):
                raise Refused(self._refusal(stuck))
            already, passed_over = already + len(there), passed_over + len(stuck)
            self._take(ways)
        changed = sorted({one for ids in self._taken.values() for one in ids})
        note.tasks += len(changed)
        marking.mark_dirty(self._conn, sorted(self._touched))
        names = tuple(part.full_name for part in parts)
        return self._answer(names, changed, already, passed_over)

    def _holding(self, ids: Sequence[int], guard: str) -> set[int]:
        return guards.holding(self._conn, ids, VOCABULARY.parse(guard)) if ids else set()

    def _ways(self, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """The verbs for each task that has a way."""
        found: dict[int, tuple[str, ...]] = {}
        for way in WAYS.get(self._state, ()):
            if DISCARDS not in way.verbs or self._request.discard:
                left = [one for one in ids if one not in found]
                found |= dict.fromkeys(self._holding(left, way.guard), way.verbs)
        return found

    def _take(self, ways: Mapping[int, tuple[str, ...]]) -> None:
        for verbs in sorted(set(ways.values())):
            ids = sorted(one for one in ways if ways[one] == verbs)
            for verb in verbs:
                roles.require(self._request.actor, verb)
                if verb == DISCARDS:
                    self._reset(ids)
                else:
                    self._do(verb, ids)

    def _reset(self, ids: Sequence[int]) -> None:
        done = reset.begin_anew(self._conn, ids, self._cause, self._now)
        self._taken[DISCARDS] += done.node_ids
        self._discarded += done.discarded
        self._touched |= set(done.node_ids)

    def _do(self, verb: str, ids: Sequence[int]) -> None:
        enabled = guards.first_enabled(self._conn, ids, VERBS[verb].rows)
        if len(enabled) < len(ids):
            fitting = {task.id for _, task in enabled}
            raise Refused(refusals.of(self._conn, VERBS[verb], [one for one in ids if one not in fitting]))
        self._touched |= perform(self._conn, enabled, self._cause, self._now).touched
        self._taken[verb] += ids

    def _refusal(self, stuck: Sequence[int]) -> str:
        near: dict[int, str] = {}
        if any(DISCARDS in way.verbs for way in WAYS.get(self._state, ())) and not self._request.discard:
            said = "only `deft reset --discard` leads there, which throws away what it made; say --discard"
            near |= dict.fromkeys(self._holding(stuck, "ended and not retired"), said)
        for guard, text in NEAR.get(self._state, ()):
            left = [one for one in stuck if one not in near]
            near |= dict.fromkeys(self._holding(left, guard), text)
        n, shown = deft_node.c, stuck[:_LISTED]
        query = sa.select(n.id, n.name, n.state).where(n.id.in_(shown)).order_by(n.position)
        lines = [f"{row.name} is {row.state}: {near[row.id]}"
                 for row in self._conn.execute(query)]  # fmt: skip
        more = f"\n  and {len(stuck) - len(shown)} more" if len(stuck) > len(shown) else ""
        listed = "\n  ".join(lines)
        return f"no verb leads them to {self._state}, nothing was changed:\n  {listed}{more}"

    def _answer(
        self, metatasks: tuple[str, ...], changed: Sequence[int], already: int, passed_over: int
    ) -> SetStateAnswer:
        dry = self._request.dry_run
        taken = {verb: refusals.names(self._conn, ids) for verb, ids in self._taken.items()}
        below = sorted(lineage.descendants(self._conn, changed) - set(changed)) if dry else []
        return SetStateAnswer(
            metatasks=metatasks,
            state=self._state.value,
            taken=tuple(Taken(verb, tuple(names)) for verb, names in taken.items()),
            already=already,
            passed_over=passed_over,
            discarded=tuple(self._discarded),
            follows=tuple(self._follows()) if dry else (),
            below=tuple(refusals.names(self._conn, below)),
            dry_run=dry,
        )

    def _follows(self) -> list[Follows]:
        """What the net would do at once; it is done here, and rolled back with the rest."""
        fired = [one for one in evaluate(self._conn, self._touched, self._now) if one.old != one.new]
        names = refusals.names(self._conn, [one.node_id for one in fired])
        return [Follows(name, one.old, one.new, one.cause) for name, one in zip(names, fired, strict=True)]
