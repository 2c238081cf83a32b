"""What waits for what: `--dependency` of batch scripts as edges of a Meta-Task.

A script of one job gets one edge a producer that gathers all its units (`reduce`). An array of N jobs must
get N units: those of its producers, if they are as many; else a helper of one unit that waits for them
(`NAME-after`), and a helper that adds units that mean nothing (`NAME-units`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from deft.base.errors import Finding
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, Task

OK, ANY, PAIRWISE = "afterok", "afterany", "aftercorr"
_NOT_TOLD = {
    "after": "starting when another one starts is nothing that an edge can say",
    "afterburstbuffer": "DEFT knows nothing of burst buffers",
    "singleton": "give max_running to the Meta-Task, or name what it must wait for",
    "expand": "a job of DEFT does not grow",
}
DO_NOTHING = "true"
BY_KEY, BY_NUMBER = "{unit.key}", "{job.index}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wrapped script as a consumer: its task, its number of jobs, and its --dependency lines."""

    task: str
    jobs: int
    subject: str
    dependencies: Sequence[tuple[int, str]]


@dataclass(slots=True)
class Links:
    """What follows from all dependencies; filled script by script, hence not frozen."""

    edges: list[Edge] = field(default_factory=list)
    helpers: list[Task] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)  # task -> placeholder of its place in the array
    settings: dict[str, dict[str, Value]] = field(default_factory=dict)  # more settings of tasks
    findings: list[Finding] = field(default_factory=list)


Resolve = Callable[[str], str | None]


def link(waiting: Sequence[Waiting], sizes: Mapping[str, int | None], resolve: Resolve) -> Links:
    """The edges, helpers and settings that the dependencies of these scripts ask for.

    `sizes`: the units that each task makes, None where that is not known; `resolve` finds a task by what a
    script calls it.
    """
    links = Links()
    kinds: dict[str, dict[str, str]] = {}
    for one in waiting:
        wanted = dict(_producers(one, links, resolve, list(sizes)))
        kinds[one.task] = wanted
        if wanted:
            _join(one, wanted, sizes, links)
    _let_fail(waiting, kinds, links)
    return links


def units(metatask: MetaTask) -> dict[str, int | None]:
    """How many units each task of a Meta-Task makes, where its document tells."""
    found: dict[str, int | None] = {}
    for task in metatask.tasks:
        inputs = metatask.inputs(task.name)
        if not inputs:
            jobs, each = (_whole(task, key) for key in ("split.jobs", "split.units_per_job"))
            found[task.name] = -(-jobs // each) if jobs and each else None
        else:
            found[task.name] = 1 if any(edge.settings.get("reduce") for edge in inputs) else None
    return found


def _whole(task: Task, key: str) -> int | None:
    value = task.settings.get(key, 1)
    return value if isinstance(value, int) else None  # a placeholder is not known yet


def _producers(
    one: Waiting, links: Links, resolve: Resolve, known: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """(task, kind) of everything that a script waits for and that is known here."""
    for line, text in one.dependencies:
        if "?" in text:
            _warn(links, one, "any-dependency", f"{text}: a ? (any of them) is read as a comma (all)", line)
        for part in filter(None, re.split(r"[,?]", text)):
            kind, *names = part.split(":")
            if kind == "afternotok":
                links.settings.setdefault(one.task, {})["armed"] = False
                _warn(links, one, "afternotok", f"{part} cannot wait for a failure; it is not armed", line,
                      f"start it by hand: deft start META/{one.task}")  # fmt: skip
            elif kind in _NOT_TOLD or kind not in (OK, ANY, PAIRWISE):
                why = _NOT_TOLD.get(kind, "no such kind of dependency is known")
                _warn(links, one, "no-such-edge", f"--dependency={part} makes no edge", line, why)
            else:
                for name in names:
                    task = resolve(name)
                    if task is None:
                        _unknown(links, one, f"--dependency={kind}:{name}", name, line, known)
                    else:
                        yield task, kind


def _unknown(links: Links, one: Waiting, text: str, name: str, line: int, known: Sequence[str]) -> None:
    near = get_close_matches(name, known, 3)
    hint = f"near: {', '.join(near)}" if near else "write the job name or file name of a script given here"
    what = f"{name} is {'a number of Slurm' if name.isdigit() else 'no task here'}"
    what = "no variable is filled in on a #SBATCH line" if "$" in name else what
    _warn(links, one, "unknown-dependency", f"{text} makes no edge: {what}", line, hint)


def _warn(links: Links, one: Waiting, code: str, message: str, line: int, hint: str | None = None) -> None:
    links.findings.append(
        Finding(code, f"{one.subject}: {message}", line, one.subject, hint, severity="warning")
    )


def _join(one: Waiting, wanted: Mapping[str, str], sizes: Mapping[str, int | None], links: Links) -> None:
    producers = list(wanted)
    if one.jobs == 1:
        links.edges += [Edge(name, one.task, {"reduce": True}) for name in producers]
        links.positions[one.task] = BY_NUMBER
        return
    given = [None if wanted[name] == ANY else sizes[name] for name in producers]
    total = sum(size or 0 for size in given)
    if None in given or total > one.jobs:
        gate = _helper(one, "after", {}, links)
        links.edges += [Edge(name, gate, {"reduce": True}) for name in producers]
        producers, total = [gate], 1
    pairs = len(producers) == 1 and total == one.jobs
    early = pairs and wanted.get(producers[0]) == PAIRWISE
    links.positions[one.task] = BY_KEY if pairs else BY_NUMBER
    if total < one.jobs:
        rest = one.jobs - total
        producers.append(
            _helper(one, "units", {"split.jobs": rest, "batch.jobs_per_allocation": rest}, links)
        )
    links.edges += [Edge(name, one.task, {"start_when": "any"} if early else {}) for name in producers]


def _helper(one: Waiting, suffix: str, settings: Mapping[str, Value], links: Links) -> str:
    """Add a task that does nothing; returns its name."""
    name = f"{one.task}-{suffix}"
    links.helpers.append(Task(name, settings={"command": DO_NOTHING, **settings}))
    return name


def _let_fail(waiting: Sequence[Waiting], kinds: Mapping[str, Mapping[str, str]], links: Links) -> None:
    """What others take as it ended (afterany) may have failed units: a goal of 0, unless one needs all."""
    needed = {name for wanted in kinds.values() for name, kind in wanted.items() if kind != ANY}
    for one in waiting:
        for name in (name for name, kind in kinds[one.task].items() if kind == ANY):
            line = one.dependencies[0][0]
            if name in needed:
                _warn(
                    links,
                    one,
                    "afterany",
                    f"waits for all of {name} to be ok: another script says afterok",
                    line,
                )
                continue
            links.settings.setdefault(name, {})["goal"] = 0.0
            message = f"starts when {name} ended with at least one job ok (its goal is 0 now)"
            _warn(links, one, "afterany", message, line, f"where all of {name} failed, it fails too")


def with_helpers_apart(links: Links, taken: Callable[[str], bool]) -> Links:
    """The same with helpers whose names are free."""
    names: dict[str, str] = {}
    for helper in links.helpers:
        names[helper.name] = _free(helper.name, lambda name: taken(name) or name in names.values())
    links.helpers = [replace(helper, name=names[helper.name]) for helper in links.helpers]
    links.edges = [
        replace(edge, source=names.get(edge.source, edge.source), target=names.get(edge.target, edge.target))
        for edge in links.edges
    ]
    return links


def _free(name: str, taken: Callable[[str], bool]) -> str:
    stem, _, suffix = name.rpartition("-")
    found, number = f"{stem[: 63 - len(suffix)]}-{suffix}", 2
    while taken(found):
        found, number = f"{stem[:52]}-{number}-{suffix}", number + 1
    return found
