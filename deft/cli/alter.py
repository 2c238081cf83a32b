"""`deft set`: change the settings of stored tasks."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from deft.authoring import assignments
from deft.cli import context, control, printing
from deft.engine import alter
from deft.engine.alter import SetAnswer, SetRequest

_SHOWN = 12


@click.command("set")
@click.argument("words", nargs=-1, required=True, metavar="SELECTION... NAME=VALUE...")
@context.where_option
@control.common
@click.option("--unset", multiple=True, metavar="NAME", help="Take a setting away (several times).")
@click.option("--edge", metavar="PRODUCER", help="Set policies of the edges from this node to the tasks.")
@click.pass_context
def set_command(
    ctx: click.Context, words: tuple[str, ...], where: str | None, unset: tuple[str, ...], edge: str | None,
    reason: str | None, dry_run: bool, yes: bool, key: str | None, as_json: bool, workdir: str | None,
) -> None:  # fmt: skip
    """Change settings of tasks that do not run: parameters, resources, policies, the command.

    \b
    deft set census/map resources.memory_mb=4000 retry.max_attempts=5
    deft set 'ttbar/*' param.seed=7 --reason "as in run 2"
    deft set ttbar/reco --edge digi on_loss=proceed
    deft set ttbar/reco --unset resources.partition --dry-run
    """
    selection = " ".join(word for word in words if "=" not in word)
    given = assignments.split(word for word in words if "=" in word)
    context.check_selection(ctx, selection, where)
    request = SetRequest(context.actor(), selection, given, unset, edge, reason, dry_run, key, where)
    with context.database(ctx, workdir=workdir) as session:
        if not (yes or dry_run) and sys.stdin.isatty():
            _ask(alter.set_keys(session, replace(request, dry_run=True)))
        answer = alter.set_keys(session, request)
    if as_json:
        printing.emit_json(answer)
    else:
        _print(answer)


def _ask(preview: SetAnswer) -> None:
    """Several tasks are shown before they are changed."""
    if len(preview.altered) > 1:
        _print(preview)
        click.confirm("change them?", abort=True)


def _print(answer: SetAnswer) -> None:
    would = "would be changed" if answer.dry_run else "changed"
    already = f"; {answer.already} were so already" if answer.already else ""
    passed = f"; {answer.passed_over} passed over: running" if answer.passed_over else ""
    tasks = printing.count(len(answer.altered), "task")
    click.echo(f"{', '.join(answer.metatasks)}: {tasks} {would}{already}{passed}")
    for one in answer.altered[:_SHOWN]:
        click.echo(f"  {one.task}: {printing.safe(one.change)}")
    if len(answer.altered) > _SHOWN:
        click.echo(f"  and {len(answer.altered) - _SHOWN} more")
