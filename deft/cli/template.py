"""`deft template list show new check`: templates are found, looked at, begun and examined."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from deft.authoring.graphml import assemble, writer
from deft.authoring.templates import catalogue, checking, search, skeleton
from deft.base.errors import BadInput, NotFound, Refused
from deft.cli import context, printing, values


@click.group("template", context_settings={"help_option_names": ["-h", "--help"]})
def template_command() -> None:
    """Templates: which there are, what one does, a new one, and whether one is sound.

    They are looked for in `templates/` of the work folder, in ~/.config/deft/templates, and among those that
    came with DEFT; the first one of a name wins.
    """


def _workdir(ctx: click.Context, workdir: str | None) -> Path:
    """The work folder, or the current folder where there is none: templates need no database."""
    try:
        return context.settings_of(ctx, workdir=workdir).workdir
    except NotFound:
        return Path.cwd()


@template_command.command("list")
@context.workdir_option
@context.json_option
@click.pass_context
def list_command(ctx: click.Context, workdir: str | None, as_json: bool) -> None:
    """All templates, a line each."""
    found = catalogue.listed(search.places(_workdir(ctx, workdir)))
    if as_json:
        printing.emit_json(found)
        return
    rows = [(one.name, one.tasks, one.fault or one.description, one.place) for one in found]
    printing.table(("template", "tasks", "what for", "where"), rows, right=(1,))
    for one in found:
        for hidden in one.hides:
            click.echo(
                f"note: {printing.safe(str(one.path.parent))} hides {printing.safe(str(hidden))}", err=True
            )


@template_command.command("show")
@click.argument("name", metavar="NAME")
@context.workdir_option
@context.json_option
@click.pass_context
def show_command(ctx: click.Context, name: str, workdir: str | None, as_json: bool) -> None:
    """What a template is for, its parameters, and how its tasks hang together.

    \b
    deft template show census
    """
    found = catalogue.described(name, search.places(_workdir(ctx, workdir)))
    if as_json:
        printing.emit_json(found)
        return
    click.echo(_safe(found.about or f"# {name}\n\n{found.description}"))
    if found.parameters:
        click.echo()
        rows = [
            (
                one.name,
                one.type,
                "must be given" if one.default is None else one.default,
                ", ".join(one.choices),
                one.help,
            )
            for one in found.parameters
        ]
        printing.table(("parameter", "type", "default", "choices", "help"), rows)
    click.echo("\n" + _safe("\n".join(found.tree)) + f"\n\n{found.place}: {printing.safe(str(found.path))}")


def _safe(text: str) -> str:
    return "\n".join(map(printing.safe, text.splitlines()))


@template_command.command("new")
@click.option(
    "--topology",
    type=click.Choice(skeleton.TOPOLOGIES),
    default="chain",
    show_default=True,
    help="How the steps hang together.",
)
@click.option(
    "--steps",
    metavar="A,B,C",
    default=",".join(skeleton.DEFAULT_STEPS),
    show_default=True,
    help="Names of the steps.",
)
@click.option("--width", type=int, metavar="N", help="Copies side by side (10; a chain has none).")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write here, not to stdout.",
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@context.json_option
def new_command(
    topology: str, steps: str, width: int | None, output: Path | None, force: bool, as_json: bool
) -> None:
    """Begin a Meta-Task: a GraphML file that runs as it is, with commands to be replaced.

    \b
    deft template new --topology bag-of-chains --steps evgen,simul,reco --width 10 -o b.graphml
    deft run b.graphml
    """
    if width is None:
        width = 1 if topology == "chain" else 10
    name = assemble.slug(output.name.split(".")[0] if output else topology)
    made = skeleton.skeleton(name, topology, [step.strip() for step in steps.split(",")], width)
    stream = io.BytesIO()
    writer.write(made, stream)
    if output is None:
        sys.stdout.buffer.write(stream.getvalue())
        return
    _write(output, stream.getvalue(), force=force)
    if as_json:
        printing.emit_json(
            {
                "file": output,
                "topology": topology,
                "steps": [node.name for node in made.nodes],
                "width": width,
            }
        )
    else:
        shown = output if search.is_file(str(output)) else Path("./") / output
        click.echo(f"wrote {output}; `deft run {shown}` runs it")


def _write(path: Path, document: bytes, *, force: bool) -> None:
    try:
        with path.open("wb" if force else "xb") as stream:
            stream.write(document)
    except FileExistsError:
        raise Refused(f"{path} exists already; --force replaces it") from None
    except OSError as fault:
        raise BadInput(f"cannot write {path}: {fault.strerror}") from None


@template_command.command("check")
@click.argument("source", metavar="NAME|FILE")
@click.option("--set", "given", metavar="K=V", multiple=True, help="A parameter's value.")
@values.set_file_option
@click.option("--strict", is_flag=True, help="Take warnings as errors.")
@context.workdir_option
@context.json_option
@click.pass_context
def check_command(
    ctx: click.Context, source: str, given: Sequence[str], set_files: Sequence[Path], strict: bool,
    workdir: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Whether a template is valid and complete: payload files, README, help, no parameter for nothing.

    Parameters that must be given get a sample value. Exit code 6 where something is wrong.

    \b
    deft template check census
    deft template check ./mine/mine.graphml --strict
    """
    found = checking.check(source, values.given(given, set_files), _workdir(ctx, workdir), strict=strict)
    wrong = any(finding.severity == "error" for finding in found)
    if as_json:
        printing.emit_json({source: found})
    else:
        click.echo(f"{source}: {'refused' if wrong else 'ok'}")
        for finding in found:
            click.echo(f"  {finding.severity}: {printing.safe(str(finding))}")
    if wrong:
        ctx.exit(BadInput.exit_code)
