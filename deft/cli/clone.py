"""`deft clone`: a Meta-Task again, whole or in part, with other values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from deft.cli import context, printing, values
from deft.engine import clone
from deft.engine.clone import CloneRequest


@click.command("clone")
@click.argument("source", metavar="META|FILE")
@click.argument("name", metavar="NEW")
@click.option("--tasks", metavar="GLOB", multiple=True, help="Only these.")
@click.option("--set", "given", metavar="K=V", multiple=True, help="Another value of a parameter.")
@values.set_file_option
@click.option("--project", metavar="NAME", help="Put it into this project.")
@click.option("--start", is_flag=True, help="Arm it at once.")
@context.workdir_option
@context.json_option
@click.pass_context
def clone_command(
    ctx: click.Context, /, given: Sequence[str], set_files: Sequence[Path], tasks: Sequence[str],
    as_json: bool, workdir: str | None, **options: Any,
) -> None:  # fmt: skip
    """Make a Meta-Task of a stored one or of a file, under the name NEW.

    A Meta-Task runs once; its clone runs anew. With --tasks, what the tasks left out have made comes in
    as external data.

    \b
    deft clone mc_chain again --set events=500
    deft clone mc_chain plots --tasks merge --tasks plot      from the data that reco made
    deft clone ./production.graphml test1 --start
    """
    request = CloneRequest(
        context.actor(), given=values.given(given, set_files), tasks=tuple(tasks), **options
    )
    with context.database(ctx, workdir=workdir) as session:
        answer = clone.clone(session, request)
    if as_json:
        printing.emit_json(answer)
        return
    click.echo(f"cloned as {answer.metatask}: {answer.tasks} tasks, {answer.datasets} datasets")
    if not request.start:
        click.echo(f"it does not run yet; `deft start {answer.metatask.split('/')[1]}` arms it")
