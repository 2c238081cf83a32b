"""What keeps tasks where they are, gathered by cause: how much each blocks, and what its end would bring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deft.model import analysis, words
from deft.model.analysis import JEDIS, PASSING, Blocker, Finding, Kind
from deft.model.board import Board
from deft.model.firing import Firing
from deft.model.tasks import ENDED, State
from deft.model.trial import Trial
from deft.observe.phrases import Tongue

NO_JEDI = "no-jedi"
_FEW = 3


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that tasks wait for.

    `blocks`: the tasks that cannot end before it came, those further down as well. `command` takes it away
    where an operator can; `then` is what the net does next; `passing`: it comes by itself.
    """

    kind: str
    where: str
    what: str
    command: str | None
    then: str
    blocks: int
    passing: bool


@dataclass(slots=True)
class Survey:
    """The findings of tasks, gathered by blocker: who stands before it, and who waits for these."""

    tongue: Tongue
    findings: dict[int, Finding] = field(default_factory=dict)
    groups: dict[Blocker, list[int]] = field(default_factory=dict)

    def look(self, tasks: Iterable[int]) -> None:
        """Find what keeps these tasks where they are."""
        structure, places = self.tongue.snapshot.structure, self.tongue.places
        for task in tasks:
            found = self.findings[task] = analysis.find(structure, places, task)
            for blocker in found.own:
                self.groups.setdefault(blocker, []).append(task)

    def look_above(self, task: int) -> None:
        """Find what keeps a task where it is, and the tasks that it waits for, and so on up."""
        whole = set(self.tongue.snapshot.whole)
        todo = [task]
        while todo:
            one = todo.pop()
            if one not in self.findings and one in whole:
                self.look([one])
                todo += self.producers(one)

    def producers(self, task: int) -> list[int]:
        """The tasks that a task waits for."""
        structure = self.tongue.snapshot.structure
        datasets = (structure.edges[edge].dataset for edge in self.findings[task].waits)
        return list(dict.fromkeys(structure.producers[dataset] for dataset in datasets))

    def causes(self, limit: int, *, serving: bool) -> tuple[list[Cause], int]:
        """The first `limit` causes, those first that somebody must see to and block most; how many more."""
        groups = list(_gathered(self, serving=serving).items())
        blocked = self._blocked([tasks for _, tasks in groups])
        ranked = sorted(
            zip(groups, blocked, strict=True),
            key=lambda one: (_is_passing(one[0][0]), -one[1], not _is_everywhere(one[0][0]), one[0][1][0]),
        )
        shown = [self._cause(key, tasks, number) for (key, tasks), number in ranked[:limit]]
        return shown, max(0, len(ranked) - limit)

    def _blocked(self, groups: Sequence[Sequence[int]]) -> list[int]:
        """For each group of tasks: those that have not ended, and all that wait for them."""
        places = self.tongue.places
        followers: list[set[int]] = [set() for _ in places.tasks]
        for task in self.findings:
            for producer in self.producers(task):
                followers[producer].add(task)
        ended = [sum(places.tasks[task].state in ENDED for task in group) for group in groups]
        return [n - less for n, less in zip(analysis.reach(followers, groups), ended, strict=True)]

    def _cause(self, key: Blocker | str, tasks: Sequence[int], blocks: int) -> Cause:
        tongue = self.tongue
        if not isinstance(key, Blocker):
            return self._gathered_cause(key, tasks, blocks)
        where = tongue.task(key.task) if key.task >= 0 else ""
        if key.dataset >= 0:
            where = tongue.snapshot.data[key.dataset].name
        passing = key.kind in PASSING
        then = "" if key.kind in (Kind.WORKING, Kind.UNAPPLIED) else self.then([key], tasks)
        return Cause(key.kind.value, where, tongue.what(key), tongue.command(key), then, blocks, passing)

    def _gathered_cause(self, key: str, tasks: Sequence[int], blocks: int) -> Cause:
        """A cause that many tasks share."""
        tongue, named = self.tongue, self.tongue.tasks(tasks)
        if key == NO_JEDI:
            what = f"JEDI is not running, and what it was ordered for {named} waits"
            then = "JEDI takes up what was ordered"
            return Cause(key, "", what, "deft jedi run", then, blocks, passing=False)
        kind, alone = Kind(key), len(tasks) == 1
        where = named if alone else ""
        then = self.then([Blocker(kind, task) for task in tasks], tasks)
        if kind is Kind.DUE:
            what = f"{named} may move; the next sweep moves {'it' if alone else 'them'}"
            return Cause(key, where, what, "deft sweep", then, blocks, passing=True)
        what = tongue.what(Blocker(kind, tasks[0])) if alone else f"{len(tasks)} tasks are not armed: {named}"
        whole = len(tasks) > 1 or len(tongue.places.tasks) == 1
        command = f"deft start {tongue.metatask if whole else tongue.path(tasks[0])}"
        return Cause(key, where, what, command, then, blocks, passing=False)

    # --- what would happen ---

    def then(self, blockers: Sequence[Blocker], tasks: Sequence[int]) -> str:
        """What the net does once blockers are gone."""
        trial = self._trial()
        for blocker in blockers:
            if blocker.kind is Kind.RETIRED:
                return ""
            trial.lift(blocker)
        fired = trial.settle()
        automatic = [one for one in fired if one.row.name in words.AUTOMATIC]
        if automatic or not tasks:
            return self._sentence(automatic)
        return self._still(trial, tasks[0], fired)

    def _still(self, trial: Trial, task: int, fired: Sequence[Firing]) -> str:
        """Of a task that nothing fired for: whether its jobs go on, or what it still lacks."""
        name = self.tongue.task(task)
        found = analysis.find(trial.structure, trial.board, task)
        waits = [trial.structure.producers[trial.structure.edges[edge].dataset] for edge in found.waits]
        lacks = [_BRIEF[one.kind] for one in found.own if one.kind in _BRIEF]
        if trial.board.tasks[task].state == State.RUNNING and not lacks:
            return self._sentence(fired) or f"{name} goes on"
        if waits:
            return f"{name} still waits for {self.tongue.tasks(list(dict.fromkeys(waits)))}"
        return f"{name} still {' and '.join(dict.fromkeys(lacks))}" if lacks else self._sentence(fired)

    def once(self, task: int) -> str:
        """What a task does once all came that it waits for."""
        found = self.findings[task]
        trial = self._trial()
        for blocker in found.own:
            if blocker.kind is not Kind.RETIRED:
                trial.lift(blocker)
        trial.end(self.producers(task))
        return self._sentence([one for one in trial.settle() if one.task == task][-1:])

    def _trial(self) -> Trial:
        loaded = self.tongue.snapshot
        return Trial(loaded.structure, Board.of(self.tongue.places), set(loaded.whole))

    def _sentence(self, fired: Sequence[Firing]) -> str:
        said = [f"{self.tongue.task(one.task)} {words.of(one.row.name).does}" for one in fired]
        more = f" and {len(said) - _FEW} more" if len(said) > _FEW else ""
        return ", ".join(said[:_FEW]) + more


# What a task still is or lacks, after "it still".
_BRIEF = {
    Kind.METATASK_HOLD: "is on hold with its Meta-Task",
    Kind.HOLD: "is on hold",
    Kind.UNARMED: "is not armed",
    Kind.INCOMPLETE: "has no command",
    Kind.RETIRED: "needs retired data",
    Kind.LOST: "needs lost data",
    Kind.EMPTY: "has no input",
    Kind.OPEN: "waits for an open dataset",
    Kind.SHORT: "waits for more data",
    Kind.UNLISTED: "waits for its files to be listed",
    Kind.EXHAUSTED: "waits for your word",
}


def _is_passing(key: Blocker | str) -> bool:
    return key == Kind.DUE.value or (isinstance(key, Blocker) and key.kind in PASSING)


def _is_everywhere(key: Blocker | str) -> bool:
    """Whether it is about the whole Meta-Task."""
    return isinstance(key, str) or key.kind is Kind.METATASK_HOLD


def _gathered(survey: Survey, *, serving: bool) -> dict[Blocker | str, list[int]]:
    """Blockers that are one and the same to who must act: no JEDI, tasks never armed, no sweep."""
    found: dict[Blocker | str, list[int]] = {}
    for blocker, tasks in survey.groups.items():
        found.setdefault(_key(survey.tongue, blocker, serving=serving), []).extend(tasks)
    return {key: sorted(set(tasks)) for key, tasks in found.items()}


def _key(tongue: Tongue, blocker: Blocker, *, serving: bool) -> Blocker | str:
    if not serving and blocker.kind in JEDIS:
        return NO_JEDI
    if blocker.kind is Kind.UNARMED and tongue.snapshot.tasks[blocker.task].arms:
        return Kind.UNARMED.value
    return Kind.DUE.value if blocker.kind is Kind.DUE else blocker
