"""Whether one difference may be applied to a Meta-Task that lives, and why not. Pure.

What was made or run stays what it is: a task that has started keeps its settings, its inputs and what it
makes. Each reason names the command that gets there in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from deft.model.diff import Change, Item, What
from deft.model.graph import MetaTask
from deft.model.keys import PARAM_FACTS
from deft.model.tasks import NodeKind, State

FIXED = frozenset({"task", "metatask", "kind", "template", "foreach"})
POLICIES = ("start_when", "on_growth", "on_loss", "on_abort")
COMMON = ("param.", "attr.")  # what a part says of all its tasks
_FOR_READERS = frozenset({"description", "owner", "tool"})
_BEFORE_START = frozenset({State.DEFINED, State.WAITING})


class Verdict(StrEnum):
    """What becomes of an item."""

    APPLIED = "applied"
    REFUSED = "refused"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Judged:
    """An item, what becomes of it, and why where it is not applied; `by_state`: at times it might be."""

    item: Item
    verdict: Verdict = Verdict.APPLIED
    why: str = ""
    by_state: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a stored task stands; `ordered`: JEDI was told of it, `retired`: some of its data are."""

    state: State = State.DEFINED
    started: bool = False
    ordered: bool = False
    retired: bool = False

    @property
    def is_new(self) -> bool:
        """True where nobody has begun anything with it: its inputs and outputs may still change."""
        return self.state in _BEFORE_START and not self.started and not self.ordered


@dataclass(frozen=True, slots=True)
class Case:
    """The Meta-Task as it is stored, where its tasks stand, and whether the file says that it is whole."""

    stored: MetaTask
    standings: Mapping[str, Standing]
    whole: bool

    def standing(self, task: str) -> Standing:
        """Where a stored task stands."""
        return self.standings.get(task, Standing())


def judge(item: Item, case: Case) -> Judged | None:
    """The verdict on one item; None where it is no matter of its own."""
    return _JUDGES[item.what](item, case)


def refused(item: Item, why: str, *, by_state: bool = False) -> Judged:
    """A refusal."""
    return Judged(item, Verdict.REFUSED, why, by_state)


def _task(item: Item, case: Case) -> Judged:
    meta = case.stored.name
    if item.change is Change.RENAMED:
        return refused(item, f"a task keeps its name; `deft import FILE --name NEW` begins with {item.task}")
    if not item.key:
        return Judged(item) if item.change is Change.ADDED else _gone(item, case)
    if item.key in FIXED:
        return refused(item, f"{item.key} of a task is fixed; `deft clone {meta} NEW` copies, and leaves out")
    standing = case.standing(item.task)
    if standing.state is State.RUNNING:
        why = f"{item.task} is running; `deft finish` or `deft abort` ends it, or wait until it has ended"
        return refused(item, why, by_state=True)
    if standing.started:
        why = (
            f"{item.task} has started and is {standing.state}; `deft set {meta}/{item.task}` changes what it "
            "does from here on, `deft reset --discard` lets it begin anew"
        )
        return refused(item, why, by_state=True)
    return Judged(item)


def _gone(item: Item, case: Case) -> Judged:
    path = f"{case.stored.name}/{item.task}"
    if case.standing(item.task).is_new:
        out = f"`deft disarm {path}` keeps it from running"
    else:
        out = f"`deft obsolete {path}` retires its data, `deft reset {path} --discard` throws them away"
    return refused(item, f"a Meta-Task keeps its tasks; {out}; `deft clone --tasks` leaves it out")


def _edge(item: Item, case: Case) -> Judged:
    assert item.edge is not None
    source, target, _ = item.edge
    if item.change is Change.REMOVED and not item.key:
        return refused(item, "a Meta-Task keeps its edges; `deft import FILE --name NEW` begins without it")
    if not item.key:
        return _new_edge(item, case, source, target)
    if item.key not in POLICIES:
        return refused(item, _OTHER_WAYS.get(item.key, _FACT.format(key=item.key)))
    if case.standing(target).state is State.RUNNING:
        return refused(item, f"{target} is running; wait until it has ended", by_state=True)
    return Judged(item)


_FACT = "{key} of an edge says what its data are, which is fixed at import; `deft clone` copies"
_OTHER_WAYS = {
    "source": "`deft augment META --dataset D FILE…` gives data from outside more files",
    "open": "`deft close META --dataset D` ends what is open; the rest is fixed at import",
}


def _new_edge(item: Item, case: Case, source: str, target: str) -> Judged:
    known = case.stored.graph
    if target in known and case.stored.task(target).kind is NodeKind.TASK:
        standing = case.standing(target)
        if not standing.is_new:
            begun = f"is {standing.state}" if standing.state not in _BEFORE_START else "was started before"
            why = f"{target} {begun} and takes no other input; add a task of its own, or `deft clone`"
            return refused(item, why, by_state=True)
    if source in known and case.standing(source).retired:
        why = f"the data of {source} are retired, so {target} could never run"
        return refused(item, why, by_state=True)
    return Judged(item)


def _own(item: Item, case: Case) -> Judged | None:
    """A setting of the graph."""
    if item.what is What.SETTING and item.key in _FOR_READERS and case.whole:
        return Judged(item)
    common = item.what is What.PARAMETER or item.key.startswith(COMMON)
    if not case.whole:
        about = item.key.endswith(PARAM_FACTS)
        return None if common or about else Judged(item, Verdict.LEFT_OUT, "it is the Meta-Task's to say")
    if item.what is What.PARAMETER:
        other = f"--set {item.key}={item.new}" if item.new is not None else ""
        return refused(item, f"parameters are fixed at import; `deft clone {case.stored.name} NEW {other}`")
    return refused(item, f"{item.key} of a graph is fixed at import")


_JUDGES: Mapping[What, Callable[[Item, Case], Judged | None]] = {
    What.PARAMETER: _own,
    What.SETTING: _own,
    What.TASK: _task,
    What.EDGE: _edge,
    What.DATASET: lambda item, case: None,  # it follows from edges and commands
    What.LAYOUT: lambda item, case: Judged(item),
}
