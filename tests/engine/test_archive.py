"""Archive and delete: every table has somebody who speaks for it, and nothing goes that was not written."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.access.roles import Actor, Role
from deft.base import disk
from deft.base.database import insert_rows, open_engine
from deft.base.errors import DeftError, NotAllowed, NotFound, Refused
from deft.engine import archive_folder, holding
from deft.engine.archive import Archived, ArchiveRequest, archive
from deft.engine.deletion import DeleteRequest, delete
from deft.engine.vacuum import vacuum
from deft.observe import sizes
from deft.store import ddl
from deft.store.session import Session
from deft.store.tables import deft_control, deft_node
from tests.support.build import OPERATOR, World, metatask, session_on


def ended(session: Session, name: str = "m") -> World:
    """A Meta-Task of two tasks that are done."""
    world = World.of(session, metatask(name, a="", b="a"))
    for task in ("a", "b"):
        world.report(task, ok=1)
        world.sweep()
    assert set(world.states().values()) == {"done"}
    return world


def take(session: Session, to: Path, name: str = "m", *, keep: bool = False) -> Archived:
    """Archive one."""
    (answer,) = archive(session, ArchiveRequest(OPERATOR, name, to / "to", keep)).archived
    return answer


def control(world: World) -> list[dict[str, object]]:
    """A row that no verb wrote."""
    row = {
        "metatask_id": world.metatask_id,
        "kind": "armed",
        "actor": "x",
        "created": world.session.clock.now(),
    }
    return [row]


def test_every_table_has_one_room_that_speaks_for_it() -> None:
    rooms = holding.all_rooms()
    spoken = Counter(name for room in rooms for name in room.tables)
    assert spoken == dict.fromkeys(ddl.all_tables().tables, 1)


def test_a_row_that_no_verb_wrote_keeps_the_rest_from_going(session: Session, tmp_path: Path) -> None:
    world = ended(session)
    take(session, tmp_path, keep=True)
    with session.writing() as conn:
        insert_rows(conn, deft_control, control(world))
    with pytest.raises(Refused, match="has changed since"):
        take(session, tmp_path)
    assert set(world.states().values()) == {"done"}
    (folder,) = (tmp_path / "to").iterdir()
    assert not archive_folder.verify(folder).folders


def test_a_meta_task_that_goes_on_is_refused_though_an_archive_is_there(
    session: Session, tmp_path: Path
) -> None:
    world = ended(session)
    take(session, tmp_path, keep=True)
    world.do("obsolete", "b")
    with pytest.raises(Refused, match="has changed since"):
        take(session, tmp_path)


def test_orders_that_wait_and_jobs_that_run_are_in_the_way(session: Session, tmp_path: Path) -> None:
    ended(session)
    with session.writing() as conn:
        conn.execute(sa.text("UPDATE wire_order SET pending = 1, applied = NULL"))
    with pytest.raises(Refused, match="JEDI has not applied"):
        take(session, tmp_path)
    with session.writing() as conn:
        conn.execute(sa.text("UPDATE wire_order SET pending = 0, applied = created"))
        conn.execute(sa.text("UPDATE wire_task SET jobs_running = 2"))
    with pytest.raises(Refused, match="4 jobs of it still run"):
        take(session, tmp_path)


def test_two_at_once_take_it_once(session: Session, tmp_path: Path, engine: Engine) -> None:
    ended(session)
    url = engine.url.render_as_string(hide_password=False)

    def try_it(_: int) -> str:
        other = open_engine(url)
        try:
            return "deleted" if take(session_on(other, tmp_path / "w"), tmp_path).deleted else ""
        except DeftError as fault:
            return type(fault).__name__
        finally:
            other.dispose()

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(try_it, range(2)))
    assert told[1] == "deleted"
    assert told[0] in ("BadInput", "NotFound", "Refused")
    with pytest.raises(NotFound):
        take(session, tmp_path)


def test_numbers_of_tasks_are_not_given_again(session: Session, tmp_path: Path) -> None:
    first = ended(session)
    with session.reading() as conn:
        largest = conn.execute(sa.select(sa.func.max(deft_node.c.id))).scalar_one()
    delete(session, DeleteRequest(OPERATOR, "m"))
    vacuum(session, OPERATOR)
    again = World.of(session, metatask("m", a="", b="a"), start=False)
    with session.reading() as conn:
        ids = conn.execute(sa.select(deft_node.c.id).order_by(deft_node.c.id)).scalars().all()
    assert ids == [largest + 1, largest + 2]
    assert again.name == first.name


def test_only_an_administrator_takes_anything_out(session: Session, tmp_path: Path) -> None:
    ended(session)
    manager = Actor("bob", Role.MANAGER)
    with pytest.raises(NotAllowed):
        archive(session, ArchiveRequest(manager, "m", tmp_path))
    with pytest.raises(NotAllowed):
        delete(session, DeleteRequest(manager, "m"))
    with pytest.raises(NotAllowed):
        vacuum(session, manager)


def test_two_users_of_the_database_need_a_third(session: Session, tmp_path: Path) -> None:
    ended(session)
    apart = replace(session, annex=session.engine)
    with pytest.raises(NotAllowed, match="as the owner of the tables"):
        take(apart, tmp_path)
    with pytest.raises(NotAllowed, match="as the owner of the tables"):
        delete(apart, DeleteRequest(OPERATOR, "m"))
    assert sizes.sizes(apart, OPERATOR).metatasks[0].metatask == "default/m"


def test_several_by_name_are_all_looked_at_before_one_goes(session: Session, tmp_path: Path) -> None:
    ended(session)
    World.of(session, metatask("n", a=""))
    with pytest.raises(Refused, match="default/n cannot be archived"):
        archive(session, ArchiveRequest(OPERATOR, "m n", tmp_path / "to"))
    assert not (tmp_path / "to").exists()
    answer = archive(session, ArchiveRequest(OPERATOR, "*", tmp_path))
    assert [one.metatask for one in answer.archived] == ["default/m"]
    assert [one.metatask for one in answer.passed_over] == ["default/n"]


def test_a_dry_run_counts_what_goes(session: Session, tmp_path: Path) -> None:
    ended(session)
    request = ArchiveRequest(OPERATOR, "m", tmp_path / "to", dry_run=True)
    (planned,) = archive(session, request).archived
    assert not (tmp_path / "to").exists()
    (done,) = archive(session, replace(request, dry_run=False)).archived
    assert planned.counts == done.counts
    assert planned.folder == done.folder


def test_sizes_share_the_bytes_among_meta_tasks(session: Session) -> None:
    ended(session)
    World.of(session, metatask("n", **{f"t{n}": "" for n in range(50)}), start=False)
    found = sizes.sizes(session, OPERATOR)
    assert [(one.metatask, one.tasks, one.ended) for one in found.metatasks] == [
        ("default/n", 50, False), ("default/m", 2, True),
    ]  # fmt: skip
    assert sum(one.bytes for one in found.metatasks) <= sum(one.bytes or 0 for one in found.tables)
    assert (found.archivable_metatasks, found.more) == (1, 0)


def test_a_folder_is_measured_and_removed_without_its_links(tmp_path: Path) -> None:
    outside = files(tmp_path / "outside", "x")
    folder = files(tmp_path / "folder", "a", "b")
    (folder / "link").symlink_to(outside)
    assert disk.usage(folder).files == 3
    assert disk.usage(tmp_path / "none") == disk.Usage(0, 0)
    assert disk.remove(folder / "link") == "it is a link"
    assert disk.remove(folder) is None
    assert [path.name for path in outside.iterdir()] == ["x"]


def files(folder: Path, *names: str) -> Path:
    """A folder with files."""
    folder.mkdir()
    for name in names:
        (folder / name).write_text(name)
    return folder
