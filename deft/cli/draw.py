"""`deft draw`: a picture of a Meta-Task, as it stands or as it is written down."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from deft.authoring.templates import search
from deft.base.errors import BadInput, NotFound
from deft.cli import context, files, printing, values
from deft.cli.intake import warn
from deft.engine import intake
from deft.observe import drawing
from deft.observe.drawing import Drawing, DrawRequest, Style
from deft.observe.pictures import plan

STDOUT = "-"
_SUFFIXES = {f".{name}": name for name in drawing.FORMATS} | {".gv": drawing.DOT}


@click.command("draw")
@click.argument("source", metavar="META|FILE", required=False)
@click.option("--template", metavar="NAME", help="Draw a template, filled with its defaults and --set.")
@click.option("--output", "-o", metavar="FILE", help="Write here (NAME.svg; `-` is standard output).")
@click.option("--format", "kind", type=click.Choice(drawing.FORMATS), help="If FILE's name does not say it.")
@click.option("--group/--no-group", "grouped", default=None, help="Tasks of one step as one box, or each.")
@click.option(
    "--most",
    type=click.IntRange(1, 100_000),
    default=drawing.MOST,
    show_default=True,
    help="Group by step above so many tasks.",
)
@click.option(
    "--direction",
    type=click.Choice(plan.DIRECTIONS),
    default=plan.AUTO,
    show_default=True,
    help="Where the arrows point.",
)
@values.from_option
@click.option("--set", "given", metavar="K=V", multiple=True, help="Of a file or template: a value.")
@values.set_file_option
@context.workdir_option
@context.json_option
@click.pass_context
def draw_command(
    ctx: click.Context,
    /,
    source: str | None,
    template: str | None,
    output: str | None,
    kind: str | None,
    form: str | None,
    given: Sequence[str],
    set_files: Sequence[Path],
    as_json: bool,
    workdir: str | None,
    **options: Any,
) -> None:
    """A picture of a Meta-Task: its tasks with their states, its data with how complete they are.

    META is one that is stored, or tasks of it. FILE, which is there or ends in .graphml, and --template need
    no database.

    \b
    deft draw census                       writes census.svg
    deft draw census -o census.png         or .pdf, .dot
    deft draw ./census.graphml -o - | less
    deft draw --template mc_chain
    deft draw production --no-group -o all.svg
    """
    if (source is None) == (template is None):
        raise click.UsageError("give META, FILE, or --template NAME", ctx)
    if as_json and output == STDOUT:
        raise click.UsageError("--json and -o - both want standard output", ctx)
    style = Style(format=_format(output, kind), **options)
    document = template if source is None else source if form or _is_file(source) else None
    if document is not None:
        wanted = values.given(given, set_files)
        found = _of_document(document, wanted, style, _folder(ctx, workdir), form)
    elif given or set_files:
        raise click.UsageError("--set is for a FILE or a --template; what is stored has its values", ctx)
    else:
        found = _of_stored(ctx, source or "", style, workdir)
    _give(found, output, as_json=as_json)


def _is_file(source: str) -> bool:
    return source.endswith(search.SUFFIXES) or Path(source).is_file()


def _format(output: str | None, kind: str | None) -> str:
    """What is asked for, else what the file's name says. Raises BadInput where it says nothing."""
    if kind is not None:
        return kind
    suffix = Path(output).suffix.lower() if output not in (None, STDOUT) else ".svg"
    if suffix not in _SUFFIXES:
        names = ", ".join(_SUFFIXES)
        raise BadInput(
            f"{output!r} does not say what kind of picture it is: end it in {names}, or add --format"
        )
    return _SUFFIXES[suffix]


def _folder(ctx: click.Context, workdir: str | None) -> Path:
    """The work folder, or the current folder where there is none: a document needs no database."""
    try:
        return context.settings_of(ctx, workdir=workdir).workdir
    except NotFound:
        return Path.cwd()


def _of_stored(ctx: click.Context, source: str, style: Style, workdir: str | None) -> Drawing:
    with context.database(ctx, workdir=workdir) as session:
        try:
            return drawing.draw(session, DrawRequest(context.actor(), source, style))
        except NotFound as fault:
            if source not in search.names(*search.folders(session.settings.workdir)):
                raise
            raise NotFound(f"{fault}; `deft draw --template {source}` draws the template") from None


def _of_document(
    source: str, given: Mapping[str, str], style: Style, folder: Path, form: str | None
) -> Drawing:
    metatask, warnings = intake.read_source(source, given, folder, form=form)
    warn(warnings)
    return drawing.draw_document(metatask, style)


def _give(found: Drawing, output: str | None, *, as_json: bool) -> None:
    if output == STDOUT:
        sys.stdout.buffer.write(found.content)
        return
    path = Path(output or f"{found.metatask.rpartition('/')[2]}.{found.format}")
    files.write(path, found.content)
    if as_json:
        answer = printing.plain(replace(found, content=b""))
        del answer["content"]
        printing.emit_json({"file": path, **answer})
        return
    boxes = f" in {printing.count(found.boxes, 'box').replace('boxs', 'boxes')}" if found.grouped else ""
    click.echo(f"wrote {path}: {printing.count(found.tasks, 'task')}{boxes}")
