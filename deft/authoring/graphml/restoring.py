"""What a tool did to the values of a Meta-Task, taken back: lost, filled in, shortened, spelled otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from deft.authoring.graphml import respelled
from deft.authoring.graphml.keepsakes import Keepsakes
from deft.model.graph import MetaTask
from deft.model.keys import Scope, Value
from deft.model.tasks import Edge, Foreign, Task

Piece = Task | Edge


@dataclass(frozen=True, slots=True)
class Restored:
    """One thing that the stored Meta-Task gave back.

    `subject` is a task, `source -> target id` of an edge, or `the graph`; `key` what of it, empty for all of
    it. `why` is `lost` (dropped by the tool), `filled` (absent before, filled in by the tool), `rounded` or
    `respelled` (the same value, shorter or in other words) or `merged` (an edge that went into another one).
    """

    subject: str
    key: str
    why: str


class Restoring:
    """Restores values piece by piece, and notes what it restored.

    `pairs` are the tasks and edges that are on both sides, (stored, read).
    """

    def __init__(self, stored: MetaTask, read: MetaTask, pairs: Iterable[tuple[Piece, Piece]]) -> None:
        self.restored: list[Restored] = []
        self._kept = Keepsakes(stored.foreign, read.foreign)
        # Gephi drops what the graph holds; where it is there, its keys are left from an earlier trip.
        self.by_gephi = self._kept.tool == "gephi" and not read.settings
        # Gephi takes whole columns for labels of its own.
        self._gone = _names(stored) - _names(read) if self.by_gephi else set()
        self._full: dict[Scope, set[str]] = {
            "graph": set(),
            "node": _full(read.nodes),
            "edge": _full(read.edges),
        }
        self._by_igraph = self._kept.tool == "igraph"
        # Some tools know no absent values.
        self._fills = self._by_igraph or any(self._empties(pairs))

    def _empties(self, pairs: Iterable[tuple[Piece, Piece]]) -> Iterator[bool]:
        """True for an empty text in place of nothing, in a column without a gap."""
        for before, after in pairs:
            full = self._full["node" if isinstance(after, Task) else "edge"]
            for key, value in after.settings.items():
                yield value == "" and key in full and key not in before.settings

    def settings(
        self, scope: Scope, subject: str, before: Mapping[str, Value], after: Mapping[str, Value]
    ) -> Mapping[str, Value]:
        """What was read, without what a tool did to it; blank texts and whole columns come back."""
        if before == after:
            return before
        made: dict[str, Value] = {}
        for key, value in after.items():
            had = before.get(key)
            if had is None and self._is_filler(scope, key, value):
                self.note(subject, key, respelled.FILLED)
            elif had is None or had == value:
                made[key] = value
            elif why := respelled.how(had, value):
                self.note(subject, key, why)
                made[key] = had
            else:
                made[key] = value
        for key, had in before.items():
            if key not in after and (key in self._gone or (isinstance(had, str) and not had.strip())):
                self.note(subject, key, respelled.LOST)
                made[key] = had
        return made

    def _is_filler(self, scope: Scope, key: str, value: Value) -> bool:
        """Whether a tool that knows no absence put it there; igraph does know absent numbers."""
        if not self._fills or key not in self._full[scope]:
            return False
        return value is False or value == "" if self._by_igraph else not value

    def foreign(self, scope: Scope, subject: str, before: Foreign, after: Foreign) -> Foreign:
        """What other tools left: the new pieces, and the stored ones that are gone."""
        made, back = self._kept.merged(scope, before, after)
        for key, why in back:
            self.note(subject, key, why)
        return made

    def note(self, subject: str, key: str, why: str) -> None:
        """Note what came back."""
        self.restored.append(Restored(subject, key, why))


def _names(metatask: MetaTask) -> set[str]:
    pieces: Iterable[Piece] = chain(metatask.nodes, metatask.edges)
    return {key for piece in pieces for key in piece.settings}


def _full(pieces: Iterable[Piece]) -> set[str]:
    """The keys that all of them have."""
    held = [piece.settings for piece in pieces]
    times = Counter(chain.from_iterable(held))
    return {key for key, count in times.items() if count == len(held)}
