"""Meta-Task <-> rows: what goes in comes out."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from deft.authoring.graphml import writer
from deft.base.clock import ManualClock
from deft.base.database import reading, writing
from deft.base.errors import BadInput, NotFound
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, Foreign, NodeKind, Task
from deft.store import graphs, selection, specs
from deft.store.tables import deft_dataset
from tests.support.build import World, metatask, session_on, with_task

NOW = ManualClock().now()


def document(made: MetaTask) -> bytes:
    stream = io.BytesIO()
    writer.write(made, stream)
    return stream.getvalue()


def rich() -> MetaTask:
    """Parallel datasets, an entry, an exit, a parameter and foreign pieces."""
    made = MetaTask("rich", project="p", settings={"param.top": "12", "goal": 0.9})
    made.add(Task("in", NodeKind.ENTRY))
    made.add(Task("a", settings={"command": "x {input} {output.hist}", "resources.cores": 2, "env.A": "1"}))
    made.add(Task("b", settings={"command": "y {inputs}"}))
    made.add(Task("out", NodeKind.EXIT))
    made.join(Edge("in", "a", {"source": "/data/*.root"}))
    made.join(Edge("a", "b", {"type": "hist", "start_when": "50%"}))
    made.join(Edge("a", "b", {"type": "ntup", "role": "secondary"}))
    made.join(Edge("b", "out", {"format": "csv"}))
    return made


def test_a_stored_metatask_loads_and_exports_the_same(engine: Engine) -> None:
    made = rich()
    with writing(engine) as conn:
        stored = graphs.save(conn, made, owner="ann", now=NOW)
        again = graphs.load(conn, stored)
    assert document(again) == document(made)


def test_the_same_document_in_two_databases_exports_the_same(engine: Engine) -> None:
    with writing(engine) as conn:
        graphs.save(conn, metatask("other", a="", b="a"), owner="ann", now=NOW)
        stored = graphs.save(conn, rich(), owner="ann", now=NOW)
        assert document(graphs.load(conn, stored)) == document(rich())


def test_foreign_pieces_are_kept(engine: Engine) -> None:
    made = MetaTask("m")
    made.add(Task("a", settings={"command": "true"}, foreign=Foreign((("d9", "blue"),))))
    with writing(engine) as conn:
        stored = graphs.load(conn, graphs.save(conn, made, owner="ann", now=NOW))
    assert stored.task("a").foreign == Foreign((("d9", "blue"),))


def test_a_run_order_carries_the_whole_task(engine: Engine, tmp_path: Path) -> None:
    world = World.of(session_on(engine, tmp_path), rich(), start=False)
    with reading(engine) as conn:
        node = world.node(conn, "a")
        spec = specs.of_tasks(conn, [node])[node]
    assert spec.full_name == "p/rich/a"
    assert spec.params == {"top": "12"}
    assert spec.settings == {"resources.cores": 2}
    assert spec.env == {"A": "1"}
    assert [(one.type, one.producer, one.closed) for one in spec.inputs] == [("data", "", False)]
    assert [one.type for one in spec.outputs] == ["hist", "ntup"]
    assert spec.outputs[0].dataset == f"p.rich.a.hist.t{node:08d}_r01"


def test_a_generator_has_one_synthetic_input(engine: Engine, tmp_path: Path) -> None:
    made = with_task(metatask(a=""), "a", {"split.jobs": 7})
    world = World.of(session_on(engine, tmp_path), made, start=False)
    with reading(engine) as conn:
        node = world.node(conn, "a")
        (one,) = specs.of_tasks(conn, [node])[node].inputs
    assert (one.synthetic, one.closed, one.role) == (7, True, "primary")


def test_a_dataset_name_that_is_too_long_is_refused_and_nothing_is_stored(engine: Engine) -> None:
    made = MetaTask("m" * 64, project="p" * 64)
    made.add(Task("t" * 64, settings={"command": "x {output.a}"}))
    made.add(Task("u"))
    made.join(Edge("t" * 64, "u", {"type": "d" * 64}))
    with pytest.raises(BadInput, match="255"), writing(engine) as conn:
        graphs.save(conn, made, owner="ann", now=NOW)
    with reading(engine) as conn:
        assert conn.execute(deft_dataset.select()).first() is None


def test_selections_name_metatasks_tasks_and_globs(engine: Engine, tmp_path: Path) -> None:
    World.of(session_on(engine, tmp_path), metatask("M1", map1="", map2="", red="map1 map2"))
    with reading(engine) as conn:
        assert selection.resolve(conn, "m1").whole
        assert len(selection.resolve(conn, "M1/map*").node_ids) == 2
        assert len(selection.resolve(conn, "default/m1/red").node_ids) == 1
        assert selection.resolve(conn, "default/M1").whole
        with pytest.raises(NotFound, match="map1"):
            selection.resolve(conn, "M1/mpa1")
        with pytest.raises(NotFound, match="did you mean M1"):
            selection.resolve(conn, "M11")


def test_a_name_of_two_projects_needs_the_project(engine: Engine) -> None:
    with writing(engine) as conn:
        for project in ("p", "q"):
            made = MetaTask("m", project=project)
            made.add(Task("a"))
            graphs.save(conn, made, owner="ann", now=NOW)
        with pytest.raises(BadInput, match="p/m, q/m"):
            selection.resolve(conn, "m")
        assert selection.resolve(conn, "q/m").project == "q"
