"""`deft wrap`: batch scripts and lists of commands become a Meta-Task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from deft.authoring.wrap import wrapping
from deft.authoring.wrap.wrapping import WrapAnswer, Wrapped, WrapRequest
from deft.cli import context, printing
from deft.cli.intake import warn

_FILE = click.Path(path_type=Path)
_SIGNS = {
    "used": ("->", ""),
    "kept": ("kept in", ""),
    "dropped": ("left out:", "yellow"),
    "overridden": ("not used:", "yellow"),
    "unknown": ("unknown, kept in", "red"),
}


@click.command("wrap")
@click.argument("scripts", metavar="[SCRIPT…]", nargs=-1, type=_FILE)
@click.option("--add-sbatch", "more", metavar="SCRIPT", multiple=True, type=_FILE, help="Another script.")
@click.option("--commands", "lists", metavar="FILE", multiple=True, type=_FILE, help="Commands, one a line.")
@click.option(
    "--to", "into", metavar="FILE.graphml", type=_FILE, help="Add them to the Meta-Task in this file."
)
@click.option("--output", "-o", metavar="FILE.graphml", type=_FILE, help="Write the Meta-Task here.")
@click.option("--name", metavar="NAME", help="Call the Meta-Task so.")
@click.option("--project", metavar="NAME", help="Put it into this project.")
@click.option("--force", is_flag=True, help="Write over files that exist.")
@context.json_option
def wrap_command(
    scripts: Sequence[Path], more: Sequence[Path], lists: Sequence[Path], into: Path | None,
    output: Path | None, name: str | None, project: str | None, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make a Meta-Task of batch scripts and lists of commands.

    #SBATCH lines become settings, --array becomes units, --dependency between the scripts becomes edges.
    The scripts are copied into a folder beside the file; the report says what became of every directive.

    \b
    deft wrap job.sbatch -o w.graphml && deft run w.graphml
    deft wrap evgen.sbatch simul.sbatch --name chain
    deft wrap --commands todo.txt
    deft wrap --add-sbatch plot.sbatch --to w.graphml
    """
    given = [*scripts, *more]
    first = next(iter([*given, *lists]), None)
    if first is None:
        raise click.UsageError("give a batch script, or a list by --commands FILE")
    if into is not None and (output or name or project):
        raise click.UsageError("--to adds to a Meta-Task that has a file, a name and a project")
    new = output or Path(f"{wrapping.slug(name or first.stem, 'metatask')}.graphml")
    request = WrapRequest(
        target=into or new,
        scripts=given,
        lists=lists,
        submit_dir=Path.cwd(),
        name=name,
        project=project,
        add=into is not None,
        force=force,
    )
    _tell(wrapping.wrap(request), as_json=as_json)


def _tell(answer: WrapAnswer, *, as_json: bool) -> None:
    if as_json:
        printing.emit_json(answer)
        return
    for wrapped in answer.sources:
        _tell_source(wrapped)
    warn(answer.warnings)
    click.echo(f"wrote {answer.file}: {answer.metatask}, {answer.tasks} task{'s' * (answer.tasks != 1)}")
    file = answer.file if "/" in answer.file else f"./{answer.file}"
    click.echo(f"try it: deft run {file}")


def _tell_source(wrapped: Wrapped) -> None:
    jobs = f"{wrapped.jobs} job{'s' * (wrapped.jobs != 1)}"
    click.echo(f"{printing.safe(wrapped.source)}: task {wrapped.task}, {jobs}", err=True)
    width = max((len(fate.directive) for fate in wrapped.directives), default=0)
    for fate in wrapped.directives:
        sign, colour = _SIGNS[fate.verdict]
        text = printing.safe(f"{fate.directive:<{min(width, 40)}}  {sign} {fate.becomes}")
        click.echo(f"  line {fate.line:<3} {click.style(text, fg=colour or None)}", err=True)
