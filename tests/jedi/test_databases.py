"""The same work on every database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.dialects import oracle
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateTable

from deft.jedi.tables import metadata
from deft.wire.orders import dump
from tests.jedi.bench import Bench, output, spec, stop, synthetic, until


def test_a_task_of_every_kind_of_outcome_ends_the_same(database_url: str, tmp_path: Path) -> None:
    bench = Bench(tmp_path, url=database_url)
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / name).write_text(name)
    bench.scan(9, f"{tmp_path}/in/*")
    command = "test {unit.key} != 2 && echo x > {output}"
    settings = {"retry.max_attempts": 2}
    bench.run(spec(command, inputs=(synthetic(5),), outputs=(output(2),), settings=settings))
    bench.work()
    assert bench.counts() == {"ok": 4, "failed": 1}
    assert (bench.dataset(2)["available"], bench.dataset(9)["available"]) == (4, 3)
    bench.order("retry", _body(command), task=1)
    bench.order("abort", {}, task=1)
    bench.work()
    assert bench.counts() == {"ok": 4, "skipped": 1}
    bench.check_books()
    bench.engine.dispose()


def _body(command: str) -> dict[str, object]:
    return dump(spec(command, inputs=(synthetic(5),), outputs=(output(2),)))


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_bell_of_postgresql_wakes_the_service(database_url: str, tmp_path: Path) -> None:
    bench = Bench(tmp_path, url=database_url)
    process = bench.start()
    bench.run(spec("true", inputs=(synthetic(3),)))
    until(lambda: bench.counts() == {"ok": 3})
    assert stop(process) == 0
    bench.engine.dispose()


def test_the_tables_are_legal_on_oracle() -> None:
    dialect: Dialect = oracle.dialect()  # type: ignore[no-untyped-call]
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        assert all(len(name) <= 30 for name in [table.name, *(c.name for c in table.c)])
