"""`deft names`: what datasets are called, or would be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from deft.base.errors import NotFound
from deft.cli import context, printing, values
from deft.engine import names
from deft.engine.names import NamesAnswer, NamesRequest


@click.command("names")
@click.argument("source", metavar="META|FILE|TEMPLATE")
@click.option("--pattern", metavar="P", help="By this pattern: default, atlas, or a text with {fields}.")
@click.option("--set", "given", metavar="K=V", multiple=True, help="Of a file or template: a value.")
@values.set_file_option
@context.workdir_option
@context.json_option
@click.pass_context
def names_command(
    ctx: click.Context, source: str, pattern: str | None, given: Sequence[str], set_files: Sequence[Path],
    as_json: bool, workdir: str | None,
) -> None:  # fmt: skip
    """What the datasets of a Meta-Task are called; of a file or template, what they would be.

    A # stands for a digit of the task's number, which it gets at import.

    \b
    deft names census
    deft names ./production.graphml --set run=5
    deft names ./production.graphml --pattern '{project}.{attr.step}.{type}.t{task_id:08d}_r{series:02d}'
    """
    request = NamesRequest(context.actor(), source, values.given(given, set_files), pattern)
    answer = _asked(ctx, request, workdir)
    if as_json:
        printing.emit_json(answer)
        return
    click.echo(f"{answer.source}, by the pattern {answer.pattern}")
    printing.table(("TASK", "TYPE", "DATASET"), [(one.task, one.type, one.name) for one in answer.names])


def _asked(ctx: click.Context, request: NamesRequest, workdir: str | None) -> NamesAnswer:
    """Of a file or template no work folder is needed."""
    try:
        context.settings_of(ctx, workdir=workdir)
    except NotFound:
        if workdir is not None:
            raise
        return names.of_source(request, Path.cwd())
    with context.database(ctx, workdir=workdir) as session:
        return names.names(session, request)
