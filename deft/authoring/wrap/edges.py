"""What waits for what: `--dependency` of batch scripts as edges of a Meta-Task.

A dependency is a secondary edge: the consumer keeps its own numbered units, and starts once its producers are
complete. Only `aftercorr` between arrays of one size is a primary edge, whose units are the partners.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
_WAITS: dict[str, Value] = {"role": "secondary"}
_FOLLOWS: dict[str, Value] = {"start_when": "any"}


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
    paired: set[str] = field(default_factory=set)  # tasks whose units are those of another
    settings: dict[str, dict[str, Value]] = field(default_factory=dict)  # more settings of tasks
    findings: list[Finding] = field(default_factory=list)


Resolve = Callable[[str], str | None]


def link(waiting: Sequence[Waiting], sizes: Mapping[str, int | None], resolve: Resolve) -> Links:
    """The edges and settings that the dependencies of these scripts ask for.

    `sizes`: how many jobs each task has, None where that is not known or their numbers are no places in an
    array; `resolve` finds a task by what a script calls it.
    """
    links = Links()
    kinds = {one.task: dict(_producers(one, links, resolve, list(sizes))) for one in waiting}
    # Jobs that follow others are numbered as those end, and not by their place: no one can pair up with them.
    followers = {task for task, wanted in kinds.items() if PAIRWISE in wanted.values()}
    sizes = {task: None if task in followers else size for task, size in sizes.items()}
    for one in waiting:
        _join(one, kinds[one.task], sizes, links)
    _let_fail(waiting, kinds, links)
    return links


def sizes(metatask: MetaTask) -> dict[str, int | None]:
    """How many jobs each task of a Meta-Task has, where its document tells and each is one numbered unit."""
    return {task.name: _size(metatask, task) for task in metatask.tasks}


def _size(metatask: MetaTask, task: Task) -> int | None:
    fed = any(edge.text("role") != "secondary" for edge in metatask.inputs(task.name))
    if fed or set(task.family("split.")) - {"jobs"}:
        return None
    jobs = task.settings.get("split.jobs", 1)
    return jobs if isinstance(jobs, int) else None  # a placeholder is not known yet


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
    pairs = [name for name, kind in wanted.items() if kind == PAIRWISE and sizes[name] == one.jobs]
    partner = pairs[0] if pairs else None
    if partner is not None:
        links.paired.add(one.task)
    links.edges += [Edge(name, one.task, dict(_FOLLOWS if name == partner else _WAITS)) for name in wanted]


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
            _warn(
                links,
                one,
                "afterany",
                message,
                line,
                f"where all of {name} failed: deft start --force META/{one.task}",
            )
