"""What every verb and question gets first: the database, the clock, the settings and the bells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from sqlalchemy.engine import Connection, Engine

from deft.base import database
from deft.base.clock import Clock, SystemClock
from deft.base.config import Settings
from deft.wire import hints
from deft.wire.hints import Bell


@dataclass(frozen=True, slots=True)
class Session:
    """One open database and its surroundings. Not for several threads."""

    engine: Engine
    clock: Clock
    settings: Settings
    own_bell: Bell
    jedi_bell: Bell
    annex: Engine | None = None

    @property
    def annex_engine(self) -> Engine:
        """What the annex reads and writes on: JEDI's own user of the same database, where it has one."""
        return self.annex or self.engine

    def reading(self) -> AbstractContextManager[Connection]:
        """One read transaction."""
        return database.reading(self.engine)

    def writing(self) -> AbstractContextManager[Connection]:
        """One write transaction."""
        return database.writing(self.engine)

    def ring_all(self) -> None:
        """Wake the sweep and JEDI: something was committed."""
        self.own_bell.ring()
        self.jedi_bell.ring()

    def close(self) -> None:
        """Let go of connections and bells."""
        self.own_bell.close()
        self.jedi_bell.close()
        self.engine.dispose()
        self.annex_engine.dispose()


@contextmanager
def opened(settings: Settings, *, clock: Clock | None = None, must_exist: bool = True) -> Iterator[Session]:
    """Open the database of the settings for one command. Raises Unreachable, BadInput."""
    engine = database.open_engine(settings.database_url, must_exist=must_exist)
    session = Session(
        engine=engine,
        clock=clock or SystemClock(),
        settings=settings,
        own_bell=hints.bell(engine, hints.DEFT),
        jedi_bell=hints.bell(engine, hints.JEDI),
        annex=database.open_engine(settings.jedi_url) if settings.jedi.url else None,
    )
    try:
        yield session
    finally:
        session.close()
