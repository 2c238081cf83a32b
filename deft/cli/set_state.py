"""`deft set-state`: lead tasks to a state, by the verbs that lead there."""

from __future__ import annotations

from dataclasses import replace

import click

from deft.cli import context, control, printing
from deft.engine import set_state as engine
from deft.engine.set_state import SetStateAnswer, SetStateRequest
from deft.model.tasks import State

_MOST = 12


@click.command("set-state")
@click.argument("words", nargs=-1, required=True, metavar="SELECTION... STATE")
@context.where_option
@control.common
@click.option("--discard", is_flag=True, help="Throwing away what was done is a way, too.")
@click.pass_context
def set_state_command(
    ctx: click.Context, words: tuple[str, ...], where: str | None, discard: bool, reason: str | None,
    dry_run: bool, yes: bool, key: str | None, as_json: bool, workdir: str | None,
) -> None:  # fmt: skip
    """Lead tasks to a state; shows which verbs do it and what follows, then asks.

    \b
    deft set-state census/map running
    deft set-state census aborted --dry-run
    deft set-state --where "state == failed" waiting --discard
    """
    selection, state = " ".join(words[:-1]), words[-1]
    if state not in set(State):
        raise click.UsageError(f"{state!r} is no state; the states are {', '.join(State)}", ctx)
    context.check_selection(ctx, selection, where)
    control.check_questions(ctx, yes=yes, dry_run=dry_run, as_json=as_json)
    request = SetStateRequest(context.actor(), selection, state, discard, reason, dry_run, key, where)
    with context.database(ctx, workdir=workdir) as session:
        if not (yes or dry_run):
            preview = engine.set_state(session, replace(request, dry_run=True))
            _print(preview)
            click.confirm("do that?", abort=True)
        answer = engine.set_state(session, request)
    if as_json:
        printing.emit_json(answer)
    else:
        _print(answer)


def _print(answer: SetStateAnswer) -> None:
    would = "would be done" if answer.dry_run else "done"
    names = ", ".join(answer.metatasks)
    if not answer.taken:
        click.echo(f"{names}: nothing to do; {answer.already} are {answer.state} already")
    for one in answer.taken:
        click.echo(f"{names}: {one.verb} {would} to {_tasks(one.tasks)}")
    for thrown in answer.discarded:
        click.echo(f"  discards {printing.count(thrown.units, 'unit')} of {thrown.old}")
    for next_one in answer.follows[:_MOST]:
        click.echo(f"  then by itself: {next_one.task}: {next_one.old} -> {next_one.new} ({next_one.cause})")
    if len(answer.follows) > _MOST:
        click.echo(f"  and {len(answer.follows) - _MOST} more")
    if answer.below:
        click.echo(f"  tasks that take their data: {printing.listed(answer.below, _MOST)}")
    if answer.passed_over:
        click.echo(f"  {printing.count(answer.passed_over, 'task')} passed over: no verb leads there")


def _tasks(names: tuple[str, ...]) -> str:
    return f"{printing.count(len(names), 'task')} ({printing.listed(names, _MOST)})"
