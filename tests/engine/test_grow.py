"""Tasks and edges join a Meta-Task that lives; nothing that is there changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from deft.base.database import reading
from deft.base.errors import BadInput
from deft.engine.grow import GraphAnswer, GraphRequest, augment_graph
from deft.engine.intake import ExportRequest, export_metatask
from deft.model.graph import MetaTask
from deft.store import graphs, history
from deft.store.session import Session
from tests.support.build import OPERATOR, World, metatask, with_task

_KEYS = {
    "param.n": "graph", "goal": "graph", "command": "node", "armed": "node", "type": "edge",
    "format": "edge", "source": "edge", "kind": "node",
}  # fmt: skip


def document(
    nodes: Mapping[str, Mapping[str, str]],
    edges: list[tuple[str, str, dict[str, str]]],
    graph: Mapping[str, str] | None = None,
) -> str:
    """A GraphML document of these nodes, edges and settings of the graph."""
    keys = "".join(
        f'<key id="{on[0]}.{name}" for="{on}" attr.name="{name}" attr.type="string"/>'
        for name, on in _KEYS.items()
    )

    def told(on: str, settings: Mapping[str, str]) -> str:
        return "".join(f'<data key="{on}.{name}">{value}</data>' for name, value in settings.items())

    body = told("g", graph or {})
    body += "".join(f'<node id="{name}">{told("n", said)}</node>' for name, said in nodes.items())
    body += "".join(f'<edge source="{a}" target="{b}">{told("e", said)}</edge>' for a, b, said in edges)
    head = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    return f'{head}{keys}<graph edgedefault="directed">{body}</graph></graphml>'


def add(session: Session, text: str, name: str = "m", **options: Any) -> GraphAnswer:
    path = session.settings.workdir / "part.graphml"
    path.write_text(text, encoding="utf-8")
    return augment_graph(session, GraphRequest(OPERATOR, name, str(path), **options))


PLOT = document({"a": {}, "plot": {"command": "plot {inputs}"}}, [("a", "plot", {"type": "data"})])


def stored(world: World) -> MetaTask:
    with reading(world.session.engine) as conn:
        return graphs.load(conn, world.metatask_id)


def test_a_new_consumer_of_a_done_task_runs_on_what_it_made(session: Session) -> None:
    world = World.of(session, metatask(a=""))
    world.report("a", ok=2)
    world.sweep()
    answer = add(session, PLOT, reason="for the talk")
    assert (answer.tasks, answer.edges, answer.armed) == (("plot",), 1, ("plot",))
    world.sweep()
    assert world.states() == {"a": "done", "plot": "running"}
    assert world.orders("a") == ["run"]
    with reading(session.engine) as conn:
        last = [past for past in history.of(conn, world.metatask_id) if past.cause == "augment"]
    assert (last[0].reason or "").endswith("part.graphml (for the talk)")


def test_what_was_not_started_is_not_armed(session: Session) -> None:
    world = World.of(session, metatask(a=""), start=False)
    assert add(session, PLOT).armed == ()
    world.sweep()
    assert world.states() == {"a": "defined", "plot": "defined"}


def test_a_task_that_says_so_is_not_armed(session: Session) -> None:
    world = World.of(session, metatask(a=""))
    text = document({"b": {"command": "true", "armed": "false"}, "c": {"command": "true"}}, [])
    assert add(session, text).armed == ("c",)
    world.sweep()
    assert world.states() == {"a": "running", "b": "defined", "c": "running"}


def test_a_consumer_waits_for_a_producer_that_is_not_defined_yet(session: Session) -> None:
    world = World.of(session, metatask(a=""))
    add(session, document({"b": {}, "c": {"command": "true"}}, [("b", "c", {})]))
    world.sweep()
    assert world.states() == {"a": "running", "b": "defined", "c": "waiting"}


def test_the_whole_is_exported_and_other_tasks_are_as_they_were(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    before = [task.settings for task in stored(world).tasks]
    add(session, PLOT)
    after = stored(world)
    assert [node.name for node in after.nodes] == ["a", "b", "plot"]
    assert [task.settings for task in after.tasks][:2] == before
    assert len({edge.id for edge in after.edges}) == 2
    text = export_metatask(session, ExportRequest(OPERATOR, "m")).decode()
    assert 'target="plot"' in text


def test_parameters_are_those_of_the_metatask_unless_they_are_given(session: Session) -> None:
    made = metatask(a="")
    made.settings["param.n"] = "4"
    world = World.of(session, made)
    text = document({"b": {"command": "x ${param.n} {param.n}"}}, [], graph={"param.n": "1", "goal": "0.5"})
    answer = add(session, text)
    assert [finding.code for finding in answer.warnings if finding.subject == "goal"] == ["graph-setting"]
    assert stored(world).task("b").settings == {"command": "x 4 {param.n}"}
    add(session, text.replace('id="b"', 'id="c"'), given={"n": "7"})
    assert stored(world).task("c").settings == {"command": "x 7 {param.n}", "param.n": "7"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (document({"a": {"command": "false"}}, []), "a is there already, with another command"),
        (document({"a": {}, "c": {"command": "true"}}, [("c", "a", {})]), "another input"),
        (document({"a": {}, "c": {"command": "true"}}, [("a", "c", {"type": "txt"})]),
         "makes no data of the type 'txt'; it makes data"),
        (document({"a": {}, "c": {"command": "true"}}, [("a", "c", {"type": "data", "format": "txt"})]),
         "there already, with other facts"),
        (document({"c": {"command": "{output.x} {nonsense.y}"}}, []), "nonsense"),
        (document({"c": {"command": "true"}}, [("a", "c", {})]), "does not exist"),
    ],
)  # fmt: skip
def test_what_would_change_something_that_is_there_is_refused(session: Session, text: str, says: str) -> None:
    world = World.of(session, metatask(a="", b="a"))
    with pytest.raises(BadInput, match=says):
        add(session, text)
    assert world.states() == {"a": "running", "b": "waiting"}


def test_a_new_entry_brings_new_data(session: Session) -> None:
    world = World.of(session, metatask(a=""))
    nodes = {"files": {"kind": "entry"}, "c": {"command": "true"}}
    add(session, document(nodes, [("files", "c", {"source": "more/*.dat"})]))
    world.sweep()
    world.list_external(3)
    world.sweep()
    assert world.states()["c"] == "running"
    (edge,) = stored(world).edges
    assert edge.text("source") == f"{session.settings.workdir}/more/*.dat"


def test_a_dry_run_adds_nothing_and_a_key_adds_once(session: Session) -> None:
    world = World.of(session, with_task(metatask(a=""), "a", {"command": "true"}))
    assert add(session, PLOT, dry_run=True).tasks == ("plot",)
    assert world.states() == {"a": "running"}
    assert add(session, PLOT, key="k") == add(session, PLOT, key="k")
    with pytest.raises(BadInput, match="not one whole Meta-Task"):
        add(session, PLOT, "m/a")
