"""A WfFormat workflow and its datasets -> tasks and edges.

A task has one job. The first dataset that it reads of another task is its primary input, whose one file makes
the job; the others, and what comes from outside, go to that job too (secondary).
"""

from __future__ import annotations

import json
import math
import os.path
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from deft.authoring.graphml import assemble
from deft.authoring.graphml.collector import Collector
from deft.authoring.importers import names, wfcommands, wfdatasets
from deft.authoring.importers.wfcommands import Named
from deft.authoring.importers.wfdatasets import Group
from deft.authoring.importers.wfdocument import WfTask, Workflow
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, NodeKind, Task

DATA = "data"
_SUFFIX = re.compile(r"\.([A-Za-z0-9]{1,16})\Z")
_LONGEST_LIST = 65536  # characters of the list of a task's files
_MOST_SOURCES = 100_000  # files times readers: each edge from outside says where all of them lie


def metatask(workflow: Workflow, path: Path, found: Collector, *, recorded: bool, most: int) -> MetaTask:
    """The Meta-Task; `recorded`: with the commands of the document; `most`: edges that it may have.

    What cannot be said is in `found`.
    """
    making = _Making(workflow, path, found, recorded)
    if making.number_of_edges > most:
        found.error("too-many-edges", f"it would have more than {most:,} edges")
        found.close(str(path))
    return making.whole()


class _Making:
    """The pieces on their way."""

    def __init__(self, workflow: Workflow, path: Path, found: Collector, recorded: bool) -> None:
        self._workflow, self._path, self._found, self._recorded = workflow, path, found, recorded
        self._names = names.tasks({id: task.called for id, task in workflow.tasks.items()})
        taken = set(self._names.values())
        self._entry = _free("inputs", taken)
        self._exit = _free("results", taken)
        self._groups = wfdatasets.grouped(workflow, found, apart=recorded)
        self._read: dict[str, list[Group]] = {}
        self._written: dict[str, list[Group]] = {}
        for group in self._groups:
            for reader in group.readers:
                self._read.setdefault(reader, []).append(group)
            if group.producer is not None:
                self._written.setdefault(group.producer, []).append(group)

    @property
    def number_of_edges(self) -> int:
        """How many there will be."""
        return sum(max(1, len(group.readers)) for group in self._groups)

    def whole(self) -> MetaTask:
        """Nodes, then edges."""
        workflow = self._workflow
        made = MetaTask(
            assemble.slug(workflow.name or self._path.name.split(".")[0]),
            settings=self._settings(),
            origin=str(self._path),
            folder=os.path.dirname(os.path.abspath(self._path)),
        )
        edges = list(self._edges())
        for node in self._nodes({end for edge in edges for end in (edge.source, edge.target)}):
            if node.name in made.graph:
                self._found.error("duplicate-task", f"two tasks would be called {node.name!r}")
            else:
                made.add(node)
        for edge in edges:
            made.join(edge)
        return made

    def _settings(self) -> dict[str, Value]:
        workflow = self._workflow
        made = _labels(workflow.facts)
        if workflow.description:
            made["description"] = names.literal(workflow.description)
        if not self._recorded:
            made |= {
                f"param.{wfcommands.SCALE}": "0",
                f"param.{wfcommands.SCALE}.type": "double",
                f"param.{wfcommands.SCALE}.help": "part of the recorded runtime that a stand-in sleeps",
            }
        if any(group.producer is None for group in self._groups):
            made |= {
                f"param.{DATA}": "${template}",
                f"param.{DATA}.type": "path",
                f"param.{DATA}.help": "the folder with the files that no task makes",
            }
        return made

    # --- nodes ---------------------------------------------------------------------------------------------

    def _nodes(self, used: set[str]) -> Iterator[Task]:
        if self._entry in used:
            yield Task(self._entry, NodeKind.ENTRY)
        for task in self._workflow.tasks.values():
            yield Task(self._names[task.id], NodeKind.TASK, self._task(task), id=task.id)
        if self._exit in used:
            yield Task(self._exit, NodeKind.EXIT)

    def _task(self, task: WfTask) -> dict[str, Value]:
        made = _labels({**task.facts, "id": task.id, "name": task.name})
        made["command"] = names.literal(self._command(task))
        if task.command:
            made["attr.command"] = names.literal(task.command)
        cores = task.facts.get("core_count")
        if isinstance(cores, int | float) and cores >= 1:
            made["resources.cores"] = math.ceil(cores)
        if task.priority is not None and float(task.priority).is_integer():
            made["priority"] = int(task.priority)
        files = {group.type: {name: self._workflow.sizes.get(name) for name in group.files}
                 for group in self._written.get(task.id, ()) if group.files}  # fmt: skip
        if files:
            self._list(made, files, task)
        return made

    def _list(self, made: dict[str, Value], files: object, task: WfTask) -> None:
        text = json.dumps(files, ensure_ascii=False)
        if len(text) <= _LONGEST_LIST:
            made["attr.files.json"] = names.literal(text)
            return
        message = f"{task.at} writes so many files that their names are left out; their number and size stay"
        self._found.warning("dropped", message, subject="outputFiles")

    def _command(self, task: WfTask) -> str:
        written = self._written.get(task.id, ())
        if not (self._recorded and task.command):
            runtime = task.facts.get("runtime_s", 0)
            slept = runtime if isinstance(runtime, int | float) else 0
            return wfcommands.stand_in(self._names[task.id], slept, [group.type for group in written])
        for file in (*task.inputs, *task.outputs):
            if wfcommands.is_outside(file):
                message = f"{task.at}: the file {file!r} leads out of the folder of a job"
                self._found.error("bad-path", message, subject=task.id)
        inputs = [Named(group.files[0], group.type) for group in self._read.get(task.id, ()) if group.files]
        outputs = [Named(group.files[0], group.type) for group in written if group.files]
        empty = [group.type for group in written if not group.files]
        return wfcommands.recorded(task.command, inputs, outputs, empty)

    # --- edges ---------------------------------------------------------------------------------------------

    def _edges(self) -> Iterator[Edge]:
        fed: set[str] = set()
        for group in self._groups:
            settings = self._dataset(group)
            if group.producer is None:
                settings |= self._source(group)
            source = self._entry if group.producer is None else self._names[group.producer]
            for reader in group.readers:
                is_first = group.producer is not None and bool(group.files) and reader not in fed
                if is_first:
                    fed.add(reader)
                role: dict[str, Value] = {} if is_first else {"role": "secondary"}
                yield Edge(source, self._names[reader], {**settings, **role})
            if group.files and not group.readers:
                yield Edge(source, self._exit, settings)

    def _dataset(self, group: Group) -> dict[str, Value]:
        made: dict[str, Value] = {"type": group.type}
        if not group.files:
            return made
        suffix = _SUFFIX.search(group.files[0]) if len(group.files) == 1 else None
        if not self._recorded and group.producer is not None:
            made["format"] = "txt"  # whatever the real file is, a stand-in writes text
        elif suffix:
            made["format"] = suffix[1]
        made["attr.files"] = str(len(group.files))
        sizes = [self._workflow.sizes[file] for file in group.files if file in self._workflow.sizes]
        if sizes:
            made["attr.bytes"] = str(sum(sizes))
        return made

    def _source(self, group: Group) -> dict[str, Value]:
        places = [_place(file) for file in group.files]
        if len(places) == 1:
            return {"source": places[0]}
        if len(places) * len(group.readers) <= _MOST_SOURCES:
            return {"source.json": json.dumps(places, ensure_ascii=False)}
        message = f"{len(places)} files that {len(group.readers)} tasks read are not named one by one"
        self._found.warning("dropped", f"{message}: all of {DATA} stands for them", subject="inputFiles")
        return {"source": f"${{param.{DATA}}}"}


def _labels(facts: Mapping[str, Value]) -> dict[str, Value]:
    return {f"attr.{name}": names.literal(value) for name, value in facts.items()}


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"workflow-{name}"
    return name


def _place(file: str) -> str:
    """Where a file lies: below the folder of a parameter, unless its name says where."""
    is_fixed = file.startswith("/") or "://" in file
    return names.literal(file) if is_fixed else f"${{param.{DATA}}}/{names.literal(file)}"
