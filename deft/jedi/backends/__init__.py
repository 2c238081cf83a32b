"""Where attempts run: one seam, a module a kind of back-end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from deft.jedi.jobs import Array, Flight, Result


@dataclass(frozen=True, slots=True)
class Event:
    """What a back-end heard of an attempt. `gone`: whoever ran it died without a word.

    `free` is not about an attempt: there may be places where there were none.
    """

    kind: Literal["started", "ended", "gone", "free"]
    folder: Path
    result: Result | None = None
    host: str | None = None
    pid: int | None = None
    started: datetime | None = None


class Backend(Protocol):
    """Runs attempts whose folders are made; never reads or writes the database."""

    name: str
    lasting: bool  # what it was given goes on when we end; `adopt` takes it up again

    @property
    def max_array(self) -> int:
        """How many attempts it takes as one array; 0: it knows no arrays."""

    def places(self, occupied: int) -> int:
        """How many attempts more it would take now; `occupied` slots are used by others."""

    def submit(self, flights: Sequence[Flight]) -> None:
        """Take attempts over; each was committed as an intent before.

        Raises OSError where it can take none of them.
        """

    def adopt(self, flights: Sequence[Flight]) -> None:
        """Take up attempts that an earlier one of us had submitted, or was about to."""

    def fds(self) -> list[int]:
        """Descriptors that become readable when there is something to collect."""

    def wake_in_s(self) -> float:
        """Seconds until `collect` has something to do that no descriptor tells of."""

    def collect(self) -> list[Event]:
        """What was heard since the last time. Whatever is due is begun."""

    def accepted(self) -> list[Array]:
        """The arrays that were given an id since the last time."""

    def starving(self) -> bool:
        """Whether somebody has nothing, or little, left to run."""

    def blocked(self) -> list[Path]:
        """Attempts that wait behind a long one while a slot is free: better taken back."""

    def withdraw(self, flight: Flight) -> None:
        """Forget an attempt whose claim was taken back."""

    def cancel(self, flight: Flight) -> None:
        """Stop an attempt that runs."""

    def is_busy(self) -> bool:
        """Whether something that was asked of it is not yet on its way."""

    def close(self) -> None:
        """Hand out nothing more; what runs may finish."""
