"""Commands of one cluster under way: one a lane, each with what is to be done when it was heard of."""

from __future__ import annotations

from collections.abc import Callable

from deft.base.clock import Clock
from deft.jedi.backends.host import Command, Host, Said

SUBMIT, LOOK, CANCEL = "submit", "look", "cancel"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0


class Lanes:
    """The lanes of a host, and who waits at the end of each."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._heard: dict[str, Callable[[Said], None]] = {}

    def start(self, lane: str, command: Command, heard: Callable[[Said], None]) -> None:
        """Begin a command in a lane that is free."""
        self._heard[lane] = heard
        self._host.start(lane, command)

    def is_free(self, lane: str) -> bool:
        """Whether nothing is under way in a lane."""
        return lane not in self._heard

    def hear(self) -> None:
        """Act on what has ended."""
        for lane, said in self._host.finished():
            self._heard.pop(lane)(said)

    def fds(self) -> list[int]:
        """Descriptors that become readable when a command ends."""
        return self._host.fds()

    def wake_in_s(self) -> float:
        """Seconds until a command has had its time."""
        return self._host.wake_in_s()

    def close(self) -> None:
        """Wait for nothing any more."""
        self._host.close()


class Pause:
    """Longer and longer while something does not work."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._length, self._until = clock, FIRST_PAUSE_S, 0.0

    def fail(self) -> None:
        """Wait twice as long as the time before."""
        self._until = self._clock.monotonic() + self._length
        self._length = min(LONGEST_PAUSE_S, self._length * 2)

    def succeed(self) -> None:
        """Go on at once."""
        self._length, self._until = FIRST_PAUSE_S, 0.0

    def left_s(self) -> float:
        """Seconds that it lasts."""
        return max(0.0, self._until - self._clock.monotonic())
