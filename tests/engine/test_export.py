"""What goes out comes in again: the same bytes, the state beside it, every flavour the same Meta-Task."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

from deft.authoring.templates import search
from deft.base import database
from deft.base.errors import BadInput, NotFound
from deft.engine import intake
from deft.engine.export import FLAVOURS, ExportRequest, export_metatask
from deft.engine.intake import ImportRequest
from deft.store.session import Session
from tests.bench.graphs import wide
from tests.support.build import OPERATOR, World, metatask, session_on
from tests.support.repository import ROOT

SOURCES = [
    *search.names(),
    "docs/examples/hello.graphml",
    "docs/examples/samples.graphml",
    "tests/data/graphml/gephi.graphml",
    "tests/data/graphml/yed.graphml",
]


def exported(session: Session, name: str, flavour: str = "plain", *, state: bool = False) -> bytes:
    return export_metatask(session, ExportRequest(OPERATOR, name, flavour, state)).content


@pytest.fixture
def elsewhere(sqlite_template: Path, tmp_path: Path) -> Iterator[Session]:
    """Another empty database, in another folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "deft.db")
    engine = database.open_engine(f"sqlite:///{folder / 'deft.db'}")
    yield session_on(engine, folder)
    engine.dispose()


def again(document: bytes, session: Session) -> bytes:
    """The export of its import."""
    path = session.settings.workdir / "first.graphml"
    path.write_bytes(document)
    answer = intake.import_metatask(session, ImportRequest(OPERATOR, str(path)))
    return exported(session, answer.metatask)


@pytest.mark.parametrize("source", SOURCES)
def test_the_export_of_an_import_of_it_is_the_same_bytes(
    source: str, session: Session, elsewhere: Session
) -> None:
    path = str(ROOT / source) if "/" in source else source
    answer = intake.import_metatask(session, ImportRequest(OPERATOR, path))
    first = exported(session, answer.metatask)
    assert again(first, elsewhere) == first


@pytest.mark.slow
def test_so_is_that_of_ten_thousand_tasks(session: Session, elsewhere: Session) -> None:
    world = World.of(session, wide(10_000), start=False)
    first = exported(session, world.name)
    assert again(first, elsewhere) == first


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_flavour_is_the_same_meta_task(flavour: str, session: Session, elsewhere: Session) -> None:
    intake.import_metatask(session, ImportRequest(OPERATOR, "mc_chain"))
    plain, shown = exported(session, "mc_chain"), again(exported(session, "mc_chain", flavour), elsewhere)
    foreign = ("<y:", "label", '"x"', '"y"', '"size"', '"weight"', '"r"', '"g"', '"b"', "graphics")
    ours = [line for line in shown.decode().splitlines() if not any(word in line for word in foreign)]
    rest = [line for line in plain.decode().splitlines() if "<edge" not in line]
    assert [line for line in ours if "<edge" not in line] == rest


def test_the_state_is_written_on_demand_and_an_import_leaves_it_out(
    session: Session, elsewhere: Session
) -> None:
    world = World.of(session, metatask(a="", b="a"))
    with_state = exported(session, world.name, state=True)
    assert b'<data key="n.state.state">waiting</data>' in with_state
    assert again(with_state, elsewhere) == exported(session, world.name)


def test_other_tools_see_the_state(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    document = io.BytesIO(exported(session, world.name, "networkx", state=True))
    assert nx.read_graphml(document, force_multigraph=True).nodes["b"]["state.state"] == "waiting"


def test_tasks_of_one_are_not_exported_and_an_unknown_flavour_is_named(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    with pytest.raises(BadInput, match="whole Meta-Task"):
        export_metatask(session, ExportRequest(OPERATOR, f"{world.name}/a"))
    with pytest.raises(BadInput, match="did you mean gephi"):
        export_metatask(session, ExportRequest(OPERATOR, world.name, "gephy"))
    with pytest.raises(NotFound):
        export_metatask(session, ExportRequest(OPERATOR, "nothing"))
