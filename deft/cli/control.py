"""`deft start disarm hold resume abort retry`: the verbs of operators."""

from __future__ import annotations

from typing import Any

import click

from deft.cli import context, printing
from deft.engine import controls
from deft.engine.controls import ControlAnswer, ControlRequest

_PAST = {
    "start": "armed", "force": "armed and forced", "disarm": "disarmed", "hold": "held", "resume": "resumed",
    "abort": "aborted", "retry": "set to run again",
}  # fmt: skip
# Verbs that change much ask first, when they are given a whole Meta-Task on a terminal.
_ASKS = frozenset({"abort"})
_SHOWN = 12


def _shared(function: Any) -> Any:
    for option in (
        context.workdir_option,
        context.json_option,
        click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing."),
        click.option("--reason", metavar="TEXT", help="Why; kept in the history."),
        click.argument("selection"),
        click.pass_context,
    ):
        function = option(function)
    return function


def _do(ctx: click.Context, verb: str, selection: str, *, reason: str | None, dry_run: bool, as_json: bool,
        workdir: str | None, mode: str | None = None, yes: bool = True) -> None:  # fmt: skip
    request = ControlRequest(context.actor(), verb, selection, reason, mode, dry_run)
    with context.database(ctx, workdir=workdir) as session:
        if verb in _ASKS and not (yes or dry_run):
            preview = controls.control(
                session, ControlRequest(context.actor(), verb, selection, reason, mode, True)
            )
            click.confirm(f"{verb} {len(preview.changed)} tasks of {preview.metatask}?", abort=True)
        answer = controls.control(session, request)
    if as_json:
        printing.emit_json(answer)
    else:
        click.echo(_sentence(answer))


def _sentence(answer: ControlAnswer) -> str:
    did = _PAST[answer.verb]
    would = "would be " if answer.dry_run else ""
    if answer.whole and answer.verb in ("hold", "resume"):
        if answer.already:
            return (
                f"{answer.metatask}: was {did} already"
                if answer.verb == "hold"
                else f"{answer.metatask}: was not held"
            )
        return f"{answer.metatask}: {would}{did} as a whole"
    named = ", ".join(answer.changed[:_SHOWN]) + (" …" if len(answer.changed) > _SHOWN else "")
    parts = [f"{len(answer.changed)} {would}{did}" + (f" ({named})" if named else "")]
    if answer.already:
        parts.append(f"{answer.already} were so already")
    if answer.passed_over:
        parts.append(f"{answer.passed_over} passed over: their state does not allow it")
    return f"{answer.metatask}: {'; '.join(parts)}"


@click.command("start")
@_shared
@click.option("--force", is_flag=True, help="Start on the input that is there, without waiting for the rest.")
def start_command(ctx: click.Context, selection: str, force: bool, **given: Any) -> None:
    """Arm tasks: each runs as soon as its input is there.

    \b
    deft start census            every task that does not say armed=false
    deft start census/map        one task
    deft start reco --force      on what is there now
    """
    _do(ctx, "force" if force else "start", selection, **given)


@click.command("disarm")
@_shared
def disarm_command(ctx: click.Context, selection: str, **given: Any) -> None:
    """Take tasks back that have not started.

    \b
    deft disarm census/report
    """
    _do(ctx, "disarm", selection, **given)


@click.command("hold")
@_shared
@click.option(
    "--mode",
    type=click.Choice(controls.HOLD_MODES),
    default="drain",
    show_default=True,
    help="What becomes of jobs handed out: they end, queued ones go back, or all are killed.",
)
def hold_command(ctx: click.Context, selection: str, **given: Any) -> None:
    """Stop tasks for a while; they keep their state, so that resume goes on where they were.

    \b
    deft hold census --reason "disk nearly full"      the whole Meta-Task
    deft hold census/map --mode kill                  one task, and its running jobs
    """
    _do(ctx, "hold", selection, **given)


@click.command("resume")
@_shared
def resume_command(ctx: click.Context, selection: str, **given: Any) -> None:
    """Let held tasks go on.

    \b
    deft resume census
    deft resume census/map
    """
    _do(ctx, "resume", selection, **given)


@click.command("abort")
@_shared
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def abort_command(ctx: click.Context, selection: str, **given: Any) -> None:
    """Stop tasks for good: running jobs are killed, what is done stays; tasks that need them are aborted too.

    \b
    deft abort census/map --reason "wrong input" --yes
    """
    _do(ctx, "abort", selection, **given)


@click.command("retry")
@_shared
def retry_command(ctx: click.Context, selection: str, **given: Any) -> None:
    """Run what failed again; what is done is kept.

    \b
    deft retry census            every task that ended short of its goal
    deft retry census/map
    """
    _do(ctx, "retry", selection, **given)
