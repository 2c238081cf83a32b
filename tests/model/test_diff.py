"""What differs between two Meta-Tasks, and what only seems to."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from deft.model import diff, graph
from deft.model.diff import Change, What
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, Foreign, NodeKind, Task
from tests.support.build import metatask, with_edge, with_task


def found(old: MetaTask, new: MetaTask, **options: bool) -> list[tuple[str, str, str, str]]:
    """What, change, task and key of every item."""
    items = diff.compare(old, new, **options).items
    return [(item.what.value, item.change.value, item.task, item.key) for item in items]


def chain(**edge: Value) -> MetaTask:
    """a -> b -> c, and what the first edge says."""
    made = metatask(a="", b="a", c="b")
    return with_edge(made, "a", "b", **edge) if edge else made


def shuffled(made: MetaTask, draw: random.Random) -> MetaTask:
    """The same in another order, under other ids."""
    nodes, edges = list(made.nodes), list(made.edges)
    draw.shuffle(nodes)
    draw.shuffle(edges)
    ids = [f"z{n}" for n in range(len(edges))]
    again = (replace(edge, id=ids[n], line=n) for n, edge in enumerate(edges))
    return graph.copy_with(made, (replace(node, id=f"n{n}") for n, node in enumerate(nodes)), again)


_KEYS = {
    "resources.cores": some.integers(1, 3), "armed": some.booleans(), "attr.risk": some.text("ab", max_size=2)
}  # fmt: skip
_EDGES = {"type": some.sampled_from(["x", "y"]), "role": some.sampled_from(["primary", "secondary"]),
          "on_loss": some.sampled_from(["wait", "proceed"])}  # fmt: skip


@some.composite
def metatasks(draw: Callable[..., object]) -> MetaTask:
    """Small graphs with parallel edges."""
    made = MetaTask("m")
    size = draw(some.integers(1, 5))
    assert isinstance(size, int)
    for n in range(size):
        settings = draw(some.fixed_dictionaries({}, optional=_KEYS))
        made.add(Task(f"t{n}", settings=settings))  # type: ignore[arg-type]
    ends = some.tuples(some.integers(0, size - 1), some.integers(0, size - 1))
    for source, target in draw(some.lists(ends, max_size=8)):  # type: ignore[attr-defined]
        if source < target:
            settings = draw(some.fixed_dictionaries({}, optional=_EDGES))
            made.join(Edge(f"t{source}", f"t{target}", settings))  # type: ignore[arg-type]
    return made


@given(metatasks(), some.randoms(use_true_random=False))
def test_the_same_in_another_order_under_other_ids_is_the_same(made: MetaTask, draw: random.Random) -> None:
    assert diff.compare(made, shuffled(made, draw)).equal
    assert diff.compare(made, shuffled(made, draw), part=True).equal


@given(metatasks(), metatasks())
def test_what_differs_one_way_differs_the_other_way(one: MetaTask, other: MetaTask) -> None:
    there, back = diff.compare(one, other), diff.compare(other, one)
    assert there.equal == back.equal
    opposite = {Change.ADDED: Change.REMOVED, Change.REMOVED: Change.ADDED}
    told = [(i.what, opposite.get(i.change, i.change), i.key, i.type, i.new, i.old) for i in there.items
            if i.change is not Change.RENAMED and i.what is not What.EDGE]  # fmt: skip
    reply = [(i.what, i.change, i.key, i.type, i.old, i.new) for i in back.items
             if i.change is not Change.RENAMED and i.what is not What.EDGE]  # fmt: skip
    assert sorted(told, key=repr) == sorted(reply, key=repr)


@pytest.mark.parametrize(
    ("said", "key"),
    [("role", "primary"), ("start_when", "complete"), ("reduce", False), ("type", "data"), ("open", False)],
)
def test_a_value_that_holds_anyway_is_no_difference(said: str, key: Value) -> None:
    assert diff.compare(chain(), chain(**{said: key})).equal
    assert diff.compare(chain(**{said: key}), chain()).equal


def test_a_policy_differs_under_the_task_that_has_it() -> None:
    (item,) = diff.compare(chain(), chain(on_loss="proceed")).items
    assert (item.task, item.key, item.old, item.new) == ("b", "on_loss", "wait", "proceed")
    assert item.edge is not None
    assert item.edge[:2] == ("a", "b")


def test_another_type_is_another_dataset() -> None:
    assert found(chain(), chain(type="txt")) == [
        ("dataset", "removed", "a", ""),
        ("dataset", "added", "a", ""),
        ("edge", "changed", "b", "type"),
    ]


def test_a_task_comes_with_its_edges_and_goes_with_them() -> None:
    more = metatask(a="", b="a", c="b", d="a c")
    assert found(chain(), more) == [("task", "added", "d", ""), *[("edge", "added", "d", "")] * 2]
    assert found(more, chain()) == [("task", "removed", "d", ""), *[("edge", "removed", "d", "")] * 2]


def test_a_task_that_is_the_same_but_for_its_name_was_renamed() -> None:
    old = with_task(chain(), "b", {"command": "work"})
    new = MetaTask("m")
    for name, command in (("a", "true"), ("z", "work"), ("c", "true")):
        new.add(Task(name, settings={"command": command}))
    new.join(Edge("a", "z"))
    new.join(Edge("z", "c"))
    (item,) = diff.compare(old, new).items
    assert (item.change, item.task, item.old, item.new) == (Change.RENAMED, "z", "b", "z")


def test_of_two_alike_the_neighbours_tell_which_was_renamed() -> None:
    new = metatask(a="", x="a", y="x")
    old = metatask(a="", b="a", c="b")
    assert {(i.old, i.new) for i in diff.compare(old, new).items if i.change is Change.RENAMED} == set()
    old, new = metatask(a="", b="a", c="", d=""), metatask(a="", x="a", c="", y="")
    assert found(old, new) == [("task", "renamed", "x", "task"), ("task", "renamed", "y", "task")]


def test_a_parameter_names_the_tasks_that_use_it() -> None:
    old = with_task(chain(), "b", {"command": "work {param.n}"})
    old = with_task(old, "c", {"command": "work {param.n}", "param.n": "7"})
    new = graph.copy_with(old, old.nodes, old.edges)
    old.settings["param.n"], new.settings["param.n"] = "1", "2"
    (item,) = diff.compare(old, new).items
    assert (item.what, item.key, item.old, item.new, item.used_by) == ("parameter", "n", "1", "2", ("b",))


def test_parallel_edges_are_paired_by_their_data() -> None:
    old, new = MetaTask("m"), MetaTask("m")
    for made, types in ((old, "xy"), (new, "yx")):
        made.add(Task("a"))
        made.add(Task("b"))
        for type in types:
            made.join(Edge("a", "b", {"type": type}))
    assert diff.compare(old, new).equal
    new.join(Edge("a", "b", {"type": "z"}))
    assert found(old, new) == [("dataset", "added", "a", ""), ("edge", "added", "b", "")]


def test_one_source_is_one_source_however_it_is_written() -> None:
    old, new = metatask(entry="", a="entry"), metatask(entry="", a="entry")
    edge = next(iter(new.edges))
    listed: dict[str, Value] = {"source.json": '["/nowhere/*.dat"]'}
    new.graph.edges["entry", "a", edge.id]["edge"] = replace(edge, settings=listed)
    assert diff.compare(old, new).equal


def test_a_part_says_nothing_of_what_it_leaves_out() -> None:
    whole = with_task(chain(on_loss="proceed"), "b", {"goal": 0.5})
    part = MetaTask("p")
    part.add(Task("a"))
    part.add(Task("b", settings={"priority": 2}))
    part.join(Edge("a", "b", {"on_growth": "ask"}))
    assert found(whole, part, part=True) == [
        ("task", "changed", "b", "priority"),
        ("edge", "changed", "b", "on_growth"),
    ]


def test_a_bare_node_of_a_part_may_be_of_any_kind() -> None:
    whole, part = metatask(entry="", a="entry"), MetaTask("p")
    part.add(Task("entry"))
    assert diff.compare(whole, part, part=True).equal
    part.add(Task("a", NodeKind.EXIT))
    assert found(whole, part, part=True) == [("task", "changed", "a", "kind")]


def test_positions_count_only_where_they_are_asked_for() -> None:
    declared = (
        ("#d7", '<key id="d7" for="node" attr.name="x"/>'),
        ("#w", '<key id="w" attr.name="weight"/>'),
    )
    old, new = chain(), chain()
    for made, key, at in ((old, "n.x", "1"), (new, "d7", "2")):
        made.foreign = Foreign(declared)
        made.graph.nodes["a"]["task"] = replace(made.task("a"), foreign=Foreign(((f"={key}", at),)))
    assert diff.compare(old, new) == diff.Diff((), 0)
    assert found(old, new, layout=True) == [("layout", "changed", "a", "x")]
    with_weight = replace(new.task("a"), foreign=Foreign((("=d7", "2"), ("=w", "3"))))
    new.graph.nodes["a"]["task"] = with_weight
    assert diff.compare(old, new) == diff.Diff((), 1)
