"""`deft augment META --graph PART`: add tasks and edges to a stored Meta-Task."""

from __future__ import annotations

from collections.abc import Sequence

import click

from deft.cli import context, printing, values
from deft.engine import grow
from deft.engine.grow import GraphAnswer, GraphRequest


def add(
    ctx: click.Context, metatask: str, source: str, given: Sequence[str], *, workdir: str | None,
    dry_run: bool, as_json: bool, reason: str | None, key: str | None,
) -> None:  # fmt: skip
    """Add it, and say what came of it."""
    request = GraphRequest(context.actor(), metatask, source, values.given(given), reason, dry_run, key)
    with context.database(ctx, workdir=workdir) as session:
        answer = grow.augment_graph(session, request)
    if as_json:
        printing.emit_json(answer)
        return
    for finding in answer.warnings:
        click.echo(f"deft: {finding}", err=True)
    _print(answer)
    if not answer.armed and not dry_run:
        click.echo(f"  {context.command(ctx, workdir, 'start', answer.metatask)} arms what is new")


def _print(answer: GraphAnswer) -> None:
    would = "would be added" if answer.dry_run else "added"
    tasks, edges = printing.count(len(answer.tasks), "task"), printing.count(answer.edges, "edge")
    armed = f"; {len(answer.armed)} of them armed" if answer.armed else ""
    click.echo(f"{answer.metatask}: {tasks} ({printing.listed(answer.tasks, 12)}) and {edges} {would}{armed}")
