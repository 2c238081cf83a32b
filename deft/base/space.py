"""What a database takes on disk, and how it gives back what is free: the words of each dialect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy.engine import Connection, Engine

from deft.base.database import plain_errors
from deft.base.errors import NotAllowed, Refused

_WHOLE = {
    "sqlite": "SELECT page_count * page_size, freelist_count * page_size "
    "FROM pragma_page_count, pragma_page_size, pragma_freelist_count",
    "postgresql": "SELECT pg_database_size(current_database()), NULL",
    "oracle": "SELECT SUM(bytes), NULL FROM user_segments",
}
# Indices go to the account of their tables.
_BY_TABLE = {
    "sqlite": "SELECT m.tbl_name, SUM(s.pgsize) FROM dbstat s JOIN sqlite_schema m ON m.name = s.name "
    "WHERE s.aggregate = 1 GROUP BY m.tbl_name",
    "postgresql": "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
    "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace",
    "oracle": "SELECT LOWER(t.table_name), SUM(s.bytes) FROM user_segments s JOIN (SELECT table_name, "
    "table_name AS segment FROM user_tables UNION ALL SELECT table_name, index_name FROM user_indexes) t "
    "ON t.segment = s.segment_name GROUP BY LOWER(t.table_name)",
}
_NOT_OURS = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace "
    "AND relname = ANY(%s) AND NOT pg_has_role(relowner, 'USAGE') ORDER BY relname"
)


def whole(conn: Connection) -> tuple[int, int | None]:
    """The bytes of a database, and how many of these are free; None where it does not tell."""
    row = conn.exec_driver_sql(_WHOLE[conn.dialect.name]).one()
    return int(row[0] or 0), None if row[1] is None else int(row[1])


def by_table(conn: Connection) -> Mapping[str, int]:
    """The bytes of each table with its indices; empty where it does not tell."""
    if conn.dialect.name == "sqlite":
        asked = conn.exec_driver_sql("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'")
        if asked.first() is None:  # a library that was built without it
            return {}
    return {name: int(size) for name, size in conn.exec_driver_sql(_BY_TABLE[conn.dialect.name])}


def give_back(engine: Engine, tables: Iterable[str], *, full: bool = False) -> None:
    """Give back what is free, outside of a transaction.

    `full`: PostgreSQL writes each table anew, and nobody can use it meanwhile; else it only makes the space
    free for other rows. Raises NotAllowed where the tables are another user's, Refused on Oracle,
    Unreachable.
    """
    if engine.dialect.name == "oracle":
        raise Refused("Oracle keeps house by itself: ask its administrator to shrink the tables")
    with plain_errors(engine), engine.connect() as conn:
        if engine.dialect.name == "sqlite":
            _rebuild(conn)
        else:
            _vacuum(conn.execution_options(isolation_level="AUTOCOMMIT"), sorted(tables), full=full)


def _rebuild(conn: Connection) -> None:
    conn.exec_driver_sql("COMMIT")  # the transaction that the connection began: VACUUM takes none
    # The copy goes to a file in the system's temporary folder, not into memory.
    for statement in ("PRAGMA temp_store=FILE", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
        conn.exec_driver_sql(statement).close()
    conn.exec_driver_sql("BEGIN")  # which is rolled back when the connection goes home


def _vacuum(conn: Connection, tables: list[str], *, full: bool) -> None:
    # To vacuum another user's table is no error for PostgreSQL: it warns and passes over it.
    strange = conn.exec_driver_sql(_NOT_OURS, (tables,)).scalars().all()
    if strange:
        raise NotAllowed(
            f"the tables {', '.join(strange[:3])} … belong to another user, who alone may do this"
        )
    for table in tables:
        conn.exec_driver_sql(f'VACUUM ({"FULL, " if full else ""}ANALYZE) "{table}"')
