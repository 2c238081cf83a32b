"""What a blocker is called, and which command takes it away: the words of explain and simulate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deft.model.analysis import Blocker, Kind
from deft.model.firing import Places, Structure
from deft.model.tasks import State
from deft.model.trial import needed
from deft.store.holds import Hold
from deft.store.snapshot import Snapshot

_FEW = 3


@dataclass(frozen=True, slots=True)
class Tongue:
    """All that it takes to speak of one Meta-Task: its name in commands, who holds and who aborted what."""

    metatask: str
    snapshot: Snapshot
    places: Places
    controls: Mapping[tuple[str, str | None], Hold]

    # --- things ---

    def task(self, task: int) -> str:
        """A task's name."""
        return self.snapshot.structure.tasks[task].name

    def path(self, task: int) -> str:
        """A task as commands name it."""
        return f"{self.metatask}/{self.task(task)}"

    def tasks(self, tasks: Sequence[int]) -> str:
        """The names of tasks, the first few of many."""
        return listed([self.task(one) for one in tasks])

    def dataset(self, dataset: int) -> str:
        """A dataset, as people call it."""
        facts, producer = self.snapshot.data[dataset], self.snapshot.structure.producers[dataset]
        if producer >= 0:
            return f"the {facts.type} of {self.task(producer)}"
        return f"the data of {facts.entry or facts.name}"

    def reason(self, task: int) -> str:
        """Why it is in its state, as it was told then."""
        facts = self.snapshot.tasks[task]
        told = facts.reason or (facts.report if self.places.tasks[task].state == State.RUNNING else "")
        return f": {told}" if told else ""

    # --- blockers ---

    def what(self, blocker: Blocker) -> str:
        """What stands in the way."""
        kind, task, dataset = blocker
        match kind:
            case Kind.METATASK_HOLD:
                return f"the whole Meta-Task is on hold{self._by('hold', None)}"
            case Kind.HOLD:
                running = self.places.seen[task].running
                still = f"; {counted(running, 0)} still run" if running else ""
                return f"{self.task(task)} is on hold{self._by('hold', self.task(task))}{still}"
            case Kind.UNARMED:
                return f"{self.task(task)} is not armed"
            case Kind.INCOMPLETE:
                return f"{self.task(task)} has no command"
            case Kind.EXHAUSTED:
                return f"{self.task(task)} gave up, and you decide{self.reason(task)}"
            case Kind.FAILED:
                return f"{self.task(task)} failed{self.reason(task)}"
            case Kind.ABORTED:
                by = self._by("abort", self.task(task))
                return f"{self.task(task)} was aborted{by or self.reason(task)}"
            case Kind.BROKEN:
                return f"JEDI cannot run {self.task(task)}{self.reason(task)}"
            case Kind.UNAPPLIED:
                return f"JEDI has not applied the last order about {self.task(task)}"
            case Kind.WORKING:
                return self.at_work(task)
        return self._of_data(kind, dataset)

    def _of_data(self, kind: Kind, dataset: int) -> str:
        data, seen = self.dataset(dataset), self.places.data_seen[dataset]
        facts = self.snapshot.data[dataset]
        listing = f": {facts.listing}" if facts.listing else ""
        match kind:
            case Kind.RETIRED:
                return f"{data} is retired, and gone for good"
            case Kind.LOST:
                return f"{counted(seen.lost, 0)} of {data} {'is' if seen.lost == 1 else 'are'} lost"
            case Kind.EMPTY:
                return f"{data} has no unit{listing}"
            case Kind.OPEN:
                return f"{data} is open: {counted(seen.available, 0)} so far, and more may come{listing}"
            case Kind.SHORT:
                return f"{data} has {counted(seen.available, self._wanted(dataset))}{listing}"
        if self.places.datasets[dataset].dataset_order_seq == 0:
            return f"{data} is listed once a task that reads it is armed"
        return f"JEDI has not looked yet what {data} has now"

    def _wanted(self, dataset: int) -> int:
        """The units that the most demanding start asks for; 0 where nobody knows."""
        structure, seen = self.snapshot.structure, self.places.data_seen[dataset]
        wanted = [0]
        for task in set(structure.readers[dataset]):
            tokens = structure.tokens(self.places, task)["inputs"]
            wanted += [
                needed(one["start_kind"], one["start_amount"], seen.expected)
                for edge, one in zip(structure.inputs[task], tokens, strict=True)
                if structure.edges[edge].dataset == dataset
            ]
        return max(wanted)

    def at_work(self, task: int) -> str:
        """How far a running task is."""
        seen = self.places.seen[task]
        parts = [counted(seen.ok, units_of(self.snapshot.structure, self.places, task)) + " ok"]
        parts += [f"{n} {word}" for n, word in ((seen.running, "running"), (seen.failed, "failed")) if n]
        return f"{self.task(task)} is running: {', '.join(parts)}{self.reason(task)}"

    def state(self, task: int) -> str:
        """A task that others wait for, in a few words."""
        mark, seen = self.places.tasks[task], self.places.seen[task]
        held = ", on hold" if mark.hold else ""
        if mark.state != State.RUNNING:
            return f"{self.task(task)} is {mark.state}{held}"
        units = counted(seen.ok, units_of(self.snapshot.structure, self.places, task))
        return f"{self.task(task)} is running{held}, {units} ok"

    def needs(self, edge: int) -> str:
        """What a task wants of one input, and how much of it there is."""
        structure = self.snapshot.structure
        part = structure.edges[edge]
        amount = {"count": "at least {} units of ", "percent": "at least {} % of "}.get(
            str(part.policies["start_kind"]), "all of "
        )
        started = self.places.tasks[part.target].started
        wanted = "all of " if started else amount.format(part.policies["start_amount"])
        producer = structure.producers[part.dataset]
        there = f"{counted(self.places.data_seen[part.dataset].available, 0)} so far"
        who = f"; {self.state(producer)}" if producer >= 0 else ""
        return f"{wanted}{self.dataset(part.dataset)}: {there}{who}"

    def command(self, blocker: Blocker) -> str | None:
        """The command that takes it away, or says how."""
        kind, task, dataset = blocker
        path = self.path(task) if task >= 0 else self.metatask
        match kind:
            case Kind.METATASK_HOLD | Kind.HOLD:
                return f"deft resume {path}"
            case Kind.UNARMED:
                return f"deft start {path}"
            case Kind.INCOMPLETE:
                return f"deft set {path} command='…'"
            case Kind.EXHAUSTED:
                return f"deft retry {path}, or deft finish {path}"
            case Kind.FAILED | Kind.ABORTED:
                return f"deft retry {self.metatask if self._took_others(task) else path}"
            case Kind.BROKEN:
                return f"deft set {path} …, then deft retry {path}"
            case Kind.RETIRED:
                return f"deft clone {self.metatask} NEW"
            case Kind.OPEN:
                return f"deft close {self.metatask} --dataset {self._named(dataset)}"
            case Kind.SHORT | Kind.EMPTY | Kind.LOST:
                return self._bring(dataset)
        return None

    def _bring(self, dataset: int) -> str:
        producer = self.snapshot.structure.producers[dataset]
        if producer >= 0:
            return f"deft recover {self.path(producer)}"
        return f"deft augment {self.metatask} --dataset {self._named(dataset)} FILE…"

    def _named(self, dataset: int) -> str:
        return self.snapshot.data[dataset].entry or self.snapshot.data[dataset].name

    def _took_others(self, task: int) -> bool:
        """Whether consumers that never started ended with it."""
        structure = self.snapshot.structure
        readers = {one for dataset in structure.outputs[task] for one in structure.readers[dataset]}
        marks = (self.places.tasks[one] for one in readers)
        return any(mark.state in (State.FAILED, State.ABORTED) and not mark.started for mark in marks)

    def _by(self, control: str, task: str | None) -> str:
        found = self.controls.get((control, task))
        if found is None:
            return ""
        why = f": {found.reason}" if found.reason else ""
        return f" since {moment(found.since)} by {found.actor}{why}"


def units_of(structure: Structure, places: Places, task: int) -> int:
    """The units of a task's primary inputs, as far as they are known."""
    seen = places.seen[task]
    there = 0
    for edge in structure.inputs[task]:
        if structure.edges[edge].policies["role"] != "secondary":
            data = places.data_seen[structure.edges[edge].dataset]
            there += max(data.available + data.lost, data.expected)
    return max(there, seen.ready + seen.running + seen.ok + seen.failed + seen.skipped)


def counted(number: int, expected: int) -> str:
    """41 of 100 units (41 %)."""
    if not expected:
        return f"{number} unit" if number == 1 else f"{number} units"
    return f"{number} of {expected} units ({100 * number // expected} %)"


def listed(names: Sequence[Any]) -> str:
    """Names, the first few of many."""
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(map(str, names[:_FEW])) + more


def moment(at: datetime) -> str:
    """A time of day, local."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
