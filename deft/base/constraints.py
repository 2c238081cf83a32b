"""What columns may hold, said to the database: words, flags and counters.

Made of columns, not of text: Oracle wants some of their names in quotes.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import CheckConstraint


def one_of(column: str, words: Iterable[str]) -> CheckConstraint:
    """The column holds one of these words, or nothing where it may be null.

    Not by IN: for every row that changes SQLite would make a table of the words first.
    """
    return CheckConstraint(sa.or_(*(sa.column(column) == str(word) for word in words)), name=column)


def flags(*columns: str) -> CheckConstraint:
    """These columns are 0 or 1."""
    return CheckConstraint(sa.and_(*(sa.column(one).in_((0, 1)) for one in columns)), name="flags")


def counters(*columns: str) -> CheckConstraint:
    """These columns are never negative."""
    return CheckConstraint(sa.and_(*(sa.column(one) >= 0 for one in columns)), name="counters")


def one_alone(one: str, other: str) -> CheckConstraint:
    """Of two columns one is null, and the other is not."""
    a: sa.ColumnClause[int] = sa.column(one)
    b: sa.ColumnClause[int] = sa.column(other)
    either = sa.or_(sa.and_(a.is_(None), b.is_not(None)), sa.and_(a.is_not(None), b.is_(None)))
    return CheckConstraint(either, name="about")
