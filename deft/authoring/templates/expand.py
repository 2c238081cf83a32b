"""A document as it was read -> the Meta-Task that runs: filled, copied, nested templates in their places.

A node of the kind metatask stands for a template: its key `template` is a template's name, or a path below
the document's folder; its `param.x` are the template's parameters. What a template was filled with is never
filled again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deft.authoring.graphml import reader
from deft.authoring.graphml.limits import CLI, Limits
from deft.authoring.templates import copies, instantiate, parameters, search, splice
from deft.authoring.templates.copies import Room
from deft.base.errors import BadInput, Finding, NotFound
from deft.model import keys
from deft.model.graph import MetaTask
from deft.model.tasks import NodeKind, Task, is_name

DEEPEST = 8  # templates inside templates


@dataclass(frozen=True, slots=True)
class Expansion:
    """The Meta-Task, and what is worth knowing although nothing is wrong."""

    metatask: MetaTask
    findings: tuple[Finding, ...]


def expand(
    metatask: MetaTask,
    given: Mapping[str, str],
    facts: Mapping[str, str],
    *,
    folders: Sequence[Path] = (),
    limits: Limits = CLI,
    strict: bool = False,
) -> Expansion:
    """The Meta-Task with every `foreach`, placeholder and nested template made real.

    `folders` are searched for templates, the shipped ones where there are none. Raises BadInput with all
    findings.
    """
    work = _Expansion(folders, limits, strict)
    path = (Path(metatask.origin).resolve(),) if metatask.origin else ()
    made = work.expanded(metatask, given, facts, path)
    instantiate.refuse(metatask.full_name, work.found)
    return Expansion(made, tuple(work.found))


class _Expansion:
    """The state of one expansion: what was found, read and made so far."""

    def __init__(self, folders: Sequence[Path], limits: Limits, strict: bool) -> None:
        self.found: list[Finding] = []
        self._folders, self._limits, self._strict = folders, limits, strict
        self._room = Room(limits)
        self._read: dict[Path, MetaTask | None] = {}

    def expanded(
        self, metatask: MetaTask, given: Mapping[str, str], facts: Mapping[str, str], path: tuple[Path, ...]
    ) -> MetaTask:
        """One document, with all that is nested in it; `path` leads to it from the outermost."""
        made = instantiate.filled(metatask, given, facts, self.found, self._room)
        nested = [node for node in made.nodes if node.kind is NodeKind.METATASK]
        if not nested:
            return made
        lists = copies.listed(metatask)
        parts = {}
        for node in nested:
            before = len(self.found)
            inner = self._inner(node, metatask.folder, lists, facts, path)
            if inner is not None:
                parts[node.name] = splice.part(node, inner, made)
            if any(finding.severity == "error" for finding in self.found[before:]):
                return made  # its other copies would only repeat it
        whole = splice.splice(made, parts, self.found)
        self._check_names(whole)
        return whole

    def _check_names(self, metatask: MetaTask) -> None:
        for node in metatask.nodes:
            if not is_name(node.name):
                message = (
                    f"{node.name!r} is no name of a task: it has {len(node.name)} characters, 64 are allowed"
                )
                self._wrong("long-name", node, message, "use shorter names for what is nested")

    def _wrong(self, code: str, node: Task, message: str, hint: str | None = None) -> None:
        self.found.append(Finding(code, message, node.line, node.name, hint))

    def _inner(
        self, node: Task, folder: str, lists: frozenset[str], facts: Mapping[str, str], path: tuple[Path, ...]
    ) -> MetaTask | None:
        """The template of a node, expanded; None, and findings, where it cannot be."""
        place = self._place(node, folder)
        if place is None:
            return None
        if place in path:
            circle = " -> ".join(one.name for one in (*path[path.index(place) :], place))
            self._wrong("template-recursion", node, f"{node.name}: a template contains itself: {circle}")
            return None
        if len(path) > DEEPEST:
            self._wrong(
                "nested-too-deep", node, f"{node.name}: templates are nested more than {DEEPEST} deep"
            )
            return None
        before = len(self.found)
        bare = self._bare(place)
        made = None
        if bare is not None:
            given = _given(node, bare, lists)
            made = self.expanded(bare, given, {**facts, "template": bare.folder}, (*path, place))
        self.found[before:] = [_within(finding, node, place) for finding in self.found[before:]]
        return made

    def _place(self, node: Task, folder: str) -> Path | None:
        """The file of its template."""
        text = str(node.settings.get("template", "")).strip()
        if not text:
            message = f"{node.name} is a metatask and names no template"
            self._wrong("no-template", node, message, "template = a template's name, or a path")
            return None
        try:
            if not search.is_file(text):
                return search.find(text, *self._folders).resolve()
            return search.below(Path(folder), text)
        except (BadInput, NotFound) as fault:
            code = "bad-template-name" if isinstance(fault, BadInput) else "unknown-template"
            self._wrong(code, node, f"{node.name}: {fault.args[0]}")
            return None

    def _bare(self, place: Path) -> MetaTask | None:
        """The template as it was read; each is read once."""
        if place not in self._read:
            self._read[place] = None
            try:
                reading = reader.read(place, limits=self._limits, strict=self._strict)
            except BadInput as fault:
                self.found += fault.findings
            else:
                self._read[place] = reading.metatask
                self.found += reading.findings
        return self._read[place]


def _given(node: Task, inner: MetaTask, lists: frozenset[str]) -> dict[str, str]:
    """The values for a template: the node's `param.x`; what it was copied for only where it is asked for."""
    known = parameters.declared(inner.settings)
    mine = {name: keys.render(value) for name, value in node.family(parameters.PREFIX).items()}
    return {name: value for name, value in mine.items() if name in known or name not in lists}


def _within(finding: Finding, node: Task, place: Path) -> Finding:
    """A finding of a template as the outer document tells it."""
    line = f", line {finding.line}" if finding.line is not None else ""
    subject = f"{node.name}.{finding.subject}" if finding.subject else node.name
    message = f"in {place.name}{line}, which {node.name} stands for: {finding.message}"
    return replace(finding, message=message, line=node.line, subject=subject)
