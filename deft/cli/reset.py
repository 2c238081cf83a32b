"""`deft reset`: throw away what tasks have done."""

from __future__ import annotations

from dataclasses import replace

import click

from deft.cli import context, control, printing
from deft.engine import reset as engine
from deft.engine.reset import ResetAnswer, ResetRequest


@click.command("reset")
@control.shared
@click.option("--discard", is_flag=True, help="Say that what was done is to be thrown away.")
def reset_command(
    ctx: click.Context, selection: str, where: str | None, discard: bool, reason: str | None, dry_run: bool,
    yes: bool, key: str | None, as_json: bool, workdir: str | None,
) -> None:  # fmt: skip
    """Begin tasks anew, with all that followed from them: what they made is no longer part of the Meta-Task.

    The files stay where they are; what is made from now on has other names.

    \b
    deft reset census/map --discard --dry-run        what would be thrown away
    deft reset census --discard --reason "wrong calibration"
    """
    context.check_selection(ctx, selection, where)
    control.check_questions(ctx, yes=yes, dry_run=dry_run, as_json=as_json)
    request = ResetRequest(context.actor(), selection, discard, reason, dry_run, key, where)
    with context.database(ctx, workdir=workdir) as session:
        if not (yes or dry_run):
            preview = engine.reset(session, replace(request, dry_run=True))
            _print(preview)
            click.confirm(f"throw that away and begin {_tasks(preview)} anew?", abort=True)
        answer = engine.reset(session, request)
    if as_json:
        printing.emit_json(answer)
    elif yes or dry_run:
        _print(answer)
    else:
        click.echo(f"{_tasks(answer)} begin anew")


def _tasks(answer: ResetAnswer) -> str:
    return printing.count(len(answer.changed), "task")


def _print(answer: ResetAnswer) -> None:
    would = "would begin" if answer.dry_run else "begin"
    already = f"; {answer.already} had not begun" if answer.already else ""
    named = f" ({printing.listed(answer.changed, 12)})" if answer.changed else ""
    click.echo(f"{', '.join(answer.metatasks)}: {_tasks(answer)} {would} anew{named}{already}")
    if answer.discarded:
        rows = [(one.task, one.old, one.units, printing.size(one.bytes), one.new) for one in answer.discarded]
        printing.table(("TASK", "DISCARDED", "UNITS", "SIZE", "NOW"), rows, right=(2, 3))
