"""`deft scan augment close`: verbs about data."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from deft.cli import context, printing
from deft.engine import augment, scan
from deft.engine.augment import AugmentAnswer, AugmentRequest, CloseRequest
from deft.engine.scan import Scanned, ScanRequest
from deft.store.selection import EVERYTHING

_dataset_option = click.option(
    "--dataset", metavar="D", help="Which: its name, its type, or the entry it comes from."
)
_reason_option = click.option("--reason", metavar="TEXT", help="Why; kept in the history.")


@click.command("scan")
@context.workdir_option
@context.json_option
@context.selection_argument
@click.pass_context
def scan_command(
    ctx: click.Context, selection: str, where: str | None, as_json: bool, workdir: str | None
) -> None:
    """Look at the disk again: are all files that tasks made still there, and what lies in data from outside?

    The executor looks; where none runs for a database of one's own, this command does. Exit code 1 where
    something is lost.

    \b
    deft scan                  everything
    deft scan census           what census made and reads
    """
    with context.database(ctx, workdir=workdir) as session:
        request = ScanRequest(context.actor(), selection.strip() or EVERYTHING, where)
        answer = scan.scan(session, request)
    if as_json:
        printing.emit_json({**asdict(answer), "missing": answer.missing})
    else:
        for line in _told(answer.datasets):
            click.echo(line)
        if any(one.missing and one.made for one in answer.datasets):
            again = context.command(ctx, workdir, "recover", *answer.metatasks, "--dry-run")
            click.echo(f"what it takes to make that again: {again}")
    ctx.exit(1 if answer.missing else 0)


def _told(datasets: Sequence[Scanned]) -> Iterator[str]:
    units = sum(one.available + one.missing for one in datasets)
    yield f"looked at {printing.count(units, 'unit')} in {printing.count(len(datasets), 'dataset')}"
    for one in datasets:
        counts = {"new": one.new, "back": one.back, "changed": one.changed, "lost now": one.lost}
        found = [f"{number} {what}" for what, number in counts.items() if number]
        if one.missing:
            found.append(f"{one.missing} lost of {one.available + one.missing}")
        if one.reason:
            found.append(printing.safe(one.reason))
        if found:
            yield f"  {one.dataset}: {', '.join(found)}"


@click.command("augment")
@click.argument("metatask", metavar="META")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@_dataset_option
@click.option("--graph", metavar="PART", help="Take what this GraphML file or template has instead.")
@click.option("--whole", is_flag=True, help="Of --graph: it is all of the Meta-Task; what it lacks is to go.")
@click.option("--set", "given", metavar="K=V", multiple=True, help="Of --graph: a parameter's value.")
@click.option("--dry-run", is_flag=True, help="Of --graph: show what would change, and change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Of --graph: do not ask.")
@_reason_option
@context.key_option
@context.workdir_option
@context.json_option
@click.pass_context
def augment_command(
    ctx: click.Context, /, metatask: str, files: Sequence[str], as_json: bool, workdir: str | None,
    graph: str | None, whole: bool, given: tuple[str, ...], dry_run: bool, yes: bool, **options: Any,
) -> None:  # fmt: skip
    """Give data from outside more files: tasks that have used the others take them in.

    A FILE is a path or a glob. Only what is new runs, and whatever follows from it. With --graph a Meta-Task
    that lives takes new tasks and edges, and other settings where nothing has begun; all of it or nothing.

    \b
    deft augment census --dataset source more/*.py
    deft augment census --dataset source 'more/**/*.py' --reason "second delivery"
    deft augment census --graph plots.graphml --set bins=50
    deft augment census --graph edited.graphml --whole --dry-run
    """
    if graph is not None:
        _check_graph(ctx, files, options)
        # Loaded by name: only who adds a graph pays for the libraries that read it.
        add = importlib.import_module("deft.cli.grow").add
        flags = {"dry_run": dry_run, "as_json": as_json, "whole": whole, "yes": yes}
        add(ctx, metatask, graph, given, workdir=workdir, **flags, **options)
        return
    if given or dry_run or whole or yes or not files:
        message = "give FILEs, or a PART by --graph; --set, --whole, --dry-run and --yes are of --graph"
        raise click.UsageError(message, ctx)
    request = AugmentRequest(context.actor(), metatask, tuple(files), folder=Path.cwd(), **options)
    with context.database(ctx, workdir=workdir) as session:
        answer = augment.augment(session, request)
    if as_json:
        printing.emit_json(answer)
        return
    click.echo(_augmented(answer))
    if not answer.later:
        click.echo("a running service takes it up at once; else:")
        click.echo(f"  {context.command(ctx, workdir, 'run', answer.metatask)}")


def _check_graph(ctx: click.Context, files: Sequence[str], options: dict[str, Any]) -> None:
    if files or options.pop("dataset") is not None:
        raise click.UsageError("--graph takes no FILE and no --dataset", ctx)


def _augmented(answer: AugmentAnswer) -> str:
    given = f"{answer.dataset}: {printing.count(answer.given, 'file')} given"
    if answer.later:
        return f"{given}; they are listed with the others when {answer.metatask} starts"
    if not answer.counted:
        return f"{given}; JEDI takes them in when it runs"
    counts = {
        "new": answer.new,
        "back": answer.back,
        "changed": answer.changed,
        "known already": answer.known,
    }
    return f"{given}: {', '.join(f'{number} {what}' for what, number in counts.items() if number)}"


@click.command("close")
@click.argument("target", metavar="META|DATASET")
@_dataset_option
@_reason_option
@context.key_option
@context.workdir_option
@context.json_option
@click.pass_context
def close_command(
    ctx: click.Context, /, target: str, as_json: bool, workdir: str | None, **options: Any
) -> None:
    """Say that no more files come for open data from outside: who waits for the rest goes on.

    \b
    deft close census --dataset source
    deft close default.census.library.source.t00000001_r01
    """
    with context.database(ctx, workdir=workdir) as session:
        answer = augment.close(session, CloseRequest(context.actor(), target, **options))
    if as_json:
        printing.emit_json(answer)
    else:
        click.echo(f"{answer.dataset}: {'was closed already' if answer.already else 'closed'}")
