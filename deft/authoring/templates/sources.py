"""Read what a command was given: a GraphML file, the name of a template, or what an importer takes.

`form` is the importer's name, as `--from` gives it. Without it a file that ends in .graphml, or begins as XML
does, is GraphML; for any other one the importers are asked whose it is by its first bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from deft.authoring.graphml import reader
from deft.authoring.graphml.limits import CLI, Limits
from deft.authoring.importers import jsonfile, registry
from deft.authoring.importers.registry import Importer, Options
from deft.authoring.templates import search
from deft.base.errors import BadInput, Finding
from deft.model.graph import MetaTask
from deft.wire import pyutilib_command

PYUTILIB = "pyutilib"
_XML = (b"<", b"\xef\xbb\xbf<", b"\xfe\xff", b"\xff\xfe")  # markup, or a sign of UTF-16


@dataclass(frozen=True, slots=True)
class Source:
    """A Meta-Task as it was read, what was noticed, and the values left for its parameters."""

    metatask: MetaTask
    findings: tuple[Finding, ...]
    given: Mapping[str, str] = field(default_factory=dict)


def read(
    source: str,
    folders: Sequence[Path],
    *,
    strict: bool = False,
    form: str | None = None,
    given: Mapping[str, str] | None = None,
    limits: Limits = CLI,
) -> Source:
    """The Meta-Task as it is written there; `folders` are searched for templates.

    Of the values `given` an importer takes those of its own options. Raises BadInput with all findings,
    NotFound for what does not exist.
    """
    values = dict(given or {})
    chosen = form or _form(source)
    if chosen is None:
        path, _ = search.open_source(source, *folders)
        reading = reader.read(path, limits=limits, strict=strict)
    else:
        own = _own(chosen, registry.find(chosen), values)
        reading = registry.read(chosen, source, Options(limits=limits, strict=strict, given=own))
        values = {name: value for name, value in values.items() if name not in own}
    return Source(reading.metatask, reading.findings, values)


def is_workflow(source: str) -> bool:
    """True for `pyutilib:MODULE:FACTORY`."""
    return pyutilib_command.is_one(source)


def _form(source: str) -> str | None:
    """The importer that this source needs; None for GraphML and for templates."""
    if is_workflow(source):
        return PYUTILIB
    if not search.is_file(source) or source.endswith(search.SUFFIXES):
        return None
    head = jsonfile.head(Path(source))
    return None if head.lstrip().startswith(_XML) else _recognised(source, head)


def _recognised(source: str, head: bytes) -> str:
    asked = registry.ask(head)
    if len(asked.claimed) == 1:
        return asked.claimed[0]
    what = "several importers take it for theirs" if asked.claimed else "no importer takes it for its own"
    without = f" (not asked, since they are broken: {', '.join(asked.broken)})" if asked.broken else ""
    names = asked.claimed or (*asked.readers, *asked.broken)
    hint = f"say which it is: {', '.join(f'--from {name}' for name in names)}"
    finding = Finding("unknown-format", f"it is no GraphML, and {what}{without}", hint=hint)
    raise BadInput(f"{source} is refused:", [finding])


def _own(form: str, importer: Importer, values: Mapping[str, str]) -> dict[str, str]:
    """The importer's own options among these values. Raises BadInput for a value that it does not have."""
    own = {}
    for choice in importer.choices:
        if choice.name in values:
            value = own[choice.name] = values[choice.name]
            if value not in choice.values:
                near = get_close_matches(value, choice.values, 1)
                hint = f"near: {near[0]}" if near else None
                message = f"{choice.name} = {value!r} is none of {', '.join(choice.values)}"
                raise BadInput(
                    f"the importer {form} has no such option:",
                    [Finding("bad-option", message, subject=choice.name, hint=hint)],
                )
    return own
