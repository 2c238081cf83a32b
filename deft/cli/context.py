"""What a command gets from its surroundings: the settings, an open database, who is asking; and the options all share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from deft.access.roles import Actor, owner_of_database
from deft.base import config
from deft.base.config import Settings
from deft.store import schema
from deft.store import session as sessions
from deft.store.session import Session

Function = TypeVar("Function", bound=Callable[..., Any])


def settings_of(ctx: click.Context, *, workdir: str | None = None, create: bool = False) -> Settings:
    """The settings of this command. Raises NotFound where there is no work folder, BadInput."""
    given = ctx.find_root().obj
    folder = config.find_workdir(workdir or given["workdir"], os.environ, create=create)
    return config.load(folder, os.environ, given["config"])


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
