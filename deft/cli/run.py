"""`deft run`: from a file or template to finished data in one command."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from deft.base.config import DATABASE_FILE, with_cluster
from deft.base.errors import BadInput, DeftError, NotFound
from deft.cli import context, ending, printing, values
from deft.cli.events import Events
from deft.cli.intake import warn
from deft.cli.progress import Lines
from deft.engine import intake, run
from deft.engine.intake import ImportAnswer, ImportRequest, Read
from deft.observe import results, status
from deft.observe.results import Result
from deft.observe.status import Status
from deft.store import schema
from deft.store import session as sessions
from deft.store.session import Session

_INTERRUPTED = 130  # as a shell says it of Ctrl-C


@click.command("run")
@click.argument("source", metavar="FILE|TEMPLATE")
@values.from_option
@click.option("--name", metavar="NAME", help="Call the Meta-Task so.")
@click.option("--project", metavar="NAME", help="Put it into this project.")
@click.option("--set", "given", metavar="K=V", multiple=True, help="A parameter's value.")
@values.set_file_option
@click.option("--strict", is_flag=True, help="Take anything dropped or coerced as an error.")
@click.option("--cluster", metavar="NAME", help="Run its jobs there, where a task names no cluster itself.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but the end.")
@context.workdir_option
@context.json_option
@click.pass_context
def run_command(
    ctx: click.Context, /, given: Sequence[str], set_files: Sequence[Path], quiet: bool, as_json: bool,
    workdir: str | None, cluster: str | None, **options: Any,
) -> None:  # fmt: skip
    """Import, start and execute a Meta-Task here, until nothing can move without an operator.

    Run again under the same name, it goes on where it was. The first Ctrl-C holds it: running jobs get ten
    seconds; the second stops at once. Exit code 0 where all is done, 130 after Ctrl-C, else 1 with what
    stands in the way and the next command.

    \b
    deft run census --workdir W
    deft run ./production.graphml --set events=20000 --name mc26a
    """
    wanted = values.given(given, set_files)
    request = ImportRequest(context.actor(), given=wanted, start=True, resume=True, **options)
    read = _check_before_making(ctx, request, workdir, as_json=as_json)
    settings = with_cluster(context.settings_of(ctx, workdir=workdir, create=True), cluster)
    with run.alone(settings.workdir), sessions.opened(settings, must_exist=False) as session:
        if settings.embedded or schema.revision(session.engine) is None:
            schema.create(session.engine)
        schema.check(session.engine)
        context.write_settings(settings)
        options["read"] = read
        answer = values.importing(session, wanted, quiet=as_json, start=True, resume=True, **options)
        ended = _execute(session, answer, _show(session, answer, quiet=quiet, as_json=as_json))
    command = partial(context.command, ctx, workdir)
    other = f"{answer.metatask.partition('/')[2]}_2"
    form, project = _words(**{"from": [options["form"]]}), [options["project"]]
    again = [*form, *_words(name=[options["name"]], project=project)]
    anew = [*form, *_words(name=[other], project=project, set=given, set_file=set_files)]
    steps = ending.next_steps(
        ended.found,
        command,
        again=command("run", request.source, *again),
        anew=command("run", request.source, *anew),
        interrupted=ended.interrupted,
    )
    (_print_end if as_json else _tell_end)(ended, steps)
    done = ended.found.state == "done"
    ctx.exit(_INTERRUPTED if ended.interrupted else 0 if done else DeftError.exit_code)


@dataclass(frozen=True, slots=True)
class _Ending:
    """How the run ended; `took` seconds, None where nothing was left to do."""

    found: Status
    made: Sequence[Result]
    took: float | None
    interrupted: bool


def _show(session: Session, answer: ImportAnswer, *, quiet: bool, as_json: bool) -> Lines:
    """How to show it: events for programs, bars on a terminal, plain lines elsewhere, or hardly at all."""
    actor = context.actor()
    if as_json:
        return Events(session, actor, answer.metatask)
    if not quiet:
        _tell_beginning(session, answer)
    if quiet or not sys.stderr.isatty():
        return Lines(session, actor, answer.metatask, quiet=quiet)
    # Loaded by name: only a terminal pays for the library that draws.
    screen: Lines = importlib.import_module("deft.cli.live").Screen(session, actor, answer.metatask)
    return screen


def _execute(session: Session, answer: ImportAnswer, lines: Lines) -> _Ending:
    began, actor = time.monotonic(), context.actor()
    with lines:
        ended = run.run(session, answer.metatask_id, answer.metatask, actor=actor, watch=lines,
                        held=lines.held, away=lines.away, look_s=lines.look_s)  # fmt: skip
    return _Ending(
        found=status.status(session, actor, answer.metatask),
        made=results.of(session, actor, answer.metatask),
        took=None if answer.resumed and not lines.fired else time.monotonic() - began,
        interrupted=ended.interrupted,
    )


def _words(**options: Sequence[object]) -> list[str]:
    """Options as they are written on a command line."""
    return [
        word
        for name, values_ in options.items()
        for value in values_
        if value is not None
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]


def _check_before_making(
    ctx: click.Context, request: ImportRequest, workdir: str | None, *, as_json: bool
) -> Read | None:
    """Refuse a source that is not right before a work folder is made for it; what was read, if it was."""
    folder = context.target(ctx, workdir)
    try:
        settings = context.settings_of(ctx, workdir=workdir)
    except NotFound:
        settings = context.settings_in(ctx, folder)
    else:
        if not settings.embedded or (settings.workdir / DATABASE_FILE).is_file():
            return None
    try:
        return intake.check(request, folder, limits=settings.graphml)
    except BadInput as fault:
        if as_json or not values.can_ask(fault):
            raise
    return None


def _tell_beginning(session: Session, answer: ImportAnswer) -> None:
    warn(answer.warnings)
    verb = "going on with" if answer.resumed else "running"
    where = session.settings.workdir
    click.echo(f"{verb} {answer.metatask}: {printing.count(answer.tasks, 'task')}, in {where}", err=True)


def _print_end(ended: _Ending, steps: Sequence[tuple[str, str]]) -> None:
    following = [command for _, command in steps]
    answer = {
        "event": "end",
        "status": ended.found,
        "results": ended.made,
        "interrupted": ended.interrupted,
        "next": following,
    }
    click.echo(json.dumps(printing.plain(answer), ensure_ascii=False))


def _tell_end(ended: _Ending, steps: Sequence[tuple[str, str]]) -> None:
    found = ended.found
    state = click.style(found.state, fg=printing.COLOURS.get(found.state), bold=True)
    if ended.took is None and found.state == "done":
        click.echo(f"{found.metatask} is {state} already; nothing to do")
    elif ended.took is None and not ended.interrupted:
        click.echo(f"{found.metatask} is {state}, as before; nothing can move by itself")
    else:
        how = ", interrupted" if ended.interrupted else ""
        click.echo(f"{found.metatask} is {state}{how} after {printing.duration(ended.took or 0.0)}")
    for line in (*ending.results(ended.made), *(() if found.state == "done" else ending.faults(found))):
        click.echo(line)
    width = max((len(why) for why, _ in steps), default=0) + 1
    for why, command in steps:
        click.echo(f"{why + ':':<{width}} {command}")
