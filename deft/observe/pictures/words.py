"""What a picture says of a mark or a flow: short in its box, in full where a reader points at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deft.observe.pictures import palette, scene
from deft.observe.pictures.lettering import plain, short
from deft.observe.pictures.scene import Flow, Mark, Scene

_NAMED = 12  # consumers


def state(mark: Mark) -> str:
    """Its state and what is in force on it, in words."""
    said = [mark.state] if mark.state else []
    if mark.held:
        said.append("held")
    return " · ".join([*said, *(control for control in mark.controls if control in ("finish", "abort"))])


def units(mark: Mark) -> str:
    """How many of its units are ok, of how many."""
    if not mark.expected:
        return short(mark.ok) if mark.ok else ""
    if not mark.state and not mark.states:
        return f"{short(mark.expected)} unit{'s' * (mark.expected != 1)}"
    return f"{short(mark.ok)}/{short(mark.expected)}"


def counts(states: Mapping[str, int]) -> list[str]:
    """How many tasks are in which state, the most urgent first."""
    known = [name for name in palette.ORDER if states.get(name)]
    return [f"{states[name]:,} {name}" for name in known]


def mark(one: Mark) -> str:
    """All there is to say of a mark."""
    if one.kind == scene.ENTRY:
        return f"{plain(one.name)}: data from outside"
    if one.kind == scene.EXIT:
        return f"{plain(one.name)}: final data"
    said = [", ".join(counts(one.states)) if one.count > 1 else state(one)]
    if one.expected or one.ok or one.failed:
        said.append(f"{one.ok:,} of {one.expected:,} units ok" if one.expected else f"{one.ok:,} units ok")
    said += [f"{one.failed:,} failed"] if one.failed else []
    if one.jobs:
        said.append(f"{one.jobs:,} jobs, {one.jobs_ok:,} ok, {one.jobs_failed:,} failed")
    said += [plain(one.reason)] if one.reason else []
    name = f"{plain(one.name)}, {one.count:,} tasks" if one.count > 1 else plain(one.name)
    return f"{name}: {'; '.join(filter(None, said))}" if any(said) else name


def tag(flows: Sequence[Flow]) -> tuple[str, str]:
    """The two lines of the tag of these datasets; the second may be empty."""
    first = flows[0]
    if len(flows) > 1:
        return f"{len(flows):,} datasets", ""
    return f"{first.type} × {first.count:,}" if first.count > 1 else first.type, amount(first)


def amount(flow: Flow) -> str:
    """How complete a dataset is, as it stands on its tag."""
    if not (flow.membership or flow.memberships):
        return ""
    lost = f" · {short(flow.lost)} lost" if flow.lost else ""
    if not flow.available and not flow.expected:
        return f"{_membership(flow) or short(0)}{lost}"
    about = "~" if flow.estimated else ""
    there = (
        f"{short(flow.available)}/{about}{short(flow.expected)}" if flow.expected else short(flow.available)
    )
    return f"{there}{lost}" if flow.lost else f"{there} {_membership(flow)}".rstrip()


def _membership(flow: Flow) -> str:
    """Whether it may still grow, in a word; nothing for datasets that differ."""
    return flow.membership if len(flow.memberships) < 2 else ""


def flow(one: Flow) -> str:
    """All there is to say of a dataset."""
    what = (
        f"{one.count:,} datasets of type {plain(one.type)}" if one.count > 1 else plain(one.name or one.type)
    )
    said = [f"from {plain(one.source)}"]
    if one.targets:
        names = [plain(name) + (" (secondary)" if aside else "") for name, aside in one.targets[:_NAMED]]
        more = f" and {len(one.targets) - _NAMED:,} more" if len(one.targets) > _NAMED else ""
        said.append(f"to {', '.join(names)}{more}")
    if one.available or one.expected:
        whole = f" of {'about ' * one.estimated}{one.expected:,}" if one.expected else ""
        said.append(f"{one.available:,}{whole} units")
    said += [f"{one.lost:,} lost"] if one.lost else []
    grown = one.memberships or ({one.membership: 1} if one.membership else {})
    said += [name if one.count == 1 else f"{count:,} {name}" for name, count in grown.items()]
    return f"{what}: {'; '.join(said)}"


def summary(found: Scene) -> str:
    """How many tasks there are, and in which states."""
    tasks = f"{found.tasks:,} task{'s' * (found.tasks != 1)}"
    states = ", ".join(counts(found.states))
    held = f"; {found.held:,} held" if found.held else ""
    return f"{tasks}: {states}{held}" if states else tasks
