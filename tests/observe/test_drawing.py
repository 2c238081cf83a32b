"""Pictures of a live Meta-Task: every task, its state in words, its data and how complete they are."""

from __future__ import annotations

import re

import pytest

from deft.access.roles import Actor, Role
from deft.base.errors import NotFound
from deft.observe import drawing
from deft.observe.drawing import DOT, SVG, Drawing, DrawRequest, Style
from deft.observe.pictures import palette, scene
from deft.store.session import Session
from tests.support import pictures
from tests.support.build import OPERATOR, World, metatask, with_edge
from tests.support.svgs import NS, root, texts, titles


def picture(world: World, **style: object) -> Drawing:
    return drawing.draw(world.session, DrawRequest(OPERATOR, world.name, Style(**style)))  # type: ignore[arg-type]


def half_way(session: Session) -> World:
    """a is done, b runs, c waits and is held."""
    made = metatask("m", entry="", a="entry", b="a", c="b")
    world = World.of(session, made)
    world.list_external(8)
    world.sweep()
    world.report("a", ok=8)
    world.sweep()
    world.report("b", ok=2, failed=1, running=1, ready=4, idle=False)
    world.do("hold", "c")
    return world


# --- what stands in it -------------------------------------------------------------------------------------


def test_every_task_has_its_name_its_state_in_words_and_its_units(session: Session) -> None:
    found = picture(half_way(session))
    said = texts(found.content)
    assert [
        word
        for word in ("a", "done", "8/8", "b", "running", "2/8", "c", "waiting · held")
        if word not in said
    ] == []
    assert (found.metatask, found.state, found.tasks, found.boxes) == ("default/m", "running", 3, 4)


def test_the_title_says_the_state_and_the_time(session: Session) -> None:
    content = picture(half_way(session)).content
    first = root(content)[0]
    assert first.text == "default/m is running"
    assert root(content)[1].text == (
        "default/m is running, 2026-01-01 00:00:00 UTC. 3 tasks: 1 running, 1 waiting, 1 done; 1 held."
    )


def test_data_say_how_complete_they_are(session: Session) -> None:
    content = picture(half_way(session)).content
    assert [text for text in texts(content) if re.search("closed|open|declared", text)] == [
        "8/8 closed",
        "8/8 closed",
        "2/8 open",
        "declared",
    ]
    assert any(title.endswith("from b; to c; 2 of 8 units; open") for title in titles(content))


def test_lost_data_are_named() -> None:
    found = scene.Flow("a", "data", membership="closed", available=38, expected=40, lost=2)
    assert "38/40 · 2 lost" in texts(drawing.drawn(alone(found), Style()).content)


def alone(flow: scene.Flow) -> scene.Scene:
    return scene.Scene("p/m", "running", None, (scene.Mark("a", state="done"),), (flow,), 1, {"done": 1})


def test_what_follows_from_its_producer_is_marked_where_it_is_a_guess(session: Session) -> None:
    world = World.of(session, metatask(entry="", a="entry", b="a"))
    world.list_external(10)
    world.sweep()
    world.report("a", ok=4, running=1, ready=5, idle=False, made=3)  # some jobs took two units
    assert "3/~8 open" in texts(picture(world).content)


def test_a_hold_of_the_whole_meta_task_is_seen_on_all_that_could_move(session: Session) -> None:
    world = half_way(session)
    world.do("hold")
    said = texts(picture(world).content)
    assert "running · held" in said
    assert said.count("held") >= 2  # the Meta-Task itself, and the legend
    assert "done · held" not in said


def test_secondary_inputs_are_dashed(session: Session) -> None:
    made = with_edge(metatask(a="", b="a"), "a", "b", role="secondary")
    content = picture(World.of(session, made)).content
    dashed = [path for path in root(content).iter(f"{NS}path") if path.get("stroke-dasharray")]
    assert len(dashed) == 2  # the line, and the legend's
    assert "secondary input" in texts(content)


def test_the_legend_has_the_states_that_occur(session: Session) -> None:
    said = texts(picture(half_way(session)).content)
    assert [said.count(state) for state in ("done", "running", "held", "failed")] == [2, 3, 1, 0]


def test_some_tasks_are_drawn_alone(session: Session) -> None:
    world = half_way(session)
    found = drawing.draw(session, DrawRequest(OPERATOR, f"{world.name}/a"))
    assert (found.tasks, found.boxes) == (1, 2)  # with its entry
    assert "b" not in texts(found.content)


def test_what_is_not_there_is_not_drawn(session: Session) -> None:
    with pytest.raises(NotFound, match="there is no Meta-Task 'nothing'"):
        drawing.draw(session, DrawRequest(OPERATOR, "nothing"))


def test_an_observer_may_look(session: Session) -> None:
    world = half_way(session)
    assert drawing.draw(session, DrawRequest(Actor("o", Role.OBSERVER), world.name)).tasks == 3


# --- the whole ---------------------------------------------------------------------------------------------


def test_a_picture_is_the_same_each_time(session: Session) -> None:
    world = half_way(session)
    for form in (SVG, DOT):
        assert picture(world, format=form).content == picture(world, format=form).content


def test_svg_stands_alone(session: Session) -> None:
    found = root(picture(half_way(session)).content)
    assert not list(found.iter(f"{NS}script", f"{NS}style", f"{NS}image", f"{NS}use"))
    assert not [
        name
        for one in found.iter()
        for name in one.attrib
        if "href" in str(name) or str(name).startswith("on")
    ]
    assert found.get("aria-labelledby") == "title desc"
    (ground,) = [one for one in found if one.tag == f"{NS}rect"]
    assert ground.get("fill") == palette.PAPER


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_of_the_documentation_is_what_is_drawn(name: str) -> None:
    drawn = pictures.PICTURES[name]()
    assert (pictures.FOLDER / name).read_bytes() == drawn, "run: make docs"
