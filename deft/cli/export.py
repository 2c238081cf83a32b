"""`deft export`: a Meta-Task goes out as GraphML."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import click

from deft.cli import context, files, printing
from deft.engine import export
from deft.engine.export import ExportRequest


@click.command("export")
@click.argument("metatask", metavar="META")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write here, not to stdout; packed where the name ends in .gz.",
)
@click.option(
    "--for",
    "flavour",
    type=click.Choice(export.FLAVOURS),
    default=export.PLAIN,
    show_default=True,
    help="The tool that is to read it.",
)
@click.option("--with-state", is_flag=True, help="Add where it stands: keys state.*, which import ignores.")
@context.workdir_option
@context.json_option
@click.pass_context
def export_command(
    ctx: click.Context,
    metatask: str,
    output: Path | None,
    flavour: str,
    with_state: bool,
    as_json: bool,
    workdir: str | None,
) -> None:
    """Write a stored Meta-Task as GraphML.

    \b
    deft export census | head
    deft export census -o census.graphml
    deft export census --for yed -o census.graphml
    """
    with context.database(ctx, workdir=workdir) as session:
        request = ExportRequest(context.actor(), metatask, flavour, with_state)
        answer = export.export_metatask(session, request)
    said = {"metatask": answer.metatask, "for": flavour, "tasks": answer.tasks, "edges": answer.edges}
    if output is not None:
        packed = output.suffix.lower() == ".gz"
        # No time in it: the same Meta-Task gives the same bytes, packed or not.
        files.write(output, gzip.compress(answer.content, mtime=0) if packed else answer.content)
        if as_json:
            printing.emit_json({"file": output, **said})
    elif as_json:
        printing.emit_json({**said, "document": answer.content.decode()})
    else:
        sys.stdout.buffer.write(answer.content)
