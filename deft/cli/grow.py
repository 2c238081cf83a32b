"""`deft augment META --graph FILE`: let a stored Meta-Task take a changed graph."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from deft.base.errors import DeftError
from deft.cli import context, printing, values
from deft.cli import diff as differences
from deft.engine import grow
from deft.engine.grow import GraphAnswer, GraphRequest
from deft.model import diff
from deft.model.judging import Verdict

_MANY = 12


def add(
    ctx: click.Context, metatask: str, source: str, given: Sequence[str], *, workdir: str | None,
    dry_run: bool, as_json: bool, reason: str | None, key: str | None, whole: bool, yes: bool,
) -> None:  # fmt: skip
    """Take it, and say what came of it."""
    request = GraphRequest(
        context.actor(), metatask, source, values.given(given), reason, dry_run, key, whole
    )
    with context.database(ctx, workdir=workdir) as session:
        try:
            if not (yes or dry_run or as_json) and sys.stdin.isatty():
                _ask(grow.augment_graph(session, replace(request, dry_run=True)))
            answer = grow.augment_graph(session, request)
        except DeftError as fault:
            if not as_json or fault.answer is None:
                raise
            printing.emit_json(fault.answer)
            ctx.exit(fault.exit_code)
    if as_json:
        printing.emit_json(answer)
        return
    for line in _told(answer):
        click.echo(line)
    if answer.tasks and not answer.armed and not dry_run:
        click.echo(f"  {context.command(ctx, workdir, 'start', answer.metatask)} arms what is new")


def _ask(preview: GraphAnswer) -> None:
    """What changes something that is there, or is much, is shown before it is done."""
    applied = [one for one in preview.items if one.verdict is Verdict.APPLIED]
    if len(applied) > _MANY or any(one.item.key for one in applied):
        for line in _told(preview):
            click.echo(line)
        click.confirm("do it?", abort=True)


def _told(answer: GraphAnswer) -> Iterator[str]:
    for finding in answer.warnings:
        click.echo(f"deft: {finding}", err=True)
    applied = [one.item for one in answer.items if one.verdict is Verdict.APPLIED]
    left = [one for one in answer.items if one.verdict is Verdict.LEFT_OUT]
    yield f"{answer.metatask}: {_summary(answer)}" if applied else f"{answer.metatask}: nothing to do"
    yield from differences.grouped(applied)
    for one in left:
        yield f"left out: {diff.title(one.item)}: {one.why}"
    yield from differences.restored(answer.restored)


def _summary(answer: GraphAnswer) -> str:
    """What came, and how many other items were applied."""
    would = "would be " if answer.dry_run else ""
    said = []
    if answer.tasks or answer.edges:
        tasks, edges = printing.count(len(answer.tasks), "task"), printing.count(answer.edges, "edge")
        armed = f"; {len(answer.armed)} of them armed" if answer.armed else ""
        said.append(f"{tasks} ({printing.listed(answer.tasks, _MANY)}) and {edges} {would}added{armed}")
    changed = sum(bool(one.item.key) for one in answer.items if one.verdict is Verdict.APPLIED)
    if changed:
        said.append(f"{printing.count(changed, 'value')} {would}changed")
    return ", ".join(said)
