"""A batch system as a back-end: arrays are submitted, followed by one look at the queue for all, cancelled.

Nothing here waits: a command of the scheduler is started in one of three lanes and heard of when it ends.
"""

from __future__ import annotations

import getpass
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from deft.base.clock import Clock
from deft.base.config import Cluster
from deft.jedi.backends import Event, slurm
from deft.jedi.backends.cancelling import Canceller
from deft.jedi.backends.following import Follower
from deft.jedi.backends.host import Here, Host
from deft.jedi.backends.lanes import LOOK, Lanes
from deft.jedi.backends.roster import Roster, arrays_of
from deft.jedi.backends.submitting import Submitter
from deft.jedi.jobs import Array, Flight

KEPT = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR", "SLURM_CONF")
SOON_S = 1.0


def environ(cluster: Cluster, ours: Mapping[str, str]) -> dict[str, str]:
    """What the scheduler's commands, and so the jobs, see of our environment: never a secret of ours."""
    names = (*KEPT, *shlex.split(cluster.environment))
    found = {name: ours[name] for name in names if name in ours}
    return {**found, **slurm.ENVIRON, **({"SLURM_CONF": cluster.conf} if cluster.conf else {})}


def opened(
    name: str, cluster: Cluster, workdir: Path, clock: Clock, surroundings: Mapping[str, str]
) -> BatchSystem:
    """A cluster whose commands are carried out on this machine."""
    return BatchSystem(name, cluster, Here(environ(cluster, surroundings), str(workdir)), workdir, clock)


class BatchSystem:
    """One cluster."""

    lasting = True

    def __init__(self, name: str, cluster: Cluster, host: Host, workdir: Path, clock: Clock) -> None:
        self.name = name
        self._lanes, user = Lanes(host), getpass.getuser()
        self._roster = Roster(name, cluster, workdir, clock)
        self._canceller = Canceller(self._roster, self._lanes)
        self._submitter = Submitter(self._roster, self._lanes, user)
        self._follower = Follower(self._roster, self._lanes, self._canceller, user)

    @property
    def max_array(self) -> int:
        """How many attempts it takes as one array."""
        limits = self._roster.limits
        return limits.max_array if limits is not None else self._roster.cluster.max_array

    def places(self, occupied: int) -> int:
        """None while it does not answer, or has not taken what it was given: better chosen later."""
        if self._roster.limits is None or self._roster.trouble or not self._submitter.is_idle:
            return 0
        return max(0, self._roster.cluster.max_jobs - len(self._roster.elements))

    def submit(self, flights: Sequence[Flight]) -> None:
        for array in arrays_of(flights):
            self._submitter.add(array)

    def adopt(self, flights: Sequence[Flight]) -> None:
        for array in arrays_of(flights):
            self._submitter.adopt(array)

    def fds(self) -> list[int]:
        return self._lanes.fds()

    def wake_in_s(self) -> float:
        if self._roster.events or self._roster.accepted:
            return 0.0
        parts = (self._lanes, self._submitter, self._follower, self._canceller)
        return min(part.wake_in_s() for part in parts)

    def collect(self) -> list[Event]:
        self._lanes.hear()
        if self._roster.accepted:
            self._follower.hurry(self._roster.cluster.poll_s)
        if self._canceller.has_acted:
            self._canceller.has_acted = False
            self._follower.hurry(SOON_S)
        self._submitter.act()
        self._canceller.act()
        if self._lanes.is_free(LOOK) and self._submitter.wants_look():
            self._submitter.look()
        self._follower.act()
        events, self._roster.events = self._roster.events, []
        return events

    def accepted(self) -> list[Array]:
        found, self._roster.accepted = self._roster.accepted, []
        if found and self._submitter.is_idle:
            self._roster.events.append(Event("free", self._roster.workdir))
        return found

    def starving(self) -> bool:
        return False  # it has a queue of its own

    def blocked(self) -> list[Path]:
        return []

    def withdraw(self, flight: Flight) -> None:
        self._roster.elements.pop(flight.folder, None)
        self._tell_to_end(flight)

    def cancel(self, flight: Flight) -> None:
        if flight.folder in self._roster.elements:
            self._tell_to_end(flight)

    def _tell_to_end(self, flight: Flight) -> None:
        if flight.array is not None:
            self._canceller.add(flight.array.token, flight.index)

    def is_busy(self) -> bool:
        return self._submitter.is_busy() or self._canceller.is_busy()

    def close(self) -> None:
        self._lanes.close()
