"""The errors of DEFT, one small tree.

    DeftError                     exit  HTTP  transient
      NotFound                      3    404
      Refused                       4    409
        Stale                       4    409  yes     a compare-and-set lost the race
        OtherRevision               7    503          the tables are those of another program
      NotAllowed                    5    403
      BadInput                      6    422          carries findings
        BadUrl                      7    503          no database can be found by it
      Unreachable                   7    503  yes     a service (database, JEDI) does not answer
        Contended                   7    503  yes     the database gave way to another transaction

The exit code, the HTTP status and whether trying again may help stand on the class. A message says what
happened, to which one, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of an input: a stable code, the message, and where it is (file, line, name)."""

    code: str
    message: str
    line: int | None = None
    subject: str | None = None
    hint: str | None = None
    severity: str = "error"  # error, or warning: reported but not refused
    effect: str = ""  # of a warning, what became of the thing: coerced or dropped

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{hint} [{self.code}]"


class DeftError(Exception):
    """The root of the tree: anything that DEFT itself finds wrong."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    transient: ClassVar[bool] = False
    answer: Any = None
    """Of a command that is refused item by item: its answer, with all items."""


class NotFound(DeftError):
    """The thing named does not exist."""

    exit_code = 3
    http_status = 404


class Refused(DeftError):
    """The state does not allow it."""

    exit_code = 4
    http_status = 409


class Stale(Refused):
    """A compare-and-set found another value than it expected; trying again may help."""

    transient = True


class OtherRevision(Refused):
    """The database is of another revision than this program needs: as it is, it cannot be used."""

    exit_code = 7
    http_status = 503


class NotAllowed(DeftError):
    """The actor's role does not allow it."""

    exit_code = 5
    http_status = 403


class BadInput(DeftError):
    """An input is wrong; `findings` lists every fault found."""

    exit_code = 6
    http_status = 422

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return "\n  ".join([super().__str__(), *map(str, self.findings)])


class BadUrl(BadInput):
    """The URL of the database is none, or names one that this program cannot speak to."""

    exit_code = 7
    http_status = 503


class Unreachable(DeftError):
    """A service (the database, JEDI) does not answer."""

    exit_code = 7
    http_status = 503
    transient = True


class Contended(Unreachable):
    """The database undid this transaction so that another could go on: a deadlock, or no serial order."""
