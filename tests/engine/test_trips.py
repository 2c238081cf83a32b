"""A file that went through another tool, compared with the stored Meta-Task and given back to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deft.engine.diff import DiffAnswer, DiffRequest, compare
from deft.engine.export import ExportRequest, export_metatask
from deft.engine.grow import GraphAnswer, GraphRequest, augment_graph
from deft.engine.intake import ImportRequest, import_metatask
from deft.model.diff import What
from deft.store.session import Session
from tests.support.build import OPERATOR
from tests.support.tools import cytoscape, gephi, yed

TOOLS: dict[str, Callable[[bytes], bytes]] = {
    "cytoscape": cytoscape.trip,
    "gephi": lambda document: gephi.trip(document, merge=False),
    "gephi that merges": gephi.trip,
    "yed": yed.trip,
}
TEMPLATES = ("mc_chain", "diamond", "bag_of_chains", "census")


def trip(session: Session, template: str, tool: str) -> Path:
    """Import, export, and open and save it with a tool."""
    import_metatask(session, ImportRequest(OPERATOR, template, "m"))
    path = session.settings.workdir / "back.graphml"
    path.write_bytes(TOOLS[tool](export_metatask(session, ExportRequest(OPERATOR, "m")).content))
    return path


def differing(session: Session, path: Path) -> DiffAnswer:
    return compare(session, DiffRequest(OPERATOR, "m", str(path)))


def given_back(session: Session, path: Path) -> GraphAnswer:
    return augment_graph(session, GraphRequest(OPERATOR, "m", str(path), whole=True))


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_differs_after_a_trip(session: Session, template: str, tool: str) -> None:
    path = trip(session, template, tool)
    assert differing(session, path).items == ()
    answer = given_back(session, path)
    assert [one.item for one in answer.items if one.item.what is not What.LAYOUT] == []
    assert differing(session, path).items == ()


def test_what_a_person_did_in_the_tool_is_all_that_is_applied(session: Session) -> None:
    path = trip(session, "mc_chain", "gephi")
    text = path.read_text(encoding="utf-8")
    assert text.count(">600<") == 1
    path.write_text(text.replace(">600<", ">700<"), encoding="utf-8")
    (item,) = differing(session, path).items
    assert (item.task, item.key, item.old, item.new) == ("plot", "resources.walltime_s", 600, 700)
    given_back(session, path)
    assert differing(session, path).equal
