"""Where attempts run: one seam, a module a scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from deft.jedi.jobs import Result


@dataclass(frozen=True, slots=True)
class Event:
    """What a back-end heard of an attempt. `gone`: whoever ran it died without a word."""

    kind: Literal["started", "ended", "gone"]
    folder: Path
    result: Result | None = None
    host: str | None = None
    pid: int | None = None
    started: datetime | None = None


class Backend(Protocol):
    """Runs attempts whose folders are made; never reads or writes the database."""

    name: str

    def places(self, occupied: int) -> int:
        """How many attempts more it would take now; `occupied` slots are used by others."""

    def submit(self, folders: Sequence[Path]) -> None:
        """Take attempts over; each was committed as an intent before.

        Raises OSError where it can take none of them.
        """

    def fds(self) -> list[int]:
        """Descriptors that become readable when there is something to collect."""

    def collect(self) -> list[Event]:
        """What was heard since the last time."""

    def starving(self) -> bool:
        """Whether somebody has nothing, or little, left to run."""

    def blocked(self) -> list[Path]:
        """Attempts that wait behind a long one while a slot is free: better taken back."""

    def cancel(self, folder: Path) -> None:
        """Stop an attempt that runs."""

    def close(self) -> None:
        """Hand out nothing more; what runs may finish."""
