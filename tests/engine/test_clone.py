"""Clones: the same again under another name, with other values, or a part of it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from deft.base.database import reading
from deft.base.errors import BadInput, NotFound, Refused
from deft.engine.clone import CloneRequest, clone
from deft.engine.intake import ImportRequest, import_metatask
from deft.model.graph import MetaTask
from deft.store import graphs, history
from deft.store.session import Session
from deft.store.tables import deft_metatask, deft_node
from tests.support.build import OPERATOR, World, metatask

DOCUMENT = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="p" for="graph" attr.name="param.n" attr.type="string"/>
  <key id="q" for="graph" attr.name="param.who" attr.type="string"/>
  <key id="c" for="node" attr.name="command" attr.type="string"/>
  <key id="j" for="node" attr.name="split.jobs" attr.type="string"/>
  <graph edgedefault="directed">
    <data key="p">4</data><data key="q">ann</data>
    <node id="a"><data key="c">echo {param.who}</data><data key="j">${param.n}</data></node>
    <node id="b"><data key="c">cat {inputs}</data></node>
    <edge source="a" target="b"/>
  </graph>
</graphml>
"""


def stored(session: Session, name: str) -> MetaTask:
    with reading(session.engine) as conn:
        key = graphs.name_key("default", name)
        found = conn.execute(sa.select(deft_metatask.c.id).where(deft_metatask.c.name_key == key)).scalar()
        assert found is not None
        return graphs.load(conn, found)


def imported(session: Session) -> None:
    path = session.settings.workdir / "m.graphml"
    path.write_text(DOCUMENT, encoding="utf-8")
    import_metatask(session, ImportRequest(OPERATOR, str(path)))


def cloned(session: Session, source: str, name: str, *tasks: str, **given: str) -> MetaTask:
    clone(session, CloneRequest(OPERATOR, source, name, tasks=tasks, given=given))
    return stored(session, name)


def test_a_clone_is_the_same_under_another_name_and_says_where_it_came_from(session: Session) -> None:
    imported(session)
    made = cloned(session, "m", "again")
    assert [task.settings for task in made.tasks] == [task.settings for task in stored(session, "m").tasks]
    assert made.origin == "clone of default/m"


def test_a_clone_of_a_finished_metatask_starts_from_nothing(session: Session) -> None:
    world = World.of(session, metatask(a=""))
    world.report("a", ok=1)
    world.sweep()
    clone(session, CloneRequest(OPERATOR, "m", "again", start=True))
    with reading(session.engine) as conn:
        rows = conn.execute(sa.select(deft_node.c.state, deft_node.c.armed).order_by(deft_node.c.id)).all()
    assert [tuple(row) for row in rows] == [("done", 1), ("defined", 1)]


def test_other_values_are_filled_into_the_document_as_it_was_written(session: Session) -> None:
    imported(session)
    made = cloned(session, "m", "more", n="7")
    assert made.task("a").settings["split.jobs"] == 7
    assert made.settings["param.who"] == "ann"
    again = cloned(session, "more", "most", who="eve")
    assert again.task("a").settings["split.jobs"] == 7
    assert again.settings["param.who"] == "eve"


def test_a_part_takes_the_data_of_the_rest_as_they_lie(session: Session) -> None:
    imported(session)
    made = cloned(session, "m", "part", "b")
    assert [node.name for node in made.nodes] == ["a-data", "b"]
    (edge,) = made.edges
    assert edge.text("source").startswith(str(session.settings.workdir / "data" / "default.m.a.data.t"))


def test_a_part_of_a_file_needs_its_producers(session: Session) -> None:
    imported(session)
    with pytest.raises(BadInput, match="clone a too"):
        cloned(session, str(session.settings.workdir / "m.graphml"), "part", "b")


def test_a_file_is_cloned_without_being_stored_first(session: Session) -> None:
    path = session.settings.workdir / "m.graphml"
    path.write_text(DOCUMENT, encoding="utf-8")
    assert cloned(session, str(path), "first", n="2").task("a").settings["split.jobs"] == 2


def test_a_clone_is_in_the_history(session: Session) -> None:
    imported(session)
    answer = clone(session, CloneRequest(OPERATOR, "m", "again"))
    with reading(session.engine) as conn:
        (past,) = history.of(conn, answer.metatask_id)
    assert (past.cause, past.reason) == ("clone", "clone of default/m")


def test_unknown_names_list_near_ones(session: Session) -> None:
    imported(session)
    with pytest.raises(NotFound, match="did you mean m"):
        cloned(session, "mm", "again")
    with pytest.raises(NotFound, match="near: a"):
        cloned(session, "m", "again", "aa")
    with pytest.raises(BadInput, match="near: n"):
        cloned(session, "m", "again", nn="1")
    with pytest.raises(BadInput, match="no legal name"):
        cloned(session, "m", "a/b")
    with pytest.raises(Refused, match="already"):
        cloned(session, "m", "M")
