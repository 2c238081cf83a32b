"""`deft start disarm hold resume finish abort retry obsolete`: the verbs of operators on tasks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click

from deft.cli import context, printing
from deft.engine import controls
from deft.engine.controls import ControlAnswer, ControlRequest
from deft.store import selection as selections

_PAST = {
    "start": "armed", "force": "armed and forced", "disarm": "disarmed", "hold": "held", "resume": "resumed",
    "abort": "aborted", "retry": "set to run again", "finish": "told to finish",
    "finish-hard": "told to finish at once", "obsolete": "retired",
}  # fmt: skip
# Verbs that change much and cannot be taken back ask first.
_ASKS = frozenset({"abort", "finish", "finish-hard", "obsolete"})
_SHOWN = 12


def shared(function: Any) -> Any:
    """What every verb on a selection takes."""
    return click.pass_context(context.selection_argument(common(function)))


def common(function: Any) -> Any:
    """The options of every verb."""
    for option in (
        context.workdir_option,
        context.json_option,
        click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing."),
        click.option("--reason", metavar="TEXT", help="Why; kept in the history."),
        click.option("--yes", "-y", is_flag=True, help="Do not ask."),
        context.key_option,
    ):
        function = option(function)
    return function


def check_questions(ctx: click.Context, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Refuse a command that would print a question among JSON. Raises UsageError."""
    if as_json and not (yes or dry_run):
        raise click.UsageError("--json asks no questions: give --yes or --dry-run with it", ctx)


def _do(ctx: click.Context, verb: str, selection: str, *, where: str | None, reason: str | None,
        dry_run: bool, as_json: bool, workdir: str | None, key: str | None, yes: bool,
        mode: str | None = None) -> None:  # fmt: skip
    context.check_selection(ctx, selection, where)
    request = ControlRequest(context.actor(), verb, selection, reason, mode, dry_run, key, where)
    with context.database(ctx, workdir=workdir) as session:
        if not (yes or dry_run) and _asks(request):
            preview = controls.control_all(session, replace(request, dry_run=True))
            click.confirm(_question(verb, preview.answers), abort=True)
        found = controls.control_all(session, request)
    if as_json:
        printing.emit_json(context.one_or_all(selection, found.answers))
    else:
        click.echo("\n".join(_sentences(found.answers)))


def _asks(request: ControlRequest) -> bool:
    """Some verbs always ask; the others where it takes a look to see how much a selection is."""
    if request.verb in _ASKS:
        return True
    wide = request.where is not None or not selections.names_one(request.selection)
    return wide and sys.stdin.isatty()


def _question(verb: str, answers: Sequence[ControlAnswer]) -> str:
    if len(answers) == 1:
        return f"{verb} {printing.count(len(answers[0].changed), 'task')} of {answers[0].metatask}?"
    for answer in answers[:_SHOWN]:
        click.echo(_sentence(answer))
    return f"{verb} {_total(answers)}?"


def _sentences(answers: Sequence[ControlAnswer]) -> Iterator[str]:
    yield from map(_sentence, answers)
    if len(answers) > 1:
        would = "would be " if answers[0].dry_run else ""
        yield f"{_total(answers)} {would}{_PAST[answers[0].verb]}"


def _total(answers: Sequence[ControlAnswer]) -> str:
    """How many tasks in how many Meta-Tasks; only the latter where they are held or resumed as wholes."""
    changed = [answer for answer in answers if answer.changed or _as_a_whole(answer)]
    metatasks = printing.count(len(changed), "Meta-Task")
    if any(map(_as_a_whole, answers)):
        return metatasks
    return f"{printing.count(sum(len(answer.changed) for answer in changed), 'task')} in {metatasks}"


def _as_a_whole(answer: ControlAnswer) -> bool:
    return answer.whole and answer.verb in ("hold", "resume") and not answer.passed_over


def _sentence(answer: ControlAnswer) -> str:
    did = _PAST[answer.verb]
    would = "would be " if answer.dry_run else ""
    if _as_a_whole(answer):
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
@shared
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
@shared
def disarm_command(ctx: click.Context, selection: str, **given: Any) -> None:
    """Take tasks back that have not started.

    \b
    deft disarm census/report
    """
    _do(ctx, "disarm", selection, **given)


@click.command("hold")
@shared
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
@shared
def resume_command(ctx: click.Context, selection: str, **given: Any) -> None:
    """Let held tasks go on.

    \b
    deft resume census
    deft resume census/map
    """
    _do(ctx, "resume", selection, **given)


@click.command("finish")
@shared
@click.option("--hard", is_flag=True, help="Stop running jobs, too.")
def finish_command(ctx: click.Context, selection: str, hard: bool, **given: Any) -> None:
    """Let tasks end with what they have: nothing new is begun, running jobs come to their end.

    \b
    deft finish census/map                     the rest of its units is skipped
    deft finish census/map --hard --yes        running jobs are stopped, too
    """
    _do(ctx, "finish-hard" if hard else "finish", selection, **given)


@click.command("abort")
@shared
def abort_command(ctx: click.Context, selection: str, **given: Any) -> None:
    """Stop tasks for good: running jobs are killed, what is done stays; tasks that need them are aborted too.

    \b
    deft abort census/map --reason "wrong input" --yes
    """
    _do(ctx, "abort", selection, **given)


@click.command("retry")
@shared
def retry_command(ctx: click.Context, selection: str, **given: Any) -> None:
    """Run what failed again; what is done is kept.

    \b
    deft retry census            every task that ended short of its goal
    deft retry census/map
    """
    _do(ctx, "retry", selection, **given)


@click.command("obsolete")
@shared
def obsolete_command(ctx: click.Context, selection: str, **given: Any) -> None:
    """Retire the data of tasks that have ended, for good: nothing that needs it is ever started again.

    \b
    deft obsolete census/map --reason "replaced by census2"
    """
    _do(ctx, "obsolete", selection, **given)
