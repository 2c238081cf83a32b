"""Lists that show the first of many say how many more there are."""

from __future__ import annotations

from deft.observe import status
from deft.store.session import Session
from tests.support.build import OPERATOR, World, metatask


def test_a_list_begins_with_the_newest_and_counts_the_rest(session: Session) -> None:
    for name in "abc":
        World.of(session, metatask(name, t=""), start=name == "b")
    found = status.listing(session, OPERATOR, 2)
    assert [line.metatask for line in found.lines] == ["default/c", "default/b"]
    assert found.more == 1
    assert status.listing(session, OPERATOR, 3).more == 0
    assert len(status.listing(session, OPERATOR).lines) == 3
    waiting = status.listing(session, OPERATOR, 1, where="name == 't'")
    assert ([line.metatask for line in waiting.lines], waiting.more) == (["default/c"], 2)


def test_a_status_shows_the_first_tasks_and_counts_the_rest(session: Session) -> None:
    World.of(session, metatask("m", a="", b="a", c="b"), start=False)
    (found,) = status.statuses(session, OPERATOR, "m", limit=2)
    assert ([line.task for line in found.tasks], found.more) == (["a", "b"], 1)
    (found,) = status.statuses(session, OPERATOR, "m/b m/c", limit=1)
    assert ([line.task for line in found.tasks], found.more) == (["b"], 1)
    (found,) = status.statuses(session, OPERATOR, "m")
    assert (len(found.tasks), found.more) == (3, 0)
