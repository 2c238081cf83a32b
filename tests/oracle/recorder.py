"""A plugin of pytest: what the code says to the database, said in Oracle's words and judged.

`pytest -p tests.oracle.recorder` with DEFT_TEST_RECORD=FILE runs tests on SQLite and writes a JSON line for
every distinct statement: its text for Oracle, where it was given, what is wrong with it. An empty string is
NULL in this run, as it is on Oracle.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.sql import ClauseElement

from deft.base import idlists
from tests.oracle import rules, trees
from tests.oracle.places import HELPERS
from tests.support.repository import ROOT

RECORD = "DEFT_TEST_RECORD"
_BY_TEXT = "deft/base/idlists.py"
_NOT_THE_PLACE = ("/sqlalchemy/", "/tests/oracle/recorder.py", *HELPERS)
_LONG_LIST = re.compile(rf"\((?:\?, ){{{rules.LONGEST_LIST}}}")


@dataclass
class Statement:
    """One statement: its text for Oracle, the places it was given at, what is wrong with it."""

    text: str
    places: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Recorder:
    """All statements of this process."""

    def __init__(self) -> None:
        self.statements: dict[str, Statement] = {}
        self._known: dict[Hashable, Statement] = {}

    def note(self, element: ClauseElement, keys: Sequence[str], place: str) -> None:
        """A statement was given there, with values of these names."""
        made = element._generate_cache_key()  # what SQLAlchemy's own cache of texts goes by
        self.note_as((made.key if made is not None else id(element), tuple(keys)), element, keys, place)

    def note_as(self, key: Hashable, element: ClauseElement, keys: Sequence[str], place: str) -> None:
        """The same, where something else tells statements apart."""
        if key not in self._known:
            text, faults = trees.judged(element, keys)
            self._known[key] = self.statements.setdefault(text, Statement(text, faults=faults))
        self._add(self._known[key], place)

    def note_text(self, text: str, place: str) -> None:
        """A text was given there that is the same for every dialect."""
        if text not in self.statements:
            self.statements[text] = Statement(text, faults=rules.judged(text))
        self._add(self.statements[text], place)

    def note_fault(self, fault: str, text: str, place: str) -> None:
        """Only what was sent told what is wrong."""
        found = self.statements.setdefault(text, Statement(text))
        if fault not in found.faults:
            found.faults.append(fault)
        self._add(found, place)

    @staticmethod
    def _add(found: Statement, place: str) -> None:
        if place not in found.places:
            found.places.append(place)

    def write(self, path: Path) -> None:
        """One JSON line a statement."""
        lines = (json.dumps(asdict(one)) for one in self.statements.values())
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def place() -> tuple[str | None, bool]:
    """The line of the code that is giving a statement, None for a test's own; whether it goes by its text."""
    frame = sys._getframe(2)
    by_text = False
    while frame.f_back is not None:
        name = frame.f_code.co_filename
        by_text |= name.endswith(_BY_TEXT)
        if not any(part in name for part in _NOT_THE_PLACE):
            inside = Path(name).is_relative_to(ROOT / "deft")
            where = f"{Path(name).relative_to(ROOT).as_posix()}:{frame.f_lineno}" if inside else None
            return where, by_text
        frame = frame.f_back
    return None, by_text


recorder = Recorder()


def pytest_configure(config: pytest.Config) -> None:
    """Listen to every engine."""
    sa.event.listen(Engine, "before_execute", _executed)
    sa.event.listen(Engine, "before_cursor_execute", _sent, retval=True)
    _listen_to_texts()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """SQLite alone: a statement is the same tree on every database, and worded when it is compiled."""
    others = [item for item in items if _kind(item) not in (None, "sqlite")]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def _kind(item: pytest.Item) -> str | None:
    spec = getattr(item, "callspec", None)
    found: str | None = None if spec is None else spec.params.get("database_kind")
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave what was recorded."""
    recorder.write(Path(os.environ[RECORD]))


def _executed(
    conn: Connection, element: object, multiparams: Sequence[Any], params: Any, options: Any
) -> None:
    where, _ = place()
    if where is not None and isinstance(element, ClauseElement):
        recorder.note(element, sorted(multiparams[0] if multiparams else params), where)


def _listen_to_texts() -> None:
    """What goes by its text alone, for speed: the statement that the text was made of."""
    made = idlists._text

    def listening(statement: sa.Select[Any], dialect: Dialect) -> Any:
        where, _ = place()
        if where is not None:  # it is made once and kept, and too large to look through each time
            recorder.note_as(id(statement), statement, ["ids"], where)
        return made(statement, dialect)

    idlists._text = listening  # type: ignore[assignment]


def _sent(
    conn: Connection, cursor: object, text: str, parameters: Any, context: Any, executemany: bool
) -> tuple[str, Any]:
    where, by_text = place()
    if where is not None:
        if context.compiled is None and not by_text:
            recorder.note_text(text, where)
        if len(text) > rules.LONGEST_LIST and _LONG_LIST.search(text):
            recorder.note_fault(f"more than {rules.LONGEST_LIST} items in a list", text, where)
    if not executemany:
        return text, _without_empty(parameters)
    return text, [_without_empty(row) for row in parameters]


def _without_empty(parameters: Any) -> Any:
    """An empty string is NULL."""
    if isinstance(parameters, dict):
        return {name: None if value == "" else value for name, value in parameters.items()}
    return tuple(None if value == "" else value for value in parameters)
