"""End what a batch system runs for us: many elements of an array with one command."""

from __future__ import annotations

import logging
from collections import defaultdict

from deft.base import faults
from deft.jedi.backends import slurm
from deft.jedi.backends.host import Said
from deft.jedi.backends.lanes import CANCEL, Lanes, Pause
from deft.jedi.backends.roster import Roster
from deft.jedi.jobs import Array

log = logging.getLogger("deft.jedi")


class Canceller:
    """What one cluster is to be told to end."""

    def __init__(self, roster: Roster, lanes: Lanes) -> None:
        self._roster, self._lanes = roster, lanes
        self._wanted: dict[str, set[int]] = defaultdict(set)  # indices by token
        self._strays: dict[str, str] = {}  # tokens by job id
        self._pause = Pause(roster.clock)
        self.has_acted = False

    def add(self, token: str, index: int) -> None:
        """End one element."""
        self._wanted[token].add(index)

    def stray(self, job_id: str, token: str) -> None:
        """End a whole array that nobody wanted."""
        self._strays[job_id] = token

    def concerns(self, token: str) -> bool:
        """Whether something of an array is still to be ended."""
        return token in self._wanted

    def is_busy(self) -> bool:
        """Whether there is something that can be told, or is being told."""
        return bool(self._strays or self._next()) or not self._lanes.is_free(CANCEL)

    def wake_in_s(self) -> float:
        """Seconds until there is something to tell."""
        if self._lanes.is_free(CANCEL) and (self._strays or self._next()):
            return self._pause.left_s()
        return float("inf")

    def _next(self) -> Array | None:
        arrays = (self._roster.arrays.get(token) for token in self._wanted)
        return next((array for array in arrays if array is not None and array.job_id is not None), None)

    def act(self) -> None:
        """Tell the next of it, if it is time."""
        if self.wake_in_s() > 0:
            return
        if self._strays:
            job_id, token = next(iter(self._strays.items()))
            command = slurm.cancel(job_id, token, None, self._roster.cluster)
            self._lanes.start(CANCEL, command, lambda said: self._heard_stray(said, job_id))
        elif (array := self._next()) is not None:
            indices = self._wanted.pop(array.token)
            some = None if len(indices) == array.size else sorted(indices)
            command = slurm.cancel(array.job_id or "", array.token, some, self._roster.cluster)
            self._lanes.start(CANCEL, command, lambda said: self._heard(said, array.token, indices))
            faults.point("batch.cancel-started")

    def _heard_stray(self, said: Said, job_id: str) -> None:
        if self._went_well(said):
            self._strays.pop(job_id, None)

    def _heard(self, said: Said, token: str, indices: set[int]) -> None:
        if not self._went_well(said):
            self._wanted[token] |= indices

    def _went_well(self, said: Said) -> bool:
        if said.exit_code == 0:
            self._pause.succeed()
            self.has_acted = True
            return True
        log.warning("JEDI: %s ends nothing now: %s", self._roster.name, said.words)
        self._pause.fail()
        return False
