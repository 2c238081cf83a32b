"""`deft run`: from a file or template to finished data in one command."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import click

from deft.base.errors import DeftError
from deft.cli import context, printing
from deft.cli.intake import parameters, warn
from deft.engine import intake, run
from deft.engine.intake import ImportAnswer, ImportRequest
from deft.engine.perform import Done
from deft.observe import results, status
from deft.observe.status import Status
from deft.store import schema
from deft.store import session as sessions
from deft.store.session import Session

_GOOD = ("done",)
_INTERRUPTED = 130


@click.command("run")
@click.argument("source", metavar="FILE|TEMPLATE")
@click.option("--name", metavar="NAME", help="Call the Meta-Task so.")
@click.option("--project", metavar="NAME", help="Put it into this project.")
@click.option("--set", "given", metavar="K=V", multiple=True, help="A parameter's value.")
@click.option("--strict", is_flag=True, help="Take anything dropped or coerced as an error.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but the end.")
@context.workdir_option
@context.json_option
@click.pass_context
def run_command(ctx: click.Context, given: Sequence[str], quiet: bool, as_json: bool, workdir: str | None,
                **options: Any) -> None:  # fmt: skip
    """Import, start and execute a Meta-Task here, until nothing can move without an operator.

    Run again under the same name, it goes on where it was. The first Ctrl-C holds it: running jobs get ten
    seconds; the second stops at once. Exit code 0 where all is done, else 1 with what stands in the way.

    \b
    deft run census --workdir W
    deft run ./production.graphml --set events=20000 --name mc26a
    """
    settings = context.settings_of(ctx, workdir=workdir, create=True)
    with run.alone(settings.workdir), sessions.opened(settings, must_exist=False) as session:
        if settings.embedded or schema.revision(session.engine) is None:
            schema.create(session.engine)
        schema.check(session.engine)
        request = ImportRequest(context.actor(), given=parameters(given), start=True, resume=True, **options)
        answer = intake.import_metatask(session, request)
        code = _run(session, answer, quiet=quiet or as_json, as_json=as_json)
    ctx.exit(code)


def _run(session: Session, answer: ImportAnswer, *, quiet: bool, as_json: bool) -> int:
    began = time.monotonic()
    if not quiet:
        warn(answer.warnings)
        verb = "going on with" if answer.resumed else "running"
        click.echo(f"{verb} {answer.metatask}: {answer.tasks} tasks, in {session.settings.workdir}", err=True)
    lines = _Lines(session, answer.metatask, quiet)
    ended = run.run(session, answer.metatask_id, answer.metatask, actor=context.actor(), watch=lines)
    found = status.status(session, context.actor(), answer.metatask)
    made = results.of(session, context.actor(), answer.metatask)
    if as_json:
        printing.emit_json({"status": found, "results": made, "interrupted": ended.interrupted})
    else:
        _summary(found, made, seconds=time.monotonic() - began, nothing=lines.fired == 0 and answer.resumed)
    if ended.interrupted:
        click.echo(f"interrupted and on hold; the same command goes on, `deft abort {answer.metatask}` ends it", err=True)
        return _INTERRUPTED
    return 0 if found.state in _GOOD else DeftError.exit_code


class _Lines:
    """Says in a plain line each time a task changes its state."""

    def __init__(self, session: Session, metatask: str, quiet: bool) -> None:
        self._session, self._metatask, self._quiet = session, metatask, quiet
        self.fired = 0

    def __call__(self, fired: tuple[Done, ...]) -> None:
        self.fired += len(fired)
        if self._quiet or not any(done.old != done.new for done in fired):
            return
        moved = {done.node_id: done for done in fired if done.old != done.new and done.new != "waiting"}
        for name, line in status.lines_of(self._session, list(moved)).items():
            why = f"  {printing.safe(line.reason)}" if line.reason else ""
            units = f"  {line.ok}/{line.expected} units" if line.ok or line.failed else ""
            click.echo(f"  {name:<24} {click.style(line.state, fg=printing.COLOURS.get(line.state))}{units}{why}", err=True)


def _summary(found: Status, made: Sequence[results.Result], *, seconds: float, nothing: bool) -> None:
    if nothing and found.state == "done":
        click.echo(f"{found.metatask} is done already; nothing to do")
    else:
        click.echo(f"{found.metatask} is {found.state} after {printing.duration(seconds)}")
    for result in made:
        click.echo(f"  {result.task}: {result.path}  ({result.units} files, {printing.size(result.bytes)})")
    bad = [task for task in found.tasks if task.state not in ("done", "running", "waiting", "defined")]
    for task in bad:
        click.echo(f"  {task.task} is {task.state}: {printing.safe(task.reason or 'no reason is known')}")
    if bad:
        name = found.metatask
        click.echo(f"look:  deft jobs {name}/{bad[0].task}   deft logs JOB\nagain: deft retry {name}, then the same run")
