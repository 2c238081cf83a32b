"""Where a command gets the values of parameters: `--set`, `--set-file`, and a question on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from deft.authoring.templates import catalogue, value_files
from deft.authoring.templates.parameters import Parameter
from deft.base.errors import BadInput
from deft.cli.context import actor
from deft.engine import intake
from deft.engine.intake import ImportAnswer, ImportRequest
from deft.store.session import Session

Function = TypeVar("Function", bound=Callable[..., Any])
_TYPES: dict[str, Any] = {"int": click.INT, "double": click.FLOAT, "boolean": click.BOOL}


def set_file_option(function: Function) -> Function:
    """`--set-file`: values from a file."""
    return click.option(
        "--set-file", "set_files", metavar="FILE", multiple=True, type=click.Path(path_type=Path),
        help="Values of parameters: JSON, TOML or YAML; --set beats them.",
    )(function)  # fmt: skip


def from_option(function: Function) -> Function:
    """`--from`: which importer reads the source."""
    text = "What the source is, where it is no GraphML: wfformat, node-link, pyutilib, or what is installed."
    return click.option("--from", "form", metavar="NAME", help=text)(function)


def given(pairs: Sequence[str], files: Sequence[Path] = ()) -> dict[str, str]:
    """All values by name: those of the files, the later one first, beaten by `--set k=v`. Raises BadInput."""
    found: dict[str, str] = {}
    for path in files:
        found |= value_files.read(path)
    for one in pairs:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise BadInput(f"--set {one!r}: write NAME=VALUE")
        found[name.strip()] = value
    return found


def importing(
    session: Session, values: Mapping[str, str], *, source: str, quiet: bool, **options: Any
) -> ImportAnswer:
    """Import `source` with these values; those that are missing are asked for, where a person can answer.

    With `quiet` (`--json`), or where stdin is no terminal, it raises BadInput, which names them.
    """

    def attempt(given: Mapping[str, str]) -> ImportAnswer:
        return intake.import_metatask(session, ImportRequest(actor(), source, given=given, **options))

    try:
        return attempt(values)
    except BadInput as fault:
        if quiet or not can_ask(fault):
            raise
        missing = _missing(fault)
        known = catalogue.of_source(source, session.settings.workdir, form=options.get("form"))
        if not missing <= known.keys():
            raise  # those of a template inside this one
    return attempt({**values, **{name: _ask(known[name]) for name in sorted(missing)}})


def can_ask(fault: BadInput) -> bool:
    """True where nothing is wrong but values that are missing, and a person can give them."""
    return bool(_missing(fault)) and sys.stdin.isatty()


def _missing(fault: BadInput) -> set[str]:
    """The parameters without a value, where nothing else is wrong."""
    wrong = [finding for finding in fault.findings if finding.severity == "error"]
    only = all(finding.code == "missing-parameter" for finding in wrong)
    return {finding.subject for finding in wrong if finding.subject} if only else set()


def _ask(parameter: Parameter) -> str:
    about = f" ({parameter.help})" if parameter.help else ""
    kind: Any = click.STRING if parameter.is_list else _TYPES.get(parameter.type, click.STRING)
    if parameter.choices and not parameter.is_list:
        kind = click.Choice(parameter.choices)
    hint = f" [{', '.join(parameter.choices)}; several]" if parameter.choices and parameter.is_list else ""
    answer = click.prompt(f"{parameter.name}{about}{hint}", type=kind, err=True)
    return str(answer).lower() if isinstance(answer, bool) else str(answer)
