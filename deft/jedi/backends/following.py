"""Follow the attempts that a batch system has: one look at the queue for all of them.

What is in the queue goes on. What is not, or ended there, has its record in its folder; where that says less
than all, the accounting is asked, then the controller, and after a grace nobody waits any more. A look that
failed says nothing and changes nothing.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from deft.jedi import claims
from deft.jedi.backends import Event, evidence, slurm
from deft.jedi.backends.cancelling import Canceller
from deft.jedi.backends.host import Said
from deft.jedi.backends.lanes import LOOK, Lanes, Pause
from deft.jedi.backends.roster import Element, Roster
from deft.jedi.backends.slurm import Row
from deft.jedi.jobs import Array, Ending, Result

log = logging.getLogger("deft.jedi")

SLOWEST = 6  # times poll_s, while nothing changes
SLOWER = 1.2
WHOLE_SECONDS = 1.0  # in which the controller says when it was started


class Follower:
    """The looks at one cluster."""

    def __init__(self, roster: Roster, lanes: Lanes, canceller: Canceller, user: str) -> None:
        self._roster, self._lanes, self._canceller, self._user = roster, lanes, canceller, user
        self._doubts: dict[Path, Element] = {}
        self._pause = Pause(roster.clock)
        self._interval = roster.cluster.poll_s
        self._next = 0.0
        self._booted = 0.0

    def wake_in_s(self) -> float:
        """Seconds until the next look."""
        if not self._lanes.is_free(LOOK) or not (self._roster.elements or self._roster.limits is None):
            return float("inf")
        return max(self._pause.left_s(), self._next - self._roster.clock.monotonic())

    def hurry(self, within_s: float) -> None:
        """Look soon: something is about to change."""
        self._interval = self._roster.cluster.poll_s
        within_s = min(within_s, self._interval)
        self._next = min(self._next, self._roster.clock.monotonic() + within_s)

    def act(self) -> None:
        """Look, if it is time."""
        if self.wake_in_s() > 0:
            return
        if self._roster.limits is None:
            self._lanes.start(LOOK, slurm.limits(self._roster.cluster), self._heard_limits)
        else:
            known = {array.token for array in self._roster.arrays.values() if array.job_id is not None}
            command = slurm.poll(self._roster.cluster, self._user)
            self._lanes.start(LOOK, command, lambda said: self._heard(said, known))

    def _answered(self, said: Said, *, understood: bool) -> bool:
        """Whether a look was answered; if not, the next one comes later."""
        name, before = self._roster.name, self._roster.trouble
        if understood:
            if before:
                log.info("JEDI: %s answers again", name)
                self._roster.events.append(Event("free", self._roster.workdir))
            self._roster.trouble = ""
            self._pause.succeed()
        else:
            if not before:
                log.warning("JEDI: %s does not answer: %s", name, said.words)
            self._roster.trouble = said.words
            self._pause.fail()
        return understood

    def _heard_limits(self, said: Said) -> None:
        found = slurm.read_limits(said, self._roster.cluster)
        if self._answered(said, understood=found is not None):
            if self._roster.limits is None:
                self._roster.events.append(Event("free", self._roster.workdir))
            self._roster.limits = found
            self._resolve()
        self._doubts.clear()

    # --- the queue ---

    def _heard(self, said: Said, tokens: set[str]) -> None:
        rows, before = slurm.read_rows(said), len(self._roster.events)
        if not self._answered(said, understood=rows is not None):
            return
        seen = self._sort(rows or ())
        for token in tokens & self._roster.arrays.keys():
            self._follow(self._roster.arrays[token], seen.get(token, {}))
        self._plan_next(changed=len(self._roster.events) > before)
        self._ask_further()

    def _plan_next(self, *, changed: bool) -> None:
        least = self._roster.cluster.poll_s
        self._interval = least if changed else min(SLOWEST * least, self._interval * SLOWER)
        self._next = self._roster.clock.monotonic() + self._interval

    def _sort(self, rows: Sequence[Row]) -> dict[str, dict[int, Row]]:
        """The lines by token and index. An array of ours under a second id is one too many."""
        seen: dict[str, dict[int, Row]] = defaultdict(dict)
        for row in rows:
            array = self._roster.arrays.get(row.token)
            if array is None or array.job_id is None:
                continue
            if row.job_id != array.job_id:
                if row.state in slurm.LIVE:
                    self._canceller.stray(row.job_id, row.token)
                continue
            for indices in row.indices:
                seen[row.token].update(dict.fromkeys(indices, row))
        return seen

    def _follow(self, array: Array, rows: Mapping[int, Row]) -> None:
        elements = self._roster.of(array)
        for element in elements:
            row = rows.get(element.flight.index)
            if row is not None and row.state in slurm.LIVE:
                self._note(element, row)
            else:
                self._look_at(element, row)
        if not elements and not self._canceller.concerns(array.token):
            del self._roster.arrays[array.token]

    def _note(self, element: Element, row: Row) -> None:
        element.missing_since, element.seen_at = None, self._roster.clock.now().timestamp()
        element.memory_mb = row.memory_mb or element.memory_mb
        flight = element.flight
        if row.state not in slurm.WAITING:
            if element.seen != "running":
                element.seen = "running"
                began = self._roster.clock.now()
                self._roster.events.append(Event("started", flight.folder, host=row.node, started=began))
            return
        element.seen = "waiting"
        if row.reason.startswith(slurm.HOPELESS) and claims.revoke(flight.folder):
            self._canceller.add(row.token, flight.index)
            self._roster.end(element, Result(Ending.LAUNCH, f"it would wait for ever: {row.reason}"))

    def _look_at(self, element: Element, row: Row | None) -> None:
        """It is not in the queue any more, or ended there."""
        result = evidence.good(element.flight.folder)
        if result is None and row is not None:
            result = self._explained(element, row)
        if result is not None:
            self._roster.end(element, result)
            return
        if element.missing_since is None:
            element.missing_since = self._roster.clock.monotonic()
        if row is None:
            self._doubts[element.flight.folder] = element

    def _explained(self, element: Element, row: Row) -> Result | None:
        if row.state not in slurm.ENDINGS:
            name = self._roster.name
            log.warning("JEDI: %s: job %s is in the unknown state %s", name, row.raw_id, row.state)
            return None
        said = evidence.Word(slurm.ENDINGS[row.state], row.state, row.node, row.raw_id)
        return evidence.ended(element.flight, said, self._roster.folder(row.token) / "log")

    # --- doubts ---

    def _ask_further(self) -> None:
        """Of those that the queue does not show: the accounting first, then the controller."""
        limits = self._roster.limits
        if not self._doubts or limits is None:
            return
        if not limits.has_accounting:
            self._lanes.start(LOOK, slurm.limits(self._roster.cluster), self._heard_limits)
            return
        arrays = (element.flight.array for element in self._doubts.values())
        ids = {array.job_id for array in arrays if array is not None and array.job_id}
        self._lanes.start(LOOK, slurm.history(sorted(ids), self._roster.cluster), self._heard_history)

    def _heard_history(self, said: Said) -> None:
        rows = slurm.read_history(said)
        if rows is None:
            log.warning("JEDI: the accounting of %s does not answer: %s", self._roster.name, said.words)
            self._doubts.clear()
            return
        seen = self._sort(rows)
        for folder, element in list(self._doubts.items()):
            array = element.flight.array
            row = seen[array.token].get(element.flight.index) if array is not None else None
            if row is not None:
                del self._doubts[folder]
                if (
                    row.state not in slurm.LIVE
                ):  # else its books are behind the queue: the next look asks again
                    self._look_at(element, row)
        if self._doubts:
            self._lanes.start(LOOK, slurm.limits(self._roster.cluster), self._heard_limits)

    def _resolve(self) -> None:
        """What neither the queue nor the accounting knows."""
        booted = self._roster.limits.booted if self._roster.limits is not None else float("inf")
        now = self._roster.clock.monotonic()
        for element in self._doubts.values():
            missing = now - (now if element.missing_since is None else element.missing_since)
            was_waiting = element.seen == "waiting" and element.seen_at > booted + WHOLE_SECONDS
            result = evidence.vanished(
                element.flight,
                was_waiting=was_waiting and missing >= self._roster.cluster.poll_s,  # at a second look
                grace_is_over=missing >= self._roster.cluster.grace_s,
            )
            if result is not None:
                self._roster.end(element, result)
