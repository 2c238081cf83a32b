"""`deft recover`: make lost data again."""

from __future__ import annotations

from collections.abc import Iterator

import click

from deft.cli import context, control, printing
from deft.engine import recover as engine
from deft.engine.recover import RecoverAnswer, RecoverPlan, RecoverRequest

_WHY = {
    "lost": "lost what it had made",
    "input": "others need what it has lost",
    "consumer": "used what was lost",
}


@click.command("recover")
@control.shared
@click.option(
    "--depth",
    metavar="N",
    type=click.IntRange(0),
    help="Make lost input again only so many steps up (default: all the way).",
)
@click.option("--consumers", is_flag=True, help="Jobs that had used what was lost run again, too.")
def recover_command(
    ctx: click.Context, selection: str, where: str | None, reason: str | None, dry_run: bool, yes: bool,
    key: str | None, as_json: bool, workdir: str | None, depth: int | None, consumers: bool,
) -> None:  # fmt: skip
    """Make lost data again: the jobs that made it run again, and no others.

    What is lost is known from `deft jedi scan`.

    \b
    deft recover census --dry-run          which jobs that would be, and what they took
    deft recover census/map                only what this task has lost
    deft recover census/merge --depth 0    and not what it would need for that
    """
    context.check_selection(ctx, selection, where)
    request = RecoverRequest(context.actor(), selection, depth, consumers, reason, key, where)
    answer: RecoverAnswer | RecoverPlan
    with context.database(ctx, workdir=workdir) as session:
        answer = engine.dry_run(session, request) if dry_run else engine.recover(session, request)
    if as_json:
        printing.emit_json(answer)
        return
    lines = _would(answer) if isinstance(answer, RecoverPlan) else _does(answer)
    for line in lines:
        click.echo(line)
    for note in answer.notes:
        click.echo(f"note: {note}", err=True)
    if isinstance(answer, RecoverAnswer):
        click.echo("a running service takes it up at once; else:")
        for name in answer.metatasks:
            click.echo(f"  {context.command(ctx, workdir, 'run', name)}")


def _does(answer: RecoverAnswer) -> Iterator[str]:
    tasks = printing.count(len(answer.tasks), "task")
    passed_over = f"; {answer.passed_over} lost nothing" if answer.passed_over else ""
    yield f"{', '.join(answer.metatasks)}: {tasks} set to make lost data again{passed_over}"
    for one in answer.tasks:
        lost = f": {printing.count(one.lost, 'unit')}" if one.lost else ""
        yield f"  {one.task} {_WHY[one.part]}{lost}"


def _would(answer: RecoverPlan) -> Iterator[str]:
    for one in answer.tasks:
        which = printing.listed([str(number) for number in one.numbers], 12)
        more = f" and {one.jobs - len(one.numbers)} more" if one.jobs > len(one.numbers) else ""
        waits = f"; {printing.count(one.waiting, 'unit')} wait for lost input" if one.waiting else ""
        yield (
            f"{one.task}: {printing.count(one.jobs, 'job')} of {printing.count(one.units, 'unit')} would run "
            f"again ({which}{more}), {printing.duration(one.cpu_s)} of CPU when they ran{waits}"
        )
        yield from (f"  {printing.safe(path)}" for path in one.lost)
    jobs, cpu_s = sum(one.jobs for one in answer.tasks), sum(one.cpu_s for one in answer.tasks)
    yield f"{printing.count(jobs, 'job')} in all, {printing.duration(cpu_s)} of CPU"
