"""Make click commands of the annex's descriptions, and run them by handing over a request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from deft.access import roles
from deft.base.plugin import Answer, Command, Group, Option, Request, function
from deft.cli import context, printing
from deft.store import selection as selections

_RIGHT = ("integer", "number", "seconds", "bytes", "percent")
_TYPES: dict[str, Any] = {"text": str, "integer": click.IntRange(1), "number": float}


def build(described: Command | Group) -> click.Command:
    """The click command of a description."""
    if isinstance(described, Command):
        return _command(described)
    made = click.Group(described.name, help=described.help)
    for one in described.commands:
        made.add_command(_command(one))
    return made


def _command(described: Command) -> click.Command:
    params: list[click.Parameter] = [_option(option) for option in described.options]
    params.append(click.Option(["--json", "as_json"], is_flag=True, help="Print the answer as JSON."))
    params.append(click.Option(["--workdir", "-w"], metavar="DIR", help="The work folder."))
    if described.takes == "job":
        params.insert(0, click.Argument(["subject"], metavar="JOB"))

    @click.pass_context
    def call(ctx: click.Context, /, **given: Any) -> None:
        _call(ctx, described, **given)

    examples = "".join(f"\n    {one}" for one in described.examples)
    text = f"{described.help}\n\n\b\nExamples:{examples}" if examples else described.help
    made = click.Command(described.name, params=params, callback=call, help=text, short_help=described.help)
    return context.selection_argument(made) if described.takes == "selection" else made


def _option(option: Option) -> click.Option:
    declared = [option.name, option.name.removeprefix("--").replace("-", "_")]
    if option.type == "flag":
        return click.Option(declared, is_flag=True, help=option.help)
    shown = option.default is not None
    return click.Option(
        declared, type=_TYPES[option.type], default=option.default, help=option.help, show_default=shown
    )


def _call(
    ctx: click.Context, described: Command, *, as_json: bool, workdir: str | None,
    selection: str = "", where: str | None = None, subject: str | None = None, **given: Any,
) -> None:  # fmt: skip
    asker = context.actor()
    roles.require(asker, described.verb)
    if described.takes == "selection":
        context.check_selection(ctx, selection, where)
    with context.database(ctx, workdir=workdir) as session:
        task_ids: tuple[int, ...] = ()
        if described.takes == "selection":
            with session.reading() as conn:
                now = session.clock.now()
                task_ids = selections.select(conn, selection, where=where, now=now).node_ids
        request = Request(
            actor=asker.name,
            engine=session.annex_engine,
            clock=session.clock,
            settings=session.settings,
            task_ids=task_ids,
            subject=subject,
            options=given,
        )
        answer: Answer = function(described.run)(request)
        _print(answer, as_json)
    ctx.exit(answer.exit_code)


def _print(answer: Answer, as_json: bool) -> None:
    if as_json:
        rows = [dict(row) for row in answer.rows]
        printing.emit_json(rows if answer.columns else {"text": "".join(answer.text)})
        return
    for chunk in answer.text:
        click.echo(chunk, nl=False)
    if answer.columns:
        printing.table(
            [column.heading.upper() for column in answer.columns],
            _cells(answer),
            right=[n for n, c in enumerate(answer.columns) if c.kind in _RIGHT],
        )


def _cells(answer: Answer) -> Iterator[list[str]]:
    for row in answer.rows:
        yield [printing.cell(column.kind, row.get(column.key)) for column in answer.columns]
