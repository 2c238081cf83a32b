"""What a template should have beyond being valid: payload files, a README, help, no parameter for nothing."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from deft.authoring.graphml import reader
from deft.authoring.templates import catalogue, copies, expand, instantiate, search
from deft.authoring.templates.expand import Expansion
from deft.authoring.templates.parameters import Parameter
from deft.base.errors import BadInput, Finding
from deft.model import keys, rules
from deft.model.graph import MetaTask
from deft.model.tasks import Task
from deft.wire import placeholders, pyutilib_command

_PAYLOAD = re.compile(r"\$?\{template\}/([^\s'\"{}$;|&<>()*?]+)(?=[\s'\";|&<>()]|\Z)")
_NAMED = re.compile(r"\{param\.([\w.-]+)\}")
_SAMPLES = {"int": "1", "double": "1", "boolean": "true"}


def check(source: str, given: Mapping[str, str], workdir: Path, *, strict: bool = False) -> list[Finding]:
    """Every finding of a file or template; parameters that must be given get a sample value.

    With `strict` every warning counts as an error. Raises NotFound, and BadInput for a strange name.
    """
    folders = search.folders(workdir)
    path, folder = search.open_source(source, *folders)
    try:
        reading = reader.read(path)
    except BadInput as fault:
        return list(fault.findings)
    bare = reading.metatask
    known = catalogue.declared(bare)
    values = {**_samples(known), **given}
    facts = instantiate.facts_here(template=str(folder), workdir=str(workdir))
    found = [*reading.findings, *_whole(bare, values, facts, folders), *_payload(bare, folder)]
    found += [*_readme(path), *_help(known), *_unused(bare, known)]
    return [replace(finding, severity="error") for finding in found] if strict else found


def _samples(known: Mapping[str, Parameter]) -> dict[str, str]:
    must = [
        one for one in known.values() if one.default is None or (one.required and not one.default.strip())
    ]
    return {
        one.name: one.choices[0] if one.choices else _SAMPLES.get(one.type.split()[0], "x") for one in must
    }


def _whole(
    bare: MetaTask, values: Mapping[str, str], facts: Mapping[str, str], folders: Sequence[Path]
) -> Iterator[Finding]:
    """What `deft validate` finds."""
    try:
        made: Expansion = expand.expand(bare, values, facts, folders=folders)
    except BadInput as fault:
        yield from fault.findings
        return
    yield from made.findings
    yield from rules.validate(made.metatask)
    yield from missing_folders(made.metatask)
    yield from missing_modules(made.metatask)


def missing_folders(metatask: MetaTask) -> Iterator[Finding]:
    """A finding for each folder of payload files that does not exist, with the first task that needs it."""
    needing: dict[str, Task] = {}
    for task in metatask.tasks:
        if "template" in placeholders.used(task.command) or pyutilib_command.is_one(task.command):
            needing.setdefault(str(task.settings.get("folder") or metatask.folder), task)
    for folder, task in needing.items():
        if not Path(folder).is_dir():
            message = f"the task {task.name} uses {{template}}, and there is no folder {folder!r}"
            hint = "bring it, or set the task's key folder"
            yield Finding("no-payload-folder", message, task.line, task.name, hint, "warning")


def missing_modules(metatask: MetaTask) -> Iterator[Finding]:
    """A finding for each module of a PyUtilib workflow that is neither in its folder nor installed."""
    needing: dict[tuple[str, str], Task] = {}
    for task in metatask.tasks:
        if pyutilib_command.is_one(task.command) and not pyutilib_command.fault(task.command):
            module = pyutilib_command.parse(task.command)[0].module
            needing.setdefault((str(task.settings.get("folder") or metatask.folder), module), task)
    for (folder, module), task in needing.items():
        top = module.partition(".")[0]
        beside = (Path(folder, top).is_dir(), Path(folder, f"{top}.py").is_file())
        if not any(beside) and importlib.util.find_spec(top) is None:
            message = f"the task {task.name} needs the module {top}, and there is none in {folder!r}"
            hint = "put it beside the document, or install it"
            yield Finding("no-module", message, task.line, task.name, hint, "warning")


def _payload(bare: MetaTask, folder: Path) -> Iterator[Finding]:
    """Files that a setting names by the template's folder and that are not there."""
    for node in bare.nodes:
        place = folder / str(node.settings.get("folder", ""))
        texts = [value for value in node.settings.values() if isinstance(value, str)]
        named = dict.fromkeys(name for text in texts for name in _PAYLOAD.findall(text))
        for name in named:
            if not (place / name).exists():
                message = f"{node.name} uses {{template}}/{name}, which is not there"
                yield Finding("no-payload", message, node.line, node.name, f"looked in {place}")


def _readme(path: Path) -> Iterator[Finding]:
    if not search.readme(path).strip():
        yield _advice("no-readme", f"there is no README.md beside {path.name}", path.name)


def _help(known: Mapping[str, Parameter]) -> Iterator[Finding]:
    for one in known.values():
        if not one.help.strip():
            yield _advice(
                "no-help", f"the parameter {one.name} has no help: set param.{one.name}.help", one.name
            )


def _unused(bare: MetaTask, known: Mapping[str, Parameter]) -> Iterator[Finding]:
    texts = [*bare.settings.values(), *(value for node in bare.nodes for value in node.settings.values())]
    texts += [value for edge in bare.edges for value in edge.settings.values()]
    if any(pyutilib_command.is_one(node.command) for node in bare.nodes):
        return  # parameters are offered to a workflow by their names
    used = copies.listed(bare) | {name for text in texts for name in _NAMED.findall(keys.render(text))}
    for name in known:
        if name not in used:
            yield _advice("unused-parameter", f"nothing uses the parameter {name}", name)


def _advice(code: str, message: str, subject: str) -> Finding:
    return Finding(code, message, subject=subject, severity="warning")
