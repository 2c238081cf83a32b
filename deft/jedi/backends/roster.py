"""What JEDI knows of a cluster: its limits, the arrays that it has, the attempts under way, what ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deft.base.clock import Clock
from deft.base.config import Cluster
from deft.jedi.backends import Event
from deft.jedi.backends.slurm import Limits
from deft.jedi.jobs import Array, Ending, Flight, Result

FAULTY_S = 3600.0  # so long a node that failed is remembered
INFRASTRUCTURE = frozenset({Ending.NODE, Ending.LAUNCH})


@dataclass(slots=True)
class Element:
    """An attempt under way there, and what the queue last said of it."""

    flight: Flight
    seen: str = ""  # waiting, running, or nothing yet
    seen_at: float = 0.0  # the wall clock of the last look that showed it
    missing_since: float | None = None
    memory_mb: int | None = None


class Roster:
    """One cluster."""

    def __init__(self, name: str, cluster: Cluster, workdir: Path, clock: Clock) -> None:
        self.name, self.cluster, self.workdir, self.clock = name, cluster, workdir, clock
        self.limits: Limits | None = None
        self.arrays: dict[str, Array] = {}  # by token
        self.elements: dict[Path, Element] = {}
        self.events: list[Event] = []
        self.accepted: list[Array] = []
        self.trouble = ""  # why it does not answer
        self._faulty: dict[str, list[float]] = defaultdict(list)

    def enter(self, array: Array) -> None:
        """Know an array and its attempts from now on."""
        self.arrays[array.token] = array
        for flight in array.flights.values():
            self.elements[flight.folder] = Element(flight)

    def of(self, array: Array) -> list[Element]:
        """The attempts of an array that are under way."""
        found = (self.elements.get(flight.folder) for flight in array.flights.values())
        return [element for element in found if element is not None]

    def folder(self, token: str) -> Path:
        """Where the files of an array lie."""
        return self.workdir / "submit" / token

    def accept(self, array: Array, job_id: str) -> None:
        """The cluster has an array, under this id."""
        array.job_id, array.accepted = job_id, self.clock.now()
        self.accepted.append(array)

    def end(self, element: Element, result: Result) -> None:
        """An attempt has ended."""
        if self.elements.pop(element.flight.folder, None) is None:
            return
        if result.ending in INFRASTRUCTURE and result.host:
            self._faulty[result.host].append(self.clock.monotonic())
        if element.memory_mb:
            result = replace(result, had_mb=element.memory_mb)
        self.events.append(Event("ended", element.flight.folder, result))

    def excluded(self) -> list[str]:
        """Nodes that failed too often lately."""
        since, most = self.clock.monotonic() - FAULTY_S, self.cluster.exclude_after
        return sorted(
            node for node, times in self._faulty.items() if 0 < most <= sum(at >= since for at in times)
        )


def arrays_of(flights: Sequence[Flight]) -> Iterator[Array]:
    """The arrays of attempts, each once."""
    found = {flight.array.token: flight.array for flight in flights if flight.array is not None}
    yield from found.values()
