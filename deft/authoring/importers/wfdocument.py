"""WfFormat, the JSON of WfCommons (https://github.com/wfcommons/WfFormat): its two shapes as one record.

Versions 1.0 to 1.4 keep all of a task in one object (`workflow.tasks`, before 1.3 `workflow.jobs`) and name
other tasks by their names; 1.5 and 1.6 have a specification (what is to be done, with ids) and an execution
(what was measured). Units: seconds, bytes, kWh, W, percent of a core. Before 1.4 memory was in kB, and bytes
read and written were, too, unless Pegasus wrote them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from deft.authoring.importers.fields import Fields, Object
from deft.authoring.importers.jsonfile import step
from deft.model.keys import Value

NEWEST = (1, 6)
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\.\d{1,4})?\Z")
_KB = 1000
# What was measured: the key of the file, by age; the attribute it becomes; the factor to its unit.
_MEASURED = (
    ("runtimeInSeconds", "runtime_s", 1),
    ("runtime", "runtime_s", 1),
    ("coreCount", "core_count", 1),
    ("cores", "core_count", 1),
    ("avgCPU", "avg_cpu", 1),
    ("readBytes", "read_bytes", 1),
    ("bytesRead", "read_bytes", 0),  # 0: see `_scale`
    ("writtenBytes", "written_bytes", 1),
    ("bytesWritten", "written_bytes", 0),
    ("memoryInBytes", "memory_bytes", 1),
    ("memory", "memory_bytes", _KB),
    ("energyInKWh", "energy_kwh", 1),
    ("energy", "energy_kwh", 1),
    ("avgPowerInW", "power_w", 1),
    ("avgPower", "power_w", 1),
)
_ABOUT = ("category", "type", "executedAt")


@dataclass(slots=True)
class WfTask:
    """One task; filled while the document is read, hence not frozen.

    `parents` are ids that exist. `command` is what ran, as one line of a shell; empty where nobody says.
    """

    id: str
    name: str
    at: str
    parents: dict[str, str]
    inputs: list[str]
    outputs: list[str]
    command: str = ""
    priority: float | None = None
    facts: dict[str, Value] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """What a name is made of: name and id, each once."""
        if self.id in self.name:
            return self.name
        return self.id if self.name in self.id else f"{self.name}_{self.id}"


@dataclass(slots=True)
class Workflow:
    """The whole document: tasks by id in its order, sizes of files in bytes, what it says of itself."""

    name: str
    description: str
    facts: dict[str, Value]
    tasks: dict[str, WfTask]
    sizes: dict[str, int]


def read(document: Any, fields: Fields, *, most: int) -> Workflow:
    """The workflow of a document; what is wrong with it is among the findings of `fields`.

    `most`: how many tasks it may have.
    """
    if not isinstance(document, dict):
        fields.wrong("bad-type", "the document is no object of JSON", "")
        return Workflow("", "", {}, {}, {})
    return _Reading(document, fields, most).workflow()


class _Reading:
    """One document on its way."""

    def __init__(self, document: Object, fields: Fields, most: int) -> None:
        self._document, self._fields, self._most = document, fields, most
        self._body = fields.object(document, "workflow", "", needed=True)
        runs = "runtimeSystem" if "runtimeSystem" in document else "wms"
        system = fields.object(document, runs, "")
        self._maker = fields.text(system, "name", step("", runs))
        self._version = fields.text(system, "version", step("", runs))
        self._sizes: dict[str, int] = {}
        self._tasks: dict[str, WfTask] = {}
        self._dangled = 0
        self._kin: list[tuple[WfTask, Object]] = []  # tasks, and the objects that name their relatives

    def workflow(self) -> Workflow:
        """All of it."""
        fields, document = self._fields, self._document
        self._check_version()
        if "specification" in self._body:
            execution = self._split()
        elif not self._body:
            execution = self._body  # that it is missing was told
        else:
            execution, at = self._body, "/workflow"
            for task, place in self._all_tasks(self._body, "jobs" if "jobs" in self._body else "tasks", at):
                self._enter(task, place, *self._files_of(task, place))
                self._measure(task, place, fields.text(task, "id", place) or fields.text(task, "name", place))
        self._join()
        return Workflow(
            fields.text(document, "name", "", needed=True),
            fields.text(document, "description", ""),
            self._facts(execution),
            self._tasks,
            self._sizes,
        )

    def _check_version(self) -> None:
        text = self._fields.text(self._document, "schemaVersion", "", needed=True)
        match = _VERSION.match(text)
        if match and int(match[1]) == NEWEST[0]:
            if int(match[2]) > NEWEST[1]:
                message = f"it follows WfFormat {text}; what is new since {NEWEST[0]}.{NEWEST[1]} is not read"
                self._fields.found.warning("newer-version", message, subject="schemaVersion")
        elif text:
            message = (
                f"/schemaVersion: it follows WfFormat {text!r}; known are 1.0 to {NEWEST[0]}.{NEWEST[1]}"
            )
            self._fields.wrong("unknown-version", message, "/schemaVersion")

    def _all_tasks(self, holder: Object, key: str, at: str) -> Iterator[tuple[Object, str]]:
        for number, pair in enumerate(self._fields.objects(holder, key, at, needed=True)):
            if number >= self._most:
                self._fields.wrong("too-many-nodes", f"it has more than {self._most:,} tasks", step(at, key))
                return
            yield pair

    # --- tasks ---------------------------------------------------------------------------------------------

    def _enter(self, task: Object, at: str, inputs: list[str], outputs: list[str]) -> None:
        fields = self._fields
        name = fields.text(task, "name", at, needed=True)
        id = fields.text(task, "id", at) or name
        if not id:
            return
        if id in self._tasks:
            message = f"{at}: two tasks have the id {id!r}"
            fields.wrong("duplicate-task", message, at, f"the first is {self._tasks[id].at}")
            return
        made = WfTask(id, name or id, at, {}, _once(inputs), _once(outputs))
        self._tasks[id] = made
        self._kin.append((made, task))

    def _files_of(self, task: Object, at: str) -> tuple[list[str], list[str]]:
        """The files of a task of the old shape, and their sizes."""
        links: dict[str, list[str]] = {"input": [], "output": []}
        fields = self._fields
        for file, place in fields.objects(task, "files", at):
            name = fields.text(file, "path", place) + fields.text(file, "name", place, needed=True)
            link = fields.text(file, "link", place, needed=True).lower()
            if link in links:
                links[link].append(name)
            elif link:
                fields.wrong("bad-value", f"{place}/link = {link!r} is neither input nor output", place)
            self._size(file, "sizeInBytes" if "sizeInBytes" in file else "size", name, place)
        return links["input"], links["output"]

    def _size(self, holder: Object, key: str, name: str, at: str) -> None:
        size = self._fields.number(holder, key, at, low=0)
        if size is None or not name:
            return
        if self._sizes.setdefault(name, int(size)) != int(size):
            message = f"{at}: the file {name!r} has another size elsewhere; the first one counts"
            self._fields.found.warning("two-sizes", message, subject="size")

    def _split(self) -> Object:
        """Specification and execution; the latter is returned."""
        fields = self._fields
        specification = fields.object(self._body, "specification", "/workflow")
        at = "/workflow/specification"
        for task, place in self._all_tasks(specification, "tasks", at):
            files = [fields.texts(task, key, place) for key in ("inputFiles", "outputFiles")]
            self._enter(task, place, *files)
        self._declared_files(specification, at)
        execution = fields.object(self._body, "execution", "/workflow")
        seen: dict[str, str] = {}
        for task, place in fields.objects(execution, "tasks", "/workflow/execution"):
            id = fields.text(task, "id", place, needed=True)
            if seen.setdefault(id, place) != place:
                message = f"{place}: the task {id!r} is measured twice"
                fields.wrong("duplicate-task", message, place, f"the first is {seen[id]}")
            elif id and id not in self._tasks:
                message = f"{place}: no task has the id {id!r}; what was measured is left out"
                fields.found.warning("unknown-task", message, subject="execution")
            else:
                self._measure(task, place, id)
        return execution

    def _declared_files(self, specification: Object, at: str) -> None:
        declared: dict[str, str] = {}
        for file, place in self._fields.objects(specification, "files", at):
            name = self._fields.text(file, "id", place, needed=True)
            if declared.setdefault(name, place) != place and name:
                message = f"{place}: two files have the id {name!r}"
                self._fields.wrong("duplicate-file", message, place, f"the first is {declared[name]}")
                continue
            self._size(file, "sizeInBytes", name, place)
        used = {name for task in self._tasks.values() for name in (*task.inputs, *task.outputs)}
        for name in sorted(declared.keys() - used - {""}):
            message = f"the file {name!r} is declared, and no task uses it: it is left out"
            self._fields.found.warning("unused-file", message, subject="files")

    # --- what was measured ---------------------------------------------------------------------------------

    def _measure(self, task: Object, at: str, id: str) -> None:
        made = self._tasks.get(id)
        if made is None:
            return
        fields, facts = self._fields, made.facts
        for key, name, factor in _MEASURED:
            if key in task and name not in facts:
                value = fields.number(task, key, at, low=0)
                if value is not None:
                    facts[name] = value * (factor or self._scale())
        for key in _ABOUT:
            if text := fields.text(task, key, at):
                facts[_snake(key)] = text
        machines = fields.texts(task, "machines", at) or [fields.text(task, "machine", at)]
        if any(machines):
            facts["machine"] = " ".join(filter(None, machines))
        made.priority = fields.number(task, "priority", at)
        made.command = self._command(task, at)

    def _command(self, task: Object, at: str) -> str:
        """Program and arguments with blanks between, as every translator of WfCommons runs them."""
        fields = self._fields
        if isinstance(task.get("command"), dict):
            place = step(at, "command")
            given = fields.object(task, "command", at)
            words = [fields.text(given, "program", place), *fields.texts(given, "arguments", place)]
        else:  # before 1.2
            words = [fields.text(task, "command", at), *fields.texts(task, "arguments", at)]
        return " ".join(filter(None, words)) if words[0] else ""

    def _scale(self) -> int:
        return 1 if "pegasus" in self._maker.lower() else _KB

    def _facts(self, execution: Object) -> dict[str, Value]:
        fields = self._fields
        at = "/workflow/execution" if "specification" in self._body else "/workflow"
        machines = [machine for machine, _ in fields.objects(execution, "machines", at)]
        author = fields.object(self._document, "author", "")
        texts = {
            "wfformat": fields.text(self._document, "schemaVersion", ""),
            "created": fields.text(self._document, "createdAt", ""),
            "author": fields.text(author, "name", "/author"),
            "runtime_system": f"{self._maker} {self._version}".strip(),
            "executed_at": fields.text(execution, "executedAt", at),
            "machines.json": self._spelled("machines", machines, at) if machines else "",
        }
        made: dict[str, Value] = {name: text for name, text in texts.items() if text}
        for key in ("makespanInSeconds", "makespan"):
            if (value := fields.number(execution, key, at, low=0)) is not None:
                made["makespan_s"] = value
        return made

    def _spelled(self, key: str, value: Any, at: str) -> str:
        """A structure as JSON text, checked as any text."""
        return self._fields.text({key: json.dumps(value, ensure_ascii=False)}, key, at)

    # --- who follows whom ----------------------------------------------------------------------------------

    def _join(self) -> None:
        """Parents of every task, told by itself or by the parent, as ids."""
        known = self._references()
        for task, said in self._kin:
            for key in ("parents", "children"):
                for number, other in enumerate(self._fields.texts(said, key, task.at)):
                    at = f"{task.at}/{key}/{number}"
                    relative = known.get(other)
                    if relative is None:
                        self._dangling(other, at, known)
                    elif relative is task:
                        self._fields.wrong("self-loop", f"{at}: {task.id!r} names itself", at)
                    elif key == "parents":
                        task.parents.setdefault(relative.id, at)
                    else:
                        relative.parents.setdefault(task.id, at)

    def _references(self) -> Mapping[str, WfTask]:
        """Tasks by all that others may call them: ids first, and names that only one task has."""
        known: dict[str, WfTask] = {}
        shared = set()
        for task in self._tasks.values():
            if known.setdefault(task.name, task) is not task:
                shared.add(task.name)
        return {name: task for name, task in known.items() if name not in shared} | self._tasks

    def _dangling(self, other: str, at: str, known: Mapping[str, WfTask]) -> None:
        self._dangled += 1
        # To compare with all names takes long: not for the many, and not among many.
        near = get_close_matches(other, known, 3) if self._dangled <= 10 and len(known) <= 20_000 else []
        hint = f"near: {', '.join(near)}" if near else None
        self._fields.wrong("dangling-edge", f"{at} names a task {other!r} that does not exist", at, hint)


def _once(files: list[str]) -> list[str]:
    return list(filter(None, dict.fromkeys(files)))


def _snake(key: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", key)
