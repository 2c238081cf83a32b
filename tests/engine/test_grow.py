"""A Meta-Task that lives takes a changed graph: what may join and change, what may not, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from deft.base.database import reading
from deft.base.errors import BadInput, Refused
from deft.engine.export import ExportRequest, export_metatask
from deft.engine.grow import GraphAnswer, GraphRequest, augment_graph
from deft.engine.intake import ImportRequest, import_metatask
from deft.engine.reset import ResetRequest, reset
from deft.model.diff import What
from deft.model.graph import MetaTask
from deft.model.judging import Verdict
from deft.model.tasks import Edge
from deft.observe import pasts
from deft.store import graphs, history, specs
from deft.store.history import Past
from deft.store.session import Session
from deft.store.tables import deft_node
from tests.support.build import OPERATOR, World, metatask, with_task

_KEYS = {
    "param.n": "graph", "goal": "graph", "description": "graph", "command": "node", "armed": "node",
    "priority": "node", "split.jobs": "node", "type": "edge", "format": "edge", "source": "edge",
    "kind": "node", "x": "node", "on_loss": "edge", "start_when": "edge", "role": "edge",
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


def exported(session: Session, name: str = "m") -> str:
    return export_metatask(session, ExportRequest(OPERATOR, name)).content.decode()


def left_out(answer: GraphAnswer) -> list[str]:
    return [one.item.key for one in answer.items if one.verdict is Verdict.LEFT_OUT]


def history_of(world: World) -> list[Past]:
    with reading(world.session.engine) as conn:
        return history.of(conn, world.metatask_id)


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
    text = export_metatask(session, ExportRequest(OPERATOR, "m")).content.decode()
    assert 'target="plot"' in text


def test_parameters_are_those_of_the_metatask_unless_they_are_given(session: Session) -> None:
    made = metatask(a="")
    made.settings["param.n"] = "4"
    world = World.of(session, made)
    text = document({"b": {"command": "x ${param.n} {param.n}"}}, [], graph={"param.n": "1", "goal": "0.5"})
    answer = add(session, text)
    assert left_out(answer) == ["goal"]
    assert stored(world).task("b").settings == {"command": "x 4 {param.n}"}
    add(session, text.replace('id="b"', 'id="c"'), given={"n": "7"})
    assert stored(world).task("c").settings == {"command": "x 7 {param.n}", "param.n": "7"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (document({"a": {}, "c": {"command": "true"}}, [("a", "c", {"type": "txt"})]),
         "makes no data of the type 'txt'; it makes data"),
        (document({"a": {}, "c": {"command": "true"}}, [("a", "c", {"type": "data", "format": "txt"})]),
         "there already, with other facts"),
        (document({"a": {"kind": "exit"}}, []), "kind of a task is fixed"),
        (document({"b": {"kind": "entry"}}, []), "kind of a task is fixed"),
        (document({"a": {}, "b": {}}, [("a", "b", {"role": "secondary"})]), "role of an edge says what"),
        (document({"b": {}, "c": {"command": "true"}}, [("b", "c", {}), ("c", "b", {})]), "circle"),
        (document({"c": {"command": "{output.x} {nonsense.y}"}}, []), "nonsense"),
        (document({"c": {"command": "true"}}, [("a", "c", {})]), "does not exist"),
        (document({"b": {"command": "{nonsense.y}"}}, []), "nonsense"),
    ],
)  # fmt: skip
def test_what_is_never_taken_is_bad_input(session: Session, text: str, says: str) -> None:
    world = World.of(session, metatask(a="", b="a"))
    before = exported(session)
    with pytest.raises(BadInput, match=says):
        add(session, text)
    assert world.states() == {"a": "running", "b": "waiting"}
    assert exported(session) == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (document({"a": {"command": "false"}}, []), "a, command: a is running; `deft finish`"),
        (document({"d": {"command": "false"}}, []), "d, command: d has started and is done; `deft set m/d`"),
        (document({"d": {}, "c": {"command": "true"}}, [("c", "d", {})]), "d is done and takes no other"),
        (document({"a": {}, "c": {"command": "true"}}, [("c", "a", {})]), "a is running and takes no other"),
        (document({"d": {}, "e": {}}, [("d", "e", {"on_loss": "proceed"})]), "e is running; wait until"),
    ],
)  # fmt: skip
def test_what_the_state_forbids_is_refused_and_remembered(session: Session, text: str, says: str) -> None:
    world = World.of(session, metatask(a="", b="a", d="", e="d"))
    world.report("d", ok=1)
    world.sweep()
    assert world.states() == {"a": "running", "b": "waiting", "d": "done", "e": "running"}
    before = exported(session)
    also = '<node id="b"><data key="n.priority">5</data></node>'
    end = "<edge " if "<edge " in text else "</graph>"
    with pytest.raises(Refused, match=says) as refused:
        add(session, text.replace(end, also + end, 1), reason="why not")
    assert exported(session) == before
    verdicts = {(one.item.task, one.item.key): one.verdict for one in refused.value.answer.items}
    assert verdicts["b", "priority"] is Verdict.APPLIED
    assert pasts.commands(session, OPERATOR, "m")[-1].outcome == "refused"


def test_settings_of_tasks_that_have_not_started_are_changed_as_by_set(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a", c="b"))
    text = document({"b": {"command": "work {input}", "priority": "3"}, "c": {"priority": "3"}}, [])
    answer = add(session, text, reason="urgent")
    assert [(one.item.task, one.item.key, one.item.old, one.item.new) for one in answer.items] == [
        ("b", "command", "true", "work {input}"), ("b", "priority", 0, 3), ("c", "priority", 0, 3)
    ]  # fmt: skip
    assert stored(world).task("b").settings == {"command": "work {input}", "priority": 3}
    told = [(past.task, past.cause, past.reason) for past in history_of(world)][-3:]
    assert ("c", "set", "priority: nothing -> 3 (urgent)") in told
    before = history_of(world)
    again = add(session, text, reason="urgent")
    assert (again.items, again.tasks, again.edges) == ((), (), 0)
    assert [past.reason for past in history_of(world)] == [past.reason for past in before]


def test_a_policy_of_an_edge_changes_and_the_guards_read_it(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    add(session, document({"a": {}, "b": {}}, [("a", "b", {"start_when": "any"})]))
    assert world.states()["b"] == "waiting"
    world.report("a", ok=0, running=1, idle=False, made=1)
    world.sweep()
    assert world.states() == {"a": "running", "b": "running"}


def test_a_waiting_task_gets_another_input_and_waits_for_it(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a", c="b"))
    text = document({"b": {}, "z": {"command": "true"}}, [("z", "b", {"type": "more"})])
    answer = add(session, text)
    assert (answer.tasks, answer.edges) == (("z",), 1)
    world.report("a", ok=1)
    world.sweep()
    assert world.states() == {"a": "done", "b": "waiting", "c": "waiting", "z": "running"}
    world.report("z", ok=1)
    world.sweep()
    assert world.states()["b"] == "running"
    assert add(session, text).items == ()


def test_the_depth_of_what_comes_after_a_new_input_follows(session: Session) -> None:
    world = World.of(session, metatask(a="", b="", c="b"), start=False)
    add(session, document({"a": {}, "b": {}}, [("a", "b", {})]))
    with reading(session.engine) as conn:
        n = deft_node.c
        depths = {row.name: row.depth for row in conn.execute(sa.select(n.name, n.depth))}
    assert depths == {"a": 0, "b": 1, "c": 2}
    assert world.states() == dict.fromkeys("abc", "defined")


def test_a_generator_that_gets_an_input_has_no_numbers_any_more(session: Session) -> None:
    world = World.of(session, metatask(a="", b=""), start=False)
    add(session, document({"a": {}, "b": {}}, [("a", "b", {})]))
    world.do("start")
    world.sweep()
    assert world.states() == {"a": "running", "b": "waiting"}
    world.report("a", ok=2)
    world.sweep()
    with reading(session.engine) as conn:
        spec = specs.of_tasks(conn, [world.node(conn, "b")])
    (one,) = spec.values()
    assert [(given.producer, given.synthetic) for given in one.inputs] == [("a", 0)]


def test_external_data_of_a_waiting_task_are_listed(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    nodes = {"files": {"kind": "entry"}, "b": {}}
    add(session, document(nodes, [("files", "b", {"source": "x/*.dat", "type": "cal", "role": "secondary"})]))
    world.report("a", ok=1)
    world.sweep()
    assert world.states()["b"] == "waiting"
    world.list_external(2)
    world.sweep()
    assert world.states()["b"] == "running"


def test_a_task_that_has_not_begun_may_make_other_data(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    add(session, document({"b": {}, "c": {"command": "true"}}, [("b", "c", {"type": "txt"})]))
    with reading(session.engine) as conn:
        names = graphs.dataset_names(conn, world.metatask_id)
    assert sorted(names) == [("a", "data"), ("b", "txt"), ("c", "data")]


def test_only_a_whole_file_says_that_something_is_to_go_and_it_stays(session: Session) -> None:
    World.of(session, metatask(a="", b="a", c="b"))
    text = document({"a": {"command": "true"}, "b": {"command": "true"}}, [])
    assert add(session, text).items == ()
    with pytest.raises(BadInput, match="keeps its tasks; `deft disarm m/c`") as refused:
        add(session, text, whole=True)
    told = {(one.item.task, one.item.what.value): one.why for one in refused.value.answer.items}
    assert told["b", "edge"].startswith("a Meta-Task keeps its edges")


def test_what_a_whole_file_leaves_out_is_unset(session: Session) -> None:
    made = with_task(metatask(a="", b="a"), "b", {"priority": 4})
    made.settings["description"] = "old"
    world = World.of(session, made)
    nodes = {"a": {"command": "true"}, "b": {"command": "true"}}
    add(session, document(nodes, [("a", "b", {})], graph={"description": "new"}), whole=True)
    assert stored(world).task("b").settings == {"command": "true"}
    assert stored(world).settings == {"description": "new"}
    with pytest.raises(
        BadInput, match=r"param\.n: parameters are fixed at import; `deft clone m NEW --set n=3`"
    ):
        add(session, document(nodes, [("a", "b", {})], {"param.n": "3", "description": "new"}), whole=True)


def test_positions_change_at_any_time_and_new_tasks_bring_theirs(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    add(session, document({"a": {"x": "1.5"}, "c": {"command": "true", "x": "2.5"}}, []))
    assert world.states()["a"] == "running"
    add(session, document({"a": {"x": "7"}}, []).replace("n.x", "d7"))
    text = exported(session)
    assert text.count('attr.name="x"') == 1
    assert ('<data key="n.x">7</data>' in text, '<data key="n.x">2.5</data>' in text) == (True, True)
    assert add(session, document({"a": {"x": "7"}}, [])).items == ()
    (session.settings.workdir / "again.graphml").write_text(text)
    import_metatask(
        session, ImportRequest(OPERATOR, str(session.settings.workdir / "again.graphml"), "again")
    )
    assert exported(session, "again").count('<data key="n.x">') == 2


def test_edges_that_a_tool_merged_are_not_taken_for_gone(session: Session) -> None:
    made = metatask(a="", b="a")
    made.join(Edge("a", "b", {"type": "other"}))
    World.of(session, made)
    keys = ('<key id="label" for="node" attr.name="label" attr.type="string"/>'
            '<key id="edgelabel" for="edge" attr.name="Edge Label" attr.type="string"/>'
            '<key id="weight" for="edge" attr.name="weight" attr.type="double"/><graph')  # fmt: skip
    nodes = {"a": {"command": "true"}, "b": {"command": "true"}}
    text = document(nodes, [("a", "b", {})]).replace("<graph ", keys + " ", 1)
    text = text.replace("</edge>", '<data key="weight">2.0</data></edge>')
    answer = add(session, text, whole=True)
    assert [one for one in answer.items if one.item.what is not What.LAYOUT] == []
    assert [one.code for one in answer.warnings] == ["merged-edge"]


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


def test_data_that_are_retired_feed_nothing_new(session: Session) -> None:
    world = World.of(session, metatask(a=""))
    world.report("a", ok=1)
    world.sweep()
    world.do("obsolete")
    with pytest.raises(Refused, match="the data of a are retired, so plot could never run"):
        add(session, PLOT)


def test_a_task_that_begins_anew_takes_no_other_input(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    for task in ("a", "b"):
        world.report(task, ok=1)
        world.sweep()
    reset(session, ResetRequest(OPERATOR, "m/b", discard=True))
    assert world.states()["b"] == "waiting"
    with pytest.raises(Refused, match="b was started before and takes no other input"):
        add(session, document({"b": {}, "c": {"command": "true"}}, [("c", "b", {"type": "more"})]))
