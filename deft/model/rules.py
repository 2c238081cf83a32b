"""What makes a Meta-Task valid: every fault found, as one list of findings. Pure; changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from deft.base.errors import Finding
from deft.model import named
from deft.model.graph import MetaTask
from deft.model.keys import PARAM_FACTS
from deft.model.tasks import Dataset, Edge, NodeKind, StartWhen, Task, is_name
from deft.wire import placeholders, pyutilib_command

_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_FORMAT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_Wrong = Callable[..., Finding]  # (code, message, hint) of one edge


def validate(metatask: MetaTask) -> list[Finding]:
    """Every finding of a Meta-Task; empty where nothing is wrong. Warnings are among them."""
    found = [
        *_names(metatask),
        *_cycle(metatask),
        *(finding for edge in metatask.edges for finding in _edge(metatask, edge)),
        *(finding for dataset in metatask.datasets() for finding in _dataset(dataset)),
        *(finding for task in metatask.tasks for finding in _task(metatask, task)),
    ]
    if not any(finding.code in _PARTS_OF_NAMES for finding in found):
        found += named.names(metatask)[1]
    return found


# Without these, names of datasets would only say the same again.
_PARTS_OF_NAMES = frozenset({"bad-name", "bad-type"})


def errors(findings: list[Finding]) -> list[Finding]:
    """The findings that refuse a Meta-Task."""
    return [finding for finding in findings if finding.severity == "error"]


def _names(metatask: MetaTask) -> Iterator[Finding]:
    rule = "a letter, then at most 63 letters, digits, _ and -"
    for what, name in (("project", metatask.project), ("Meta-Task", metatask.name)):
        if not is_name(name) or "--" in name:
            yield Finding("bad-name", f"{name!r} is no legal name of a {what}", hint=rule)
    for node in metatask.nodes:
        if not is_name(node.name):
            yield Finding("bad-name", f"{node.name!r} is no legal name of a task", node.line, node.name, rule)
    if not any(True for _ in metatask.tasks):
        yield Finding("no-tasks", f"the Meta-Task {metatask.full_name} has no task")


def _cycle(metatask: MetaTask) -> Iterator[Finding]:
    path = metatask.cycle()
    if path is not None:
        shown = " -> ".join(path[:20]) + (" -> …" if len(path) > 20 else "")
        yield Finding(
            "cycle", f"the tasks go round in a circle: {shown}", metatask.task(path[0]).line, path[0]
        )


def _edge(metatask: MetaTask, edge: Edge) -> Iterator[Finding]:
    subject = f"{edge.source} -> {edge.target}"
    source, target = metatask.task(edge.source), metatask.task(edge.target)

    def wrong(code: str, message: str, hint: str | None = None) -> Finding:
        return Finding(code, f"the edge {subject} {message}", edge.line, subject, hint)

    if source.kind is NodeKind.EXIT or target.kind is NodeKind.ENTRY:
        yield wrong("edge-direction", "leaves an exit or enters an entry")
    if not _TYPE.match(edge.type):
        yield wrong("bad-type", f"has the type {edge.type!r}", "letters, digits, _ and - only")
    if edge.text("format") and not _FORMAT.match(edge.text("format")):
        yield wrong("bad-format", f"has the format {edge.text('format')!r}", "a suffix such as txt or tar.gz")
    try:
        StartWhen.parse(edge.text("start_when", "complete"))
    except ValueError as fault:
        yield wrong("bad-value", f"has start_when = {edge.text('start_when')!r}, which {fault}")
    yield from _sources(source, edge, wrong)


def _sources(source: Task, edge: Edge, wrong: _Wrong) -> Iterator[Finding]:
    try:
        given = edge.sources
    except (ValueError, json.JSONDecodeError) as fault:
        yield wrong("bad-source", f"has source.json = {edge.text('source.json')[:80]!r}, which {fault}")
        return
    if source.kind is NodeKind.ENTRY and not any(one and not one.startswith("!") for one in given):
        yield wrong(
            "empty-source",
            "leaves an entry but says no source",
            "source = a path, a glob such as data/*.root, or @list.txt",
        )
    if source.kind is not NodeKind.ENTRY and given:
        yield wrong("source-inside", f"has a source, but {edge.source} makes its data")


def _dataset(dataset: Dataset) -> Iterator[Finding]:
    """Edges that share a dataset must agree on what the dataset is."""
    for key in ("format", "type", "source", "source.json", "open"):
        values = {str(edge.settings[key]) for edge in dataset.edges if key in edge.settings}
        if len(values) > 1:
            first = dataset.edges[0]
            yield Finding(
                "dataset-disagrees",
                f"the dataset {dataset.name or dataset.type} of {first.source} has several values of {key}: "
                f"{', '.join(sorted(values))}",
                first.line,
                first.source,
                "edges of one dataset must agree on format, type, source and open",
            )


def _task(metatask: MetaTask, task: Task) -> Iterator[Finding]:
    if not task.command:
        yield Finding(
            "no-command",
            f"the task {task.name} has no command: it stays defined until it gets one",
            task.line,
            task.name,
            severity="warning",
        )
    if pyutilib_command.is_one(task.command) and (fault := pyutilib_command.fault(task.command)):
        message = f"the command of the task {task.name} {fault}"
        yield Finding("bad-pyutilib", message, task.line, task.name, pyutilib_command.FORM)
    names = placeholder_names(metatask, task) if placeholders.used(task.command) else ()
    for finding in placeholders.check(task.command, names, f"the task {task.name}"):
        yield Finding(finding.code, finding.message, task.line, task.name, finding.hint)
    for name in task.family("env."):
        if not _ENV.match(name):
            yield Finding("bad-env", f"the task {task.name}: {name!r} is no name of an environment variable",
                          task.line, task.name)  # fmt: skip
    yield from _several_units(metatask, task)


def _several_units(metatask: MetaTask, task: Task) -> Iterator[Finding]:
    several = int(task.settings.get("split.units_per_job", 1)) > 1
    several = several or any(edge.settings.get("reduce") for edge in metatask.inputs(task.name))
    if several and "input" in placeholders.used(task.command):
        yield Finding(
            "one-input",
            f"the task {task.name}: {{input}} stands for one file, but its jobs take several units",
            task.line,
            task.name,
            "use {inputs} or {inputs_file}",
        )


def placeholder_names(metatask: MetaTask, task: Task) -> set[str]:
    """What the command of a task may name in braces."""
    found = set(placeholders.ALWAYS)
    graph_params = (key.removeprefix("param.") for key in metatask.settings if key.startswith("param."))
    params = {name for name in graph_params if not name.endswith(PARAM_FACTS)}
    found.update(f"param.{name}" for name in params | set(task.family("param.")))
    graph_attrs = {key.removeprefix("attr.") for key in metatask.settings if key.startswith("attr.")}
    found.update(f"attr.{name}" for name in graph_attrs | set(task.family("attr.")))
    for edge in metatask.inputs(task.name):
        found.update((f"input.{edge.type}", f"input.{edge.text('role', 'primary')}"))
    found.update(f"output.{edge.type}" for edge in metatask.outputs(task.name))
    # An output that no edge carries is implied by its placeholder (an exit is implied).
    found.update(name for name in placeholders.used(task.command) if name.startswith("output."))
    return found
