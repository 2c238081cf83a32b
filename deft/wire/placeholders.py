"""Placeholders of a job's command, as `{param.x}` or `{inputs}`: checked by DEFT, filled by JEDI.

A placeholder is a dotted path of identifiers in braces that no `$` precedes. Braces that hold anything else
are left alone (`awk '{print $1}'`, `${HOME}`, `{a,b}`), and `{{path}}` stands for the text `{path}`. Every
value is quoted for /bin/sh; a filled command is never filled again.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

from deft.base.errors import BadInput, Finding

_PATH = r"[A-Za-z_]\w*(?:\.[A-Za-z_][\w-]*)*"
_PLACEHOLDER = re.compile(rf"\{{\{{({_PATH})\}}\}}|(?<!\$)(?<!\{{)\{{({_PATH})\}}")
_BRACED = re.compile(rf"\{{{_PATH}\}}")

# What every job has; `param.x`, `attr.x`, `input.NAME` and `output.TYPE` are added by the task.
ALWAYS = (
    "input", "inputs", "inputs_file", "output", "job.index", "job.seed", "unit.key", "unit.first_event",
    "unit.events", "python", "template",
)  # fmt: skip


def used(command: str) -> list[str]:
    """The placeholders of a command, each once, in order."""
    if "{" not in command:
        return []
    return list(dict.fromkeys(m[2] for m in _PLACEHOLDER.finditer(command) if m[2]))


def check(command: str, names: Collection[str], subject: str) -> list[Finding]:
    """A finding for every placeholder of `command` that is not among `names`, with near names."""
    found = []
    for name in used(command):
        if name not in names:
            near = get_close_matches(name, names, 3) or sorted(names)[:8]
            near_text = ", ".join(f"{{{n}}}" for n in near)
            message = f"{subject}: unknown placeholder {{{name}}}"
            hint = f"near: {near_text}; write {{{{{name}}}}} for the text itself"
            found.append(Finding("unknown-placeholder", message, subject=subject, hint=hint))
    return found


def fill(command: str, values: Mapping[str, str | int | float | bool | Sequence[str]]) -> str:
    """Fill a command; a list becomes its quoted items with blanks between.

    Raises BadInput for a placeholder without a value.
    """

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return "{" + match[1] + "}"
        if match[2] not in values:
            raise BadInput(f"the placeholder {{{match[2]}}} has no value in this job")
        return quote(values[match[2]])

    return _PLACEHOLDER.sub(replace, command)


def escape(text: str) -> str:
    """The text of a command in which nothing is a placeholder, as it must be written."""
    return _BRACED.sub(r"{\g<0>}", text)


def quote(value: str | int | float | bool | Sequence[str]) -> str:
    """One value, or several, as /bin/sh reads them back unchanged."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return shlex.quote(str(value))
    return " ".join(map(shlex.quote, value))


def quote_around(text: str) -> str:
    """A text as one word of /bin/sh, in which the placeholders are still to be filled."""
    made, end = "", 0
    for match in _PLACEHOLDER.finditer(text):
        if match[2]:
            made += _quoted(text[end : match.start()]) + match[0]
            end = match.end()
    return made + _quoted(text[end:])


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else ""
