"""This machine as a back-end: a pool of `wrapper.py --serve`, one a slot, each with a short queue ahead."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deft.base import faults
from deft.base.config import LOCAL
from deft.jedi import wrapper
from deft.jedi.backends import Event
from deft.jedi.claims import CLAIM
from deft.jedi.jobs import Array, Flight, read_result

AHEAD_S = 0.2  # work that a wrapper should have before it
DEEPEST = 32
LONG_S = 0.5  # nobody should wait longer than this behind a job
REST_S = 2.0  # after a wrapper that could not be started


class _Wrapper:
    """One wrapper process: its pipes and the folders it was given."""

    def __init__(self, log: int) -> None:
        command = [sys.executable, "-S", "-E", wrapper.__file__, "--serve"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, bufsize=0,
            start_new_session=True,
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.inbox = self.process.stdin.fileno()
        self.outbox = self.process.stdout.fileno()
        os.set_blocking(self.outbox, False)
        self.queue: deque[str] = deque()
        self.long_since: float | None = None
        self.has_spoken = False
        self._rest = b""

    def is_stuck(self) -> bool:
        """Whether it runs something long: nobody should wait behind that."""
        return self.long_since is not None and time.monotonic() - self.long_since > LONG_S

    def tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # its end is noticed when its events are read
            os.write(self.inbox, os.fsencode(line) + b"\n")

    def hear(self) -> tuple[list[dict[str, Any]], bool]:
        """The events since the last time, and whether it has gone."""
        pieces, gone = [self._rest], False
        while True:
            try:
                piece = os.read(self.outbox, 1 << 18)
            except BlockingIOError:
                break
            if not piece:
                gone = True
                break
            pieces.append(piece)
        lines = b"".join(pieces).split(b"\n")
        self._rest = lines.pop()
        return [json.loads(line) for line in lines], gone

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


class LocalPool:
    """A pool of wrappers on this machine."""

    name = LOCAL
    lasting = False
    max_array = 0

    def __init__(self, slots: int, log_folder: Path) -> None:
        self._slots = slots
        self._log_folder = log_folder
        self._wrappers: list[_Wrapper] = []
        self._mean_s: float | None = None
        self._closed = False
        self._rest_until = 0.0

    def _depth(self) -> int:
        """Jobs a wrapper should have: more ahead where they are short."""
        if self._mean_s is None:
            return 1
        return max(1, min(DEEPEST, round(AHEAD_S / max(self._mean_s, 1e-4))))

    def places(self, occupied: int) -> int:
        if self._closed or time.monotonic() < self._rest_until:
            return 0
        depth = self._depth()
        idle_slots = self._slots - len(self._wrappers) - occupied
        ahead = sum(max(0, depth - len(one.queue)) for one in self._wrappers if not one.is_stuck())
        return max(0, depth * idle_slots + ahead)

    def submit(self, flights: Sequence[Flight]) -> None:
        batches: dict[int, list[str]] = {}
        for flight in flights:
            target, folder = self._freest(), str(flight.folder)
            target.queue.append(folder)
            batches.setdefault(id(target), []).append(folder)
        for one in self._wrappers:
            if id(one) in batches:
                one.tell("\n".join(batches[id(one)]))

    def _freest(self) -> _Wrapper:
        if len(self._wrappers) < self._slots and all(one.queue for one in self._wrappers):
            try:
                self._wrappers.append(self._start())
            except OSError:
                self._rest_until = time.monotonic() + REST_S
                if not self._wrappers:
                    raise
        return min(self._wrappers, key=lambda one: (one.is_stuck(), len(one.queue)))

    def _start(self) -> _Wrapper:
        faults.point("jedi.wrapper-before-start")
        self._log_folder.mkdir(parents=True, exist_ok=True)
        with open(self._log_folder / "wrapper.log", "ab") as log:
            started = _Wrapper(log.fileno())
        faults.point("jedi.wrapper-started")
        return started

    def fds(self) -> list[int]:
        return [one.outbox for one in self._wrappers]

    def collect(self) -> list[Event]:
        events: list[Event] = []
        for one in list(self._wrappers):
            said, gone = one.hear()
            for text in said:
                events.extend(self._understand(one, text))
            if gone:
                events.extend(Event("gone", Path(folder)) for folder in one.queue)
                self._bury(one)
        return events

    def _bury(self, one: _Wrapper) -> None:
        self._wrappers.remove(one)
        one.close()
        one.process.wait()
        begun = one.has_spoken or any((Path(folder) / CLAIM).exists() for folder in one.queue)
        if not begun:  # it does not even start: do not try as fast as we can
            self._rest_until = time.monotonic() + REST_S

    def _understand(self, one: _Wrapper, text: dict[str, Any]) -> list[Event]:
        folder = Path(text["folder"])
        one.has_spoken = True
        if text["event"] == "started":
            one.long_since = time.monotonic()
            began = datetime.fromtimestamp(text["started"], UTC)
            return [Event("started", folder, None, text["host"], text["pid"], began)]
        one.long_since = None
        with contextlib.suppress(ValueError):
            one.queue.remove(text["folder"])
        if text["event"] == "skipped":
            return []
        result = read_result(text["result"])
        if result.wall_s is not None:
            old = self._mean_s
            self._mean_s = result.wall_s if old is None else 0.8 * old + 0.2 * result.wall_s
        return [Event("ended", folder, result)]

    def starving(self) -> bool:
        low = self._depth() // 2
        return any(len(one.queue) <= low for one in self._wrappers)

    def blocked(self) -> list[Path]:
        stuck = [one for one in self._wrappers if one.is_stuck()]
        free = len(self._wrappers) < self._slots or any(not w.queue for w in self._wrappers)
        return [Path(folder) for one in stuck for folder in list(one.queue)[1:]] if free else []

    def adopt(self, flights: Sequence[Flight]) -> None:
        """Never needed: the wrappers of an earlier pool are watched, see reconcile.py."""
        raise NotImplementedError

    def wake_in_s(self) -> float:
        return float("inf")

    def accepted(self) -> list[Array]:
        return []

    def withdraw(self, flight: Flight) -> None:
        """Its wrapper will find the claim taken, and skip it."""

    def is_busy(self) -> bool:
        return False

    def cancel(self, flight: Flight) -> None:
        for one in self._wrappers:
            if str(flight.folder) in one.queue:
                one.tell(f"!{flight.folder}")

    def close(self) -> None:
        """The wrappers see the end of their input: they finish what runs and start nothing more."""
        self._closed = True
        for one in self._wrappers:
            if one.process.stdin is not None:
                one.process.stdin.close()
        for one in self._wrappers:
            if not one.queue:  # it has nothing to finish
                with contextlib.suppress(subprocess.TimeoutExpired):
                    one.process.wait(LONG_S)
            one.close()
