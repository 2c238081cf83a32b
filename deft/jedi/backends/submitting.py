"""Give arrays to a batch system: never twice, whatever becomes of the answer.

The intent is committed with its token before anything is written here. Where the answer does not come, the
token is looked up, in the queue and in the accounting, for longer than a message can take; only what is
nowhere then is given again, under the same token. Files of an array: `jobs` (an attempt's folder a line),
`script`, `log`, and `command.json`, written last: where it is missing, nobody was ever told of the array.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from deft.base import faults
from deft.jedi import claims, wrapper
from deft.jedi.backends import Event, slurm
from deft.jedi.backends.host import Command, Said
from deft.jedi.backends.lanes import LONGEST_PAUSE_S, LOOK, SUBMIT, Lanes, Pause
from deft.jedi.backends.roster import Roster
from deft.jedi.backends.slurm import Accepted, Declined, Later
from deft.jedi.jobs import Array, Ending, Result

log = logging.getLogger("deft.jedi")

SCRIPT = Path(__file__).with_name("element.sh")
COMMAND = "command.json"
SETTLED_S = 5.0  # beyond twice the patience of its own messages, what is not there was never taken
LOOK_AGAIN_S = 1.0


class Submitter:
    """The arrays of a cluster that it may not have yet."""

    def __init__(self, roster: Roster, lanes: Lanes, user: str) -> None:
        self._roster, self._lanes, self._user = roster, lanes, user
        self._new: list[Array] = []
        self._unclear: dict[str, float] = {}  # tokens that may have been taken, since when
        self._pause, self._looking, self._look_at = Pause(roster.clock), Pause(roster.clock), 0.0

    @property
    def is_idle(self) -> bool:
        """Whether the cluster has all that it was to be given."""
        return not self._new and not self._unclear

    def is_busy(self) -> bool:
        """Whether there is something to give."""
        return bool(self._new) or not self._lanes.is_free(SUBMIT)

    def add(self, array: Array) -> None:
        """Give an array as soon as may be. Raises OSError where its files cannot be written."""
        self._write(array)
        self._roster.enter(array)
        self._new.append(array)

    def adopt(self, array: Array) -> bool:
        """Take up an array of an earlier JEDI; False where nobody was ever told of it, or will be."""
        if array.job_id is None and not (self._roster.folder(array.token) / COMMAND).exists():
            for flight in array.flights.values():
                claims.revoke(flight.folder)
                self._roster.events.append(Event("ended", flight.folder, Result(Ending.REVOKED)))
            return False
        self._roster.enter(array)
        if array.job_id is None:
            self._unclear[array.token] = self._roster.clock.monotonic()
        return True

    def wake_in_s(self) -> float:
        """Seconds until there is something to do."""
        times = [float("inf")]
        if self._new and self._lanes.is_free(SUBMIT):
            times.append(self._pause.left_s())
        if self._unclear and self._lanes.is_free(LOOK) and self._roster.limits is not None:
            times.append(self._look_at - self._roster.clock.monotonic())
        return max(0.0, min(times))

    # --- giving ---

    def act(self) -> None:
        """Give the next array, if it is time."""
        if self._new and self._lanes.is_free(SUBMIT) and not self._pause.left_s():
            array = self._new[0]
            path = self._roster.folder(array.token) / COMMAND
            words = json.loads(path.read_text(encoding="utf-8"))
            faults.point("batch.before-submission")
            command = Command(tuple(words), self._roster.cluster.timeout_s)
            self._lanes.start(SUBMIT, command, lambda said: self._heard(said, array))
            faults.point("batch.submission-started")

    def _heard(self, said: Said, array: Array) -> None:
        answer, name = slurm.read_submit(said), self._roster.name
        if isinstance(answer, Later):
            log.warning("JEDI: %s takes no job now: %s", name, answer.words)
            self._pause.fail()
            return
        self._new.remove(array)
        if isinstance(answer, Accepted):
            faults.point("batch.submission-accepted")
            self._pause.succeed()
            self._roster.accept(array, answer.job_id)
        elif isinstance(answer, Declined):
            self._decline(array, answer.words)
        else:
            log.warning("JEDI: %s may or may not have %s: %s", name, array.token, answer.words)
            self._pause.fail()
            self._unclear[array.token] = self._roster.clock.monotonic()

    def _decline(self, array: Array, words: str) -> None:
        name = self._roster.name
        said = f"{name} declines it: {words}; change {slurm.advice(words, name)}"
        for element in self._roster.of(array):
            self._roster.end(element, Result(Ending.REFUSED, said))
        self._roster.arrays.pop(array.token, None)

    # --- looking up ---

    def wants_look(self) -> bool:
        """Whether something is to be looked up now."""
        is_time = self._look_at <= self._roster.clock.monotonic()
        return bool(self._unclear) and is_time and self._roster.limits is not None

    def look(self) -> None:
        """Look up every array of which nobody knows whether it was taken."""
        tokens = list(self._unclear)
        command = slurm.find(tokens, self._roster.cluster, self._user)
        self._lanes.start(LOOK, command, lambda said: self._heard_queue(said, tokens))

    def _heard_queue(self, said: Said, tokens: Sequence[str]) -> None:
        rows = slurm.read_rows(said)
        if self._learned_nothing(rows) or rows is None:
            return
        self._found({row.token: row.job_id for row in reversed(rows)})
        left = [token for token in tokens if token in self._unclear]
        if left and self._roster.limits is not None and self._roster.limits.has_accounting:
            command = slurm.history_of(left, self._roster.cluster)
            self._lanes.start(LOOK, command, lambda said: self._heard_history(said, left))
        else:
            self._give_again(left)

    def _learned_nothing(self, rows: object) -> bool:
        """Whether a look failed; the next one comes later and later."""
        if rows is None:
            self._looking.fail()
        else:
            self._looking.succeed()
        self._look_at = self._roster.clock.monotonic() + max(LOOK_AGAIN_S, self._looking.left_s())
        return rows is None

    def _heard_history(self, said: Said, tokens: Sequence[str]) -> None:
        rows = slurm.read_history(said)
        if not self._learned_nothing(rows) and rows is not None:
            self._found({row.token: row.job_id for row in rows})
            self._give_again([token for token in tokens if token in self._unclear])

    def _found(self, ids: Mapping[str, str]) -> None:
        for token in list(self._unclear):
            array = self._roster.arrays[token]
            if job_id := ids.get(token) or _job_in_claims(array):
                del self._unclear[token]
                self._roster.accept(array, job_id)

    def _give_again(self, tokens: Sequence[str]) -> None:
        """Nowhere: after a while that means that it was never taken."""
        limits, now = self._roster.limits, self._roster.clock.monotonic()
        patience = SETTLED_S + 2 * (limits.message_timeout_s if limits else LONGEST_PAUSE_S)
        for token in tokens:
            if now - self._unclear[token] >= patience:
                del self._unclear[token]
                self._new.append(self._roster.arrays[token])
                self._pause.succeed()

    # --- files ---

    def _write(self, array: Array) -> None:
        folder = self._roster.folder(array.token)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [array.flights[index].folder for index in range(array.size)]
        (folder / "jobs").write_bytes(b"".join(os.fsencode(path) + b"\n" for path in paths))
        script = SCRIPT.read_text(encoding="utf-8")
        words = {"python": self._roster.cluster.python, "wrapper": self._wrapper(), "list": folder / "jobs"}
        for word, value in words.items():
            script = script.replace(f"{{{word}}}", shlex.quote(str(value)))
        (folder / "script").write_text(script, encoding="utf-8")
        job = slurm.Job(
            token=array.token,
            size=array.size,
            needs=array.needs,
            script=str(folder / "script"),
            log=str(folder / "log"),
            workdir=str(self._roster.workdir),
            exclude=self._roster.excluded(),
        )
        new = folder / f"{COMMAND}.new"
        new.write_text(json.dumps(slurm.submit(job, self._roster.cluster).words), encoding="utf-8")
        new.rename(folder / COMMAND)

    def _wrapper(self) -> Path:
        """A copy of the wrapper where the nodes see it: jobs under way keep theirs when DEFT is changed."""
        content = Path(wrapper.__file__).read_bytes()
        path = self._roster.folder(f"wrapper-{hashlib.sha256(content).hexdigest()[:12]}.py")
        if not path.exists():
            new = path.with_name(f"{path.name}.{os.getpid()}")
            new.write_bytes(content)
            new.rename(path)
        return path


def _job_in_claims(array: Array) -> str:
    """The id that a wrapper of the array saw."""
    found = (claims.read_claim(flight.folder) for flight in array.flights.values())
    return next((claim.job_id for claim in found if claim is not None and claim.job_id), "")
