"""`deft simulate`: what would happen from here on."""

from __future__ import annotations

import click

from deft.cli import context, explain, printing
from deft.observe import explain as explanations
from deft.observe import simulate
from deft.observe.simulate import RoundLine, SimulateRequest, Simulation


@click.command("simulate")
@click.argument("metatask", metavar="META")
@click.option("--hold", multiple=True, metavar="TASK", help="As if this task were held.")
@click.option(
    "--fail", multiple=True, metavar="TASK[=N]", help="As if all units of this task failed, or N of them."
)
@click.option(
    "--grow", multiple=True, metavar="DATASET=N", help="As if this dataset from outside got N more units."
)
@click.option("--start", is_flag=True, help="As if it were started first.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=explanations.SHOWN,
    show_default=True,
    help="At most so many causes at the end.",
)
@context.workdir_option
@context.json_option
@click.pass_context
def simulate_command(
    ctx: click.Context, metatask: str, hold: tuple[str, ...], fail: tuple[str, ...], grow: tuple[str, ...],
    start: bool, limit: int, as_json: bool, workdir: str | None,
) -> None:  # fmt: skip
    """Play a Meta-Task forward from where it stands, and print the path. Nothing is run or written.

    Every unit is taken to be ok, unless --fail says otherwise. A round is one look of the sweep, and all the
    work that can be done then.

    \b
    deft simulate census --start
    deft simulate census --hold merge --fail map=2
    deft simulate reprocess --grow files=3
    """
    request = SimulateRequest(context.actor(), metatask, hold, fail, grow, start, limit)
    with context.database(ctx, workdir=workdir) as session:
        found = simulate.simulate(session, request)
    if as_json:
        printing.emit_json(found)
    else:
        print_simulation(found)


def print_simulation(found: Simulation) -> None:
    """A simulation for people."""
    for note in found.notes:
        click.echo(f"note: {printing.safe(note)}")
    for number, one in enumerate(found.rounds, 1):
        click.echo(click.style(f"round {number}", bold=True))
        _print_round(one)
    if not found.rounds:
        click.echo("nothing moves")
    state = click.style(found.state, fg=printing.COLOURS.get(found.state), bold=True)
    click.echo(f"\n{found.metatask} would be {state}{found.says.removeprefix(found.state)}")
    explain.print_causes(found.causes, found.more)


def _print_round(one: RoundLine) -> None:
    for move in one.moves:
        step = f"{move.old} -> {move.new}" if move.old != move.new else move.new
        click.echo(f"  {move.task}: {step}  ({move.row}: {printing.safe(move.why)})")
    for work in one.work:
        failed = f", {work.failed} failed" if work.failed else ""
        click.echo(f"  {work.task}: {printing.count(work.ok, 'unit')} ok{failed}")
