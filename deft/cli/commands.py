"""`deft commands`: the log of what operators ordered."""

from __future__ import annotations

import click

from deft.cli import context, printing
from deft.observe import pasts
from deft.store.commands import DONE, Past


@click.command("commands")
@click.argument("metatask", required=False)
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="At most so many commands, the newest.",
)
@context.workdir_option
@context.json_option
@click.pass_context
def commands_command(
    ctx: click.Context, metatask: str | None, limit: int, as_json: bool, workdir: str | None
) -> None:
    """Who ordered what, and what came of it, oldest first; refused commands, too.

    \b
    deft commands                    about all Meta-Tasks
    deft commands census --json
    """
    with context.database(ctx, workdir=workdir) as session:
        found = pasts.commands(session, context.actor(), metatask, limit)
    if as_json:
        printing.emit_json(found)
        return
    rows = [(printing.moment(x.at), x.actor, _said(x), _outcome(x), x.key or "") for x in found]
    printing.table(("WHEN", "WHO", "COMMAND", "OUTCOME", "KEY"), rows)


def _said(past: Past) -> str:
    options = " ".join(f"{name}={value}" for name, value in past.options.items())
    return " ".join(filter(None, (past.verb, past.selection, options)))


def _outcome(past: Past) -> str:
    if past.outcome == DONE:
        return f"done: {printing.count(past.tasks, 'task')}"
    return f"refused: {' '.join((past.why or '').split())}"
