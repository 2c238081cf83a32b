"""Make a Meta-Task of batch scripts and lists of commands, or add them to one.

The scripts are copied into a folder beside the GraphML file, `w.graphml` and `w.files/`, so that the two can
be moved together. What a script does to its surroundings it does where sbatch would have been called: the
graph's parameter `submit_dir`.
"""

from __future__ import annotations

import gzip
import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deft.authoring.graphml import reader, writer
from deft.authoring.templates import instantiate
from deft.authoring.wrap import commands, directives, edges, options, runner
from deft.authoring.wrap.directives import Script
from deft.authoring.wrap.edges import Links, Waiting
from deft.authoring.wrap.options import Fate, Wishes
from deft.base.errors import BadInput, DeftError, Finding, Refused
from deft.model import graph, rules
from deft.model.graph import DEFAULT_PROJECT, MetaTask
from deft.model.keys import Value
from deft.model.tasks import Task

SUFFIXES = (".graphml", ".graphml.gz")
PARAMETER = "param.submit_dir"
_HELP = "the folder that sbatch would have been called in"
_RUNNABLE = 0o755


@dataclass(frozen=True, slots=True)
class WrapRequest:
    """What to wrap, and where to: a new file, or (`add`) one that holds a Meta-Task already."""

    target: Path
    scripts: Sequence[Path]
    lists: Sequence[Path]
    submit_dir: Path
    name: str | None = None
    project: str | None = None
    add: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What became of one source: its task, how many jobs it has, and the fate of each directive."""

    source: str
    task: str
    jobs: int
    directives: tuple[Fate, ...]


@dataclass(frozen=True, slots=True)
class WrapAnswer:
    """The file written, what is in it now, and what was noticed."""

    file: str
    metatask: str
    tasks: int
    sources: tuple[Wrapped, ...]
    warnings: tuple[Finding, ...]


def wrap(request: WrapRequest) -> WrapAnswer:
    """Write the Meta-Task and the folder beside it.

    Raises BadInput with every fault of every source, NotFound for a missing file, Refused where the target
    exists already.
    """
    _check_target(request)
    making = _Making(request)
    _each(making.script, request.scripts)
    _each(making.commands, request.lists)
    answer = making.finish()
    _save(request, making.metatask, making.files)
    return answer


def slug(text: str, default: str = "task") -> str:
    """A legal name that looks like `text`."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")
    named = plain if plain[:1].isalpha() else f"{default}-{plain}".rstrip("-")
    return named[:64].rstrip("-")


def _each(take: Callable[[Path], None], paths: Sequence[Path]) -> None:
    """Take every source, and tell the faults of all of them at once."""
    found: list[Finding] = []
    for path in paths:
        try:
            take(path)
        except BadInput as fault:
            found += fault.findings
    if found:
        raise BadInput("nothing was wrapped:", found)


class _Making:
    """A Meta-Task on its way: sources come in one by one, edges at the end."""

    def __init__(self, request: WrapRequest) -> None:
        self._request = request
        self.folder = _folder(request.target).name
        self.files: dict[str, tuple[bytes, int]] = {runner.NAME: (runner.TEXT.encode(), _RUNNABLE)}
        self.metatask = _opened(request)
        self._old = {task.name for task in self.metatask.nodes}
        self._own_dir = self._set_submit_dir()
        self._new: list[Task] = []
        self._waiting: list[Waiting] = []
        self._called: dict[str, list[str]] = {}  # what a script is called, folded -> its tasks
        self._wrapped: list[Wrapped] = []
        self._findings: list[Finding] = []

    def _set_submit_dir(self) -> dict[str, Value]:
        """Say where the scripts run: once for all, or per task where the graph says another folder."""
        mine = str(self._request.submit_dir)
        if self.metatask.settings.get(PARAMETER, mine) != mine:
            return {PARAMETER: mine}
        self.metatask.settings |= {PARAMETER: mine, f"{PARAMETER}.help": _HELP}
        return {}

    def script(self, path: Path) -> None:
        """Take a batch script. Raises BadInput."""
        script = directives.read(path)
        wishes = options.interpret(script.directives, path.name)
        found = [*script.findings, *wishes.findings]
        faults = [finding for finding in found if finding.severity == "error"]
        if faults:
            raise BadInput(f"{path} cannot be wrapped:", faults)
        self._findings += found
        name = self._name(path, wishes.job_name or path.stem)
        for known in (path.name, path.stem, str(path), wishes.job_name or ""):
            self._called.setdefault(known.casefold(), []).append(name)
        copy = f"{name}.sbatch"
        self.files[copy] = (script.content, _RUNNABLE)
        jobs = wishes.array.size if wishes.array else 1
        settings = self._script_settings(script, wishes, name, copy)
        self._add(path, Task(name, settings=settings), jobs, tuple(wishes.fates))
        if wishes.dependencies:
            self._waiting.append(Waiting(name, jobs, path.name, tuple(wishes.dependencies)))

    def _script_settings(self, script: Script, wishes: Wishes, name: str, copy: str) -> dict[str, Value]:
        command = runner.script_command(
            self.folder,
            copy,
            variables=runner.variables(wishes.settings, wishes.job_name or script.path.name),
            chdir=wishes.chdir,
            array=wishes.array is not None,
        )
        settings = {"command": command, "retry.max_attempts": 1, **wishes.settings, **self._own_dir}
        if wishes.array:
            settings |= {"param.array": wishes.array.spelled, "split.jobs": wishes.array.size}
        return settings

    def commands(self, path: Path) -> None:
        """Take a list of commands. Raises BadInput."""
        found = commands.read(path)
        self._findings += found.findings
        name = self._name(path, path.stem)
        copy = f"{name}.commands"
        self.files[copy] = (found.content, 0o644)
        settings: dict[str, Value] = {
            "command": runner.list_command(self.folder, copy),
            "split.jobs": found.count,
            "retry.max_attempts": 1,
        }
        self._add(path, Task(name, settings={**settings, **self._own_dir}), found.count, ())

    def _add(self, path: Path, task: Task, jobs: int, fates: tuple[Fate, ...]) -> None:
        self._new.append(task)
        self._wrapped.append(Wrapped(str(path), task.name, jobs, fates))

    def _name(self, path: Path, wanted: str) -> str:
        """A free name for a task; one that an earlier source of this call has gets a number."""
        name = base = slug(wanted)
        if base.casefold() in {one.casefold() for one in self._old}:
            message = f"{path}: {self._request.target} holds a task {base} already"
            hint = "give the script another --job-name"
            raise BadInput(message, [Finding("task-exists", message, subject=path.name, hint=hint)])
        number = 2
        while self._taken(name):
            name, number = f"{base[:60]}-{number}", number + 1
        if name != base:
            message = f"{path}: two scripts are called {base}; this one is the task {name}"
            self._findings.append(Finding("renamed", message, subject=path.name, severity="warning"))
        return name

    def _taken(self, name: str) -> bool:
        folded = name.casefold()
        return folded in {one.casefold() for one in self._old | {task.name for task in self._new}}

    def finish(self) -> WrapAnswer:
        """Join the tasks, check the whole. Raises BadInput."""
        sizes = {**edges.sizes(self.metatask), **{one.task: one.jobs for one in self._wrapped}}
        links = edges.link(self._waiting, sizes, self._resolve)
        self._build(links)
        found = [*self._findings, *links.findings]
        faults = [one for one in rules.validate(self.metatask) if self._concerns_us(one)]
        if rules.errors(faults):
            raise BadInput("nothing was wrapped:", rules.errors(faults))
        return WrapAnswer(
            file=str(self._request.target),
            metatask=self.metatask.full_name,
            tasks=sum(1 for _ in self.metatask.tasks),
            sources=tuple(self._wrapped),
            warnings=tuple(found),
        )

    def _resolve(self, name: str) -> str | None:
        """The one task that a script calls so, if there is one."""
        if "$" in name:
            return None
        wanted = (name.casefold(), slug(name).casefold())
        tasks = [*(task.name for task in self._new), *self._old]
        for task in tasks:
            if task.casefold() in wanted:
                return task
        found = set(self._called.get(name.casefold(), ()))
        return found.pop() if len(found) == 1 else None

    def _build(self, links: Links) -> None:
        fresh = MetaTask("fresh")
        for task in self._new:
            fresh.add(_without_units(task) if task.name in links.paired else task)
        # What the scripts hold must not be taken for placeholders of a template.
        nodes = [*self.metatask.nodes, *instantiate.protect(fresh).nodes]
        changed = [replace(n, settings={**n.settings, **links.settings.get(n.name, {})}) for n in nodes]
        self.metatask = graph.copy_with(self.metatask, changed, [*self.metatask.edges, *links.edges])

    def _concerns_us(self, finding: Finding) -> bool:
        new = {task.name for task in self._new}
        return not self._request.add or finding.code == "cycle" or (finding.subject or "") in new


def _without_units(task: Task) -> Task:
    """A task that takes the units of its partner makes none itself."""
    return replace(task, settings={key: value for key, value in task.settings.items() if key != "split.jobs"})


# --- files -------------------------------------------------------------------------------------------------


def _check_target(request: WrapRequest) -> None:
    target = request.target
    if not target.name.endswith(SUFFIXES):
        message = f"{target}: a Meta-Task is written to a file that ends in .graphml"
        raise BadInput(message, [Finding("bad-target", message)])
    if request.add or request.force:
        return
    for path in (target, _folder(target)):
        if path.exists():
            raise Refused(f"{path} exists already; --force writes over it, -o FILE.graphml names another")


def _folder(target: Path) -> Path:
    """The folder of a file's scripts: `w.files` beside `w.graphml`."""
    return target.with_name(target.name.removesuffix(".gz").removesuffix(".graphml") + ".files")


def _opened(request: WrapRequest) -> MetaTask:
    if request.add:
        return reader.read(request.target).metatask
    first = [*request.scripts, *request.lists][0]
    named = request.target.name.removesuffix(".gz").removesuffix(".graphml") or first.stem
    return MetaTask(request.name or slug(named, "metatask"), project=request.project or DEFAULT_PROJECT)


def _save(request: WrapRequest, metatask: MetaTask, files: Mapping[str, tuple[bytes, int]]) -> None:
    """Write the scripts, and last the GraphML, which appears whole or not at all."""
    stream = io.BytesIO()
    writer.write(metatask, stream)
    document = stream.getvalue()
    packed = request.target.name.endswith(".gz")
    folder = _folder(request.target)
    try:
        _refuse_loss(request, folder, files)
        folder.mkdir(parents=True, exist_ok=True)
        for name, (content, mode) in files.items():
            _replace(folder / name, content, mode)
        _replace(request.target, gzip.compress(document, mtime=0) if packed else document, 0o644)
    except OSError as fault:
        raise DeftError(f"cannot write {fault.filename or folder}: {fault.strerror}") from None


def _refuse_loss(request: WrapRequest, folder: Path, files: Mapping[str, tuple[bytes, int]]) -> None:
    kept = [name for name in files if name != runner.NAME and (folder / name).exists()]
    if kept and not request.force:
        raise Refused(f"{folder / kept[0]} exists already; --force writes over it")


def _replace(path: Path, content: bytes, mode: int) -> None:
    new = path.with_name(path.name + ".new")
    new.write_bytes(content)
    new.chmod(mode)
    os.replace(new, path)
