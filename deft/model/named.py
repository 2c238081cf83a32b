"""The datasets of a Meta-Task by their names, and why one cannot be named: too long, taken, a label missing.

The pattern names what tasks make; data from outside and the numbers of a generator are no folders of ours,
and have the default pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from deft.base.errors import Finding
from deft.model import joining, naming
from deft.model.graph import MetaTask
from deft.model.naming import DatasetName
from deft.model.tasks import Dataset, Task

_LISTED = 5


def names(
    metatask: MetaTask, ids: Mapping[str, int] | None = None, datasets: Sequence[Dataset] | None = None
) -> tuple[list[str], list[Finding]]:
    """The names of these datasets (or all), in their order; they hold where there is no finding.

    `ids`: the rows' ids of the nodes by name; without them the names are as good as any for a check.
    """
    pattern = naming.text_of(metatask.settings)
    try:
        free = naming.read(pattern).free
    except ValueError as fault:
        return [], [Finding("bad-pattern", f"naming.pattern: {fault}", hint="docs/reference/names.md")]
    if ids is None:
        ids = {node.name: number for number, node in enumerate(metatask.nodes, 1)}
    wanted = metatask.datasets() if datasets is None else datasets
    found = list(_missing(metatask, free, wanted)) if free else []
    made = []
    for dataset in () if found else wanted:
        try:
            made.append(naming.make(fields(metatask, dataset, ids), pattern_of(dataset, pattern)))
        except ValueError as fault:
            task, type = joining.made_by(dataset)
            message = f"the name of the data {type} of {task} {fault}"
            hint = "use shorter names, or another naming.pattern"
            found.append(Finding("dataset-name", message, _line(metatask, task), task, hint))
    return made, [*found, *_twice(metatask, wanted, made)]


def pattern_of(dataset: Dataset, pattern: str) -> str:
    """The pattern of one dataset."""
    return naming.DEFAULT_PATTERN if dataset.producer is None else pattern


def fields(metatask: MetaTask, dataset: Dataset, ids: Mapping[str, int], series: int = 1) -> DatasetName:
    """What its name is made of."""
    task, type = joining.made_by(dataset)
    more = {} if dataset.producer is None else labels(metatask.settings, metatask.task(task).settings)
    return DatasetName(metatask.project, metatask.name, task, type, ids[task], series, more)


def labels(graph: Mapping[str, object], own: Mapping[str, object]) -> dict[str, str]:
    """What the pattern of a Meta-Task names beside its own fields: the task's own, else the graph's."""
    free = naming.read(naming.text_of(graph)).free
    return {name: str(own.get(name, graph.get(name, ""))) for name in free}


def _missing(metatask: MetaTask, free: Iterable[str], datasets: Iterable[Dataset]) -> Iterator[Finding]:
    """One finding a label, however many tasks lack it."""
    makers = dict.fromkeys(one.producer for one in datasets if one.producer is not None)
    tasks = [metatask.task(name) for name in makers]
    for name in free:
        lack = [task for task in tasks if not str(task.settings.get(name, metatask.settings.get(name, "")))]
        if lack:
            named = ", ".join(task.name for task in lack[:_LISTED])
            more = f" and {len(lack) - _LISTED} more" if len(lack) > _LISTED else ""
            message = (
                f"naming.pattern names {{{name}}}, which {named}{more} do{'es' * (len(lack) == 1)} not have"
            )
            hint = f"set {name} on the task or on the graph{_near(name, metatask, lack[0])}"
            yield Finding("no-label", message, lack[0].line, lack[0].name, hint)


def _near(name: str, metatask: MetaTask, task: Task) -> str:
    known = [key for key in {**metatask.settings, **task.settings} if key.startswith(naming.FAMILIES)]
    near = get_close_matches(name, known, 2)
    return f"; there is {', '.join(near)}" if near else ""


def _twice(metatask: MetaTask, datasets: Sequence[Dataset], made: Sequence[str]) -> Iterator[Finding]:
    """Names that are one; upper and lower case are one to some file systems."""
    if len(set(map(str.lower, made))) == len(made):
        return
    first: dict[str, Dataset] = {}
    for name, dataset in zip(made, datasets, strict=True):
        other = first.setdefault(name.lower(), dataset)
        if other is not dataset:
            (task, type), (one, another) = joining.made_by(dataset), (_called(other), _called(dataset))
            message = f"two datasets of {task} would be called {name}: {one}, and {another}"
            hint = f"give one of them another type than {type!r}"
            yield Finding("same-name", message, _line(metatask, task), task, hint)


def _called(dataset: Dataset) -> str:
    """How a person finds it in the document."""
    if dataset.synthetic:
        return "its numbers (synthetic)"
    kind = f"{dataset.name!r} (type {dataset.type})" if dataset.name else f"the type {dataset.type!r}"
    users = ", ".join(dict.fromkeys(edge.target for edge in dataset.edges))
    return f"{kind} for {users}" if users else kind


def _line(metatask: MetaTask, task: str) -> int | None:
    return metatask.task(task).line
