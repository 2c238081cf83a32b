"""Units into jobs: pure. Jobs are made late, only as many as will soon run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Value = str | int | float | bool
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Split:
    """How many units a job takes; None: all of them, in one job (reduce)."""

    units_per_job: int | None = 1

    @staticmethod
    def of(settings: Mapping[str, Value], *, reduce: bool) -> Split:
        """What the settings of a task ask for."""
        if reduce:
            return Split(None)
        wanted = int(settings.get("split.units_per_job", 1))
        most = int(settings.get("split.max_units_per_job", wanted))
        return Split(max(1, min(wanted, most)))

    def rows_for(self, jobs: int) -> int | None:
        """How many units fill that many jobs; None: all there are."""
        return None if self.units_per_job is None else jobs * self.units_per_job


def pack(units: Sequence[T], split: Split) -> Iterator[Sequence[T]]:
    """Cut units, in their order, into the sets of jobs; the last one may be smaller."""
    size = len(units) if split.units_per_job is None else split.units_per_job
    for start in range(0, len(units), max(size, 1)):
        yield units[start : start + size]
