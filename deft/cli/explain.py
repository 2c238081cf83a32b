"""`deft explain`: why something does not move, and what would make it."""

from __future__ import annotations

import click

from deft.cli import context, printing
from deft.observe import explain
from deft.observe.explain import Explanation
from deft.observe.survey import Cause


@click.command("explain")
@click.argument("selection", metavar="META[/TASK]")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=explain.SHOWN,
    show_default=True,
    help="At most so many causes, those that block most.",
)
@context.workdir_option
@context.json_option
@click.pass_context
def explain_command(
    ctx: click.Context, selection: str, limit: int, as_json: bool, workdir: str | None
) -> None:
    """Why a Meta-Task or a task is where it is: what is missing, who brings it, what would happen then.

    \b
    deft explain census           what blocks most tasks comes first
    deft explain census/merge     one task: what it wants of each input
    """
    with context.database(ctx, workdir=workdir) as session:
        found = explain.explain(session, context.actor(), selection, limit)
    if as_json:
        printing.emit_json(found)
    else:
        print_explanation(found)


def print_explanation(found: Explanation) -> None:
    """An explanation for people."""
    name = found.metatask if found.task is None else f"{found.metatask}/{found.task}"
    state = click.style(found.state, fg=printing.COLOURS.get(found.state), bold=True)
    click.echo(f"{name} is {state}{printing.safe(found.says.removeprefix(found.state))}")
    for need in found.needs:
        click.echo(f"  it needs {printing.safe(need)}")
    if found.once:
        click.echo(f"  then {printing.safe(found.once)}")
    print_causes(found.causes, found.more)


def print_causes(causes: tuple[Cause, ...], more: int) -> None:
    """Causes in two parts: what somebody must see to, and what goes on by itself."""
    for heading, passing in (("What blocks:", False), ("What goes on by itself:", True)):
        some = [cause for cause in causes if cause.passing is passing]
        if some:
            click.echo(click.style(f"\n{heading}", bold=True))
        for cause in some:
            _print(cause)
    if more:
        click.echo(f"  … and {more} more; --limit shows them")


def _print(cause: Cause) -> None:
    waiting = printing.count(cause.blocks, "task")
    said = f"  [{waiting}]" if cause.blocks else ""
    click.echo(f"  {printing.safe(cause.what)}{said}")
    if cause.command:
        click.echo(f"      {printing.safe(cause.command)}")
    if cause.then:
        click.echo(f"      then {printing.safe(cause.then)}")
