"""What a command gets from its surroundings: settings, an open database, who asks; shared options."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from deft.access.roles import Actor, owner_of_database
from deft.base import config
from deft.base.config import Settings
from deft.base.errors import BadInput
from deft.store import schema
from deft.store import session as sessions
from deft.store.selection import names_one
from deft.store.session import Session

_SETTINGS = """\
# Settings of DEFT for this work folder; docs/reference/settings.md names them all.

[database]
# url = "postgresql+psycopg://deft@db.example.org/deft"   # empty: deft.db in this folder
"""

Function = TypeVar("Function", bound=Callable[..., Any])


def settings_of(ctx: click.Context, *, workdir: str | None = None, create: bool = False) -> Settings:
    """The settings of this command. Raises NotFound where there is no work folder, BadInput."""
    folder = config.find_workdir(workdir or ctx.find_root().obj["workdir"], os.environ, create=create)
    return settings_in(ctx, folder)


def settings_in(ctx: click.Context, folder: Path) -> Settings:
    """The settings that hold in a folder, also in one that is not there yet. Raises BadInput."""
    return config.load(folder, os.environ, ctx.find_root().obj["config"])


def target(ctx: click.Context, workdir: str | None) -> Path:
    """The folder that a command which may make one would work in. Nothing is made."""
    named = workdir or ctx.find_root().obj["workdir"] or os.environ.get("DEFT_WORKDIR")
    return Path(named).expanduser().absolute() if named else Path.cwd()


def write_settings(settings: Settings) -> None:
    """Leave a deft.toml in a new work folder, by which commands given inside it find it. Raises BadInput."""
    path = settings.workdir / config.FILE
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_SETTINGS)
    except FileExistsError:
        return
    except OSError as fault:
        raise BadInput(f"cannot write {path}: {fault.strerror}") from None


def command(ctx: click.Context, workdir: str | None, *words: str) -> str:
    """A command to give next, with the surroundings that were given to this one."""
    root = ctx.find_root().obj
    first = ["deft", *(["--config", root["config"]] if root["config"] else [])]
    given = workdir or root["workdir"]
    return shlex.join([*first, *words, *(["--workdir", given] if given else [])])


@contextmanager
def database(ctx: click.Context, *, workdir: str | None = None) -> Iterator[Session]:
    """The open database of this command, of the revision this program needs."""
    with sessions.opened(settings_of(ctx, workdir=workdir)) as session:
        schema.check(session.engine)
        yield session


def actor() -> Actor:
    """Who is asking."""
    return owner_of_database()


def json_option(function: Function) -> Function:
    """`--json`: print the answer as one JSON document."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")(function)


def workdir_option(function: Function) -> Function:
    """`--workdir` after the command as well as before it."""
    return click.option("--workdir", "-w", metavar="DIR", help="The work folder.")(function)


def key_option(function: Function) -> Function:
    """`--key`: a command that may be given again without doing anything twice."""
    text = "Do it once: given again with the same KEY, it answers the same and does nothing."
    return click.option("--key", metavar="KEY", help=text)(function)


def where_option(function: Function) -> Function:
    """`--where`: a condition on tasks."""
    text = 'Only tasks for which this holds, such as "state == failed and attr.risk > 5".'
    return click.option("--where", metavar="EXPR", help=text)(function)


def selection_argument(function: Function) -> Function:
    """`SELECTION…` as one text, and `--where`; one of the two must be there."""
    made = click.argument("selection", nargs=-1, metavar="[SELECTION]...", callback=_joined)(function)
    return where_option(made)


def _joined(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> str:
    return " ".join(value)


def check_selection(ctx: click.Context, selection: str, where: str | None) -> None:
    """Refuse a command that says neither. Raises UsageError."""
    if not selection.strip() and where is None:
        raise click.UsageError("Missing argument 'SELECTION', or option '--where'.", ctx)


def one_or_all(selection: str, answers: Sequence[Any]) -> Any:
    """What `--json` shows: an object where one Meta-Task was named by its name, else a list of these."""
    return answers[0] if len(answers) == 1 and names_one(selection) else answers
