"""`deft init sweep db doctor`: for whoever keeps a database and its services going."""

from __future__ import annotations

from collections.abc import Sequence

import click

from deft.base import urls
from deft.base.errors import BadInput, Unreachable
from deft.base.interrupts import Interrupts
from deft.cli import context, printing
from deft.engine import scan
from deft.engine.sweep import SweepAnswer, SweepRequest, sweep
from deft.observe import health
from deft.store import schema
from deft.store import session as sessions
from deft.store.session import Session
from deft.wire.hints import SilentBell

_AWAY_S = 2.0
_PERIODS = {"s": 1, "m": 60, "h": 3600}


@click.command("init")
@context.workdir_option
@context.json_option
@click.pass_context
def init_command(ctx: click.Context, as_json: bool, workdir: str | None) -> None:
    """Make a work folder: deft.toml, and the tables of its database.

    \b
    deft init                      here, with an embedded database
    deft init --workdir W
    DEFT_DATABASE__URL=postgresql+psycopg://… deft init
    """
    settings = context.settings_of(ctx, workdir=workdir, create=True)
    context.write_settings(settings)
    with sessions.opened(settings, must_exist=False) as session:
        made = schema.create(session.engine)
        where = urls.shown(session.engine.url)
    if as_json:
        printing.emit_json({"workdir": settings.workdir, "database": where, "made": made})
    else:
        click.echo(f"{'made' if made else 'found'} the tables in {where}")


@click.command("sweep")
@click.option("--once", is_flag=True, help="One pass, then stop (the default).")
@click.option("--every", metavar="PERIOD", help="Again and again: a number of s, m or h, as in 30s.")
@click.option("--full", is_flag=True, help="Look at every live task, not only at what changed.")
@context.workdir_option
@context.json_option
@click.pass_context
def sweep_command(
    ctx: click.Context, once: bool, every: str | None, full: bool, as_json: bool, workdir: str | None
) -> None:
    """Move tasks by what changed since the last sweep.

    \b
    deft sweep                 one pass
    deft sweep --full          one pass over everything that is alive; repairs what a lost message hid
    deft sweep --every 30s     as a service: at every hint, and at least so often
    """
    if once and every:
        raise click.UsageError("--once and --every exclude each other")
    with context.database(ctx, workdir=workdir) as session:
        request = SweepRequest(context.actor(), full)
        if every is None:
            scan.rescan(session)
            _tell(sweep(session, request), as_json)
        else:
            _keep_sweeping(session, request, _seconds(every), as_json)


def _keep_sweeping(session: Session, request: SweepRequest, period: float, as_json: bool) -> None:
    rescans = scan.Rescans(session)
    with Interrupts() as interrupts:
        while not interrupts.count:
            try:
                schema.check(session.engine)
                rescans.look()
                answer = sweep(session, request)
            except Unreachable as fault:  # a service outlives its database
                click.echo(f"deft: {fault}; trying again in {_AWAY_S:g} s", err=True)
                SilentBell().wait(_AWAY_S, also=[interrupts.fd])
                continue
            if answer.fired:
                _tell(answer, as_json)
            session.own_bell.wait(period, also=[interrupts.fd])
    click.echo("stopped", err=True)


def _tell(answer: SweepAnswer, as_json: bool) -> None:
    if as_json:
        printing.emit_json(answer)
    else:
        click.echo(f"looked at {answer.looked_at} tasks, {len(answer.fired)} transitions fired")


def _seconds(text: str) -> float:
    number, unit = (text[:-1], text[-1]) if text[-1:] in _PERIODS else (text, "s")
    try:
        seconds = float(number) * _PERIODS[unit]
    except ValueError:
        raise BadInput(f"--every {text!r} is no period; write 30s, 5m or 1h") from None
    if not 0.1 <= seconds <= 86_400:
        raise BadInput(f"--every {text!r} is not between 0.1 s and a day")
    return seconds


@click.group("db")
def db_command() -> None:
    """The database: bring its tables up to date, check them, print them."""


@db_command.command("upgrade")
@context.workdir_option
@context.json_option
@click.pass_context
def upgrade_command(ctx: click.Context, as_json: bool, workdir: str | None) -> None:
    """Bring the tables to the newest revision; safe to repeat."""
    from deft.store import migrations  # noqa: PLC0415  alembic is slow to import, and only this needs it

    with sessions.opened(context.settings_of(ctx, workdir=workdir), must_exist=False) as session:
        before, after = migrations.upgrade(session.engine)
    if as_json:
        printing.emit_json({"before": before, "after": after})
    else:
        click.echo(f"revision {after}" + ("" if before == after else f" (was {before or 'empty'})"))


@db_command.command("check")
@context.workdir_option
@context.json_option
@click.pass_context
def check_command(ctx: click.Context, as_json: bool, workdir: str | None) -> None:
    """Say whether the tables are those that this program needs."""
    with context.database(ctx, workdir=workdir):
        if as_json:
            printing.emit_json({"revision": schema.REVISION})
        else:
            click.echo(f"revision {schema.REVISION}: as needed")


@db_command.command("ddl")
@click.argument("dialect", type=click.Choice(("sqlite", "postgresql", "oracle")))
@click.option("--grants", is_flag=True, help="What DEFT's user and JEDI's may do on them, instead.")
def ddl_command(dialect: str, grants: bool) -> None:
    """Print the tables as SQL for a database administrator.

    \b
    deft db ddl postgresql | psql deft
    deft db ddl postgresql --grants | psql deft
    """
    from deft.store import ddl  # noqa: PLC0415  loads the tables of every room

    if grants and dialect == "sqlite":
        raise BadInput("SQLite knows no users: whoever may write the file may do everything")
    click.echo(ddl.grants(dialect) if grants else ddl.render(dialect), nl=False)


@click.command("doctor")
@context.workdir_option
@context.json_option
@click.pass_context
def doctor_command(ctx: click.Context, as_json: bool, workdir: str | None) -> None:
    """Look for what may be wrong here: the program, the work folder, the database, the disk.

    \b
    deft doctor
    """
    settings = context.settings_of(ctx, workdir=workdir)
    checks = health.examine(settings)
    if as_json:
        printing.emit_json(checks)
    else:
        _print_checks(checks)
    if any(check.verdict == "wrong" for check in checks):
        ctx.exit(1)


def _print_checks(checks: Sequence[health.Check]) -> None:
    for check in checks:
        colour = {"ok": "green", "warning": "yellow", "wrong": "red"}[check.verdict]
        found = printing.safe(" ".join(check.found.split()))
        click.echo(f"{click.style(check.verdict.ljust(8), fg=colour)} {check.what}: {found}")
        if check.advice:
            click.echo(f"         {check.advice}")
