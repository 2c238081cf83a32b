"""`deft list status show history`: questions about Meta-Tasks."""

from __future__ import annotations

import importlib

import click

from deft.cli import context, printing
from deft.cli.printing import moment, size
from deft.observe import pasts, status
from deft.observe.because import Change
from deft.observe.status import Status, TaskLine

SHOWN, TASKS = 100, 1000


@click.command("list")
@context.where_option
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help=f"The newest N ({SHOWN}; all with --json)."
)
@context.workdir_option
@context.json_option
@click.pass_context
def list_command(
    ctx: click.Context, where: str | None, limit: int | None, as_json: bool, workdir: str | None
) -> None:
    """Meta-Tasks, newest first; with --where those that have such a task.

    \b
    deft list
    deft list --where "state in (failed, exhausted) and template == 'reco'"
    """
    with context.database(ctx, workdir=workdir) as session:
        shown = limit if limit or as_json else SHOWN
        found = status.listing(session, context.actor(), shown, where=where)
    lines = found.lines
    if as_json:
        printing.emit_json(lines)
    elif not lines and where is not None:
        click.echo("no Meta-Task has such a task")
    elif not lines:
        click.echo("no Meta-Task yet; `deft run census` runs one, `deft import FILE` stores one")
    else:
        rows = [(x.metatask, x.state, f"{x.ended}/{x.tasks}", x.owner, moment(x.created)) for x in lines]
        printing.table(("META-TASK", "STATE", "TASKS ENDED", "OWNER", "CREATED"), rows, right=(2,))
        if found.more:
            click.echo(f"… and {found.more} older; --limit N shows more")


@click.command("status")
@context.selection_argument
@click.option(
    "--watch", is_flag=True, help="Again and again, until nothing moves; exit code 0 where all is done."
)
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help=f"At most N tasks ({TASKS}; all with --json)."
)
@context.workdir_option
@context.json_option
@click.pass_context
def status_command(
    ctx: click.Context, selection: str, where: str | None, watch: bool, limit: int | None, as_json: bool,
    workdir: str | None,
) -> None:  # fmt: skip
    """Where a Meta-Task stands, task by task.

    \b
    deft status census
    deft status 'census/m*' 'ttbar*/reco'
    deft status --where "failed_jobs > 10"      of all Meta-Tasks, such tasks only
    deft status census --watch                  bars on a terminal; with --json an object a line
    """
    context.check_selection(ctx, selection, where)
    if watch and where is not None:
        raise click.UsageError("--watch takes no --where: what it holds for may change meanwhile", ctx)
    with context.database(ctx, workdir=workdir) as session:
        if watch:
            # Loaded by name: only who watches pays for the library that draws.
            ctx.exit(importlib.import_module("deft.cli.watch").watch(session, selection, as_json=as_json))
        shown = limit if limit or as_json else TASKS
        found = status.statuses(session, context.actor(), selection, where=where, limit=shown)
    if as_json:
        printing.emit_json(context.one_or_all(selection, found))
        return
    for number, one in enumerate(found):
        click.echo("\n" * bool(number), nl=False)
        print_status(one)


def print_status(found: Status) -> None:
    """A Meta-Task's status for people."""
    click.echo(
        f"{found.metatask} is {click.style(found.state, fg=printing.COLOURS.get(found.state), bold=True)}"
    )
    for hold in found.holds:
        click.echo(f"  {printing.hold_line(hold)}")
    for note in found.notes:
        click.echo(f"  {printing.safe(note)}")
    headings = ("TASK", "STATE", "UNITS OK", "RUNNING", "FAILED", "JOBS", "")
    printing.table(headings, [_task_cells(task) for task in found.tasks], right=(2, 3, 4, 5))
    if found.more:
        click.echo(f"… and {printing.count(found.more, 'more task')}; --limit N shows more, --where some")


def _task_cells(task: TaskLine) -> tuple[str, str, str, str, str, str, str]:
    said = [*(f"[{control}]" for control in task.controls), task.reason or ""]
    if not task.reason and task.phase and task.phase != "running":
        said.append(task.phase)
    units = f"{task.ok}/{task.expected}" if task.expected else str(task.ok)
    return (
        task.task,
        task.state,
        units,
        str(task.running),
        str(task.failed),
        str(task.jobs),
        " ".join(filter(None, said)),
    )


@click.command("show")
@click.argument("selection")
@context.workdir_option
@context.json_option
@click.pass_context
def show_command(ctx: click.Context, selection: str, as_json: bool, workdir: str | None) -> None:
    """A Meta-Task or task in full: tasks, datasets, where the files lie.

    \b
    deft show census
    deft show census/map
    """
    with context.database(ctx, workdir=workdir) as session:
        found = status.status(session, context.actor(), selection)
        data = status.datasets(session, context.actor(), selection)
        settings = pasts.settings(session, context.actor(), selection)
    if as_json:
        printing.emit_json({"status": found, "datasets": data, "settings": settings})
        return
    print_status(found)
    click.echo(f"\nmade by {found.owner} at {moment(found.created)} from {found.origin or 'no file'}\n")
    rows = [
        (d.dataset, d.producer or "(external)" if not d.dataset.count(".synthetic.") else "(synthetic)",
         ", ".join(d.consumers), d.membership, d.available, d.lost, size(d.bytes))
        for d in data
    ]  # fmt: skip
    printing.table(("DATASET", "MADE BY", "USED BY", "", "UNITS", "LOST", "SIZE"), rows, right=(4, 5, 6))
    for task, values in settings.items():
        click.echo(f"\n{click.style(task, bold=True)}")
        for name, value in values.items():
            click.echo(f"  {name} = {printing.safe(str(value))}")


@click.command("history")
@click.argument("selection")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="At most so many changes, the newest.",
)
@context.workdir_option
@context.json_option
@click.pass_context
def history_command(
    ctx: click.Context, selection: str, limit: int, as_json: bool, workdir: str | None
) -> None:
    """What changed, when, by whom and why, oldest first.

    WHAT is the row of the net that fired, or the verb; BECAUSE the token that made it fire, or the command.

    \b
    deft history census
    deft history census/map --limit 20
    """
    with context.database(ctx, workdir=workdir) as session:
        found = pasts.history(session, context.actor(), selection, limit)
    if as_json:
        printing.emit_json(found)
        return
    rows = [
        (moment(x.at), x.task or "", x.cause, _step(x), x.actor, x.because, x.reason or "") for x in found
    ]
    printing.table(("WHEN", "TASK", "WHAT", "STATE", "WHO", "BECAUSE", "WHY"), rows)


def _step(change: Change) -> str:
    return f"{change.old} -> {change.new}" if change.old != change.new else change.new or ""
