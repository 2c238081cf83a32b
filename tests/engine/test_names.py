"""Names of datasets as they are stored: by the pattern of the Meta-Task, and again after a reset."""

from __future__ import annotations

import pytest

from deft.base.database import reading
from deft.base.errors import BadInput, NotFound
from deft.engine.alter import SetRequest, set_keys
from deft.engine.names import NamesRequest, names
from deft.engine.reset import ResetRequest, reset
from deft.model.graph import MetaTask
from deft.observe import status
from deft.store.session import Session
from tests.support.build import OPERATOR, World, metatask, with_task


def atlas() -> MetaTask:
    """Two tasks that have the labels of the nomenclature."""
    made = metatask(entry="", reco="entry", merge="reco")
    made.project = "mc16_13TeV"
    made.settings |= {"naming.pattern": "atlas", "attr.number": "410470", "attr.brief": "ttbar"}
    made = with_task(made, "reco", {"attr.step": "recon", "attr.tags": "e1_s2"})
    return with_task(made, "merge", {"attr.step": "merge", "attr.tags": "e1_s2_r3"})


def told(session: Session, source: str = "m", pattern: str | None = None) -> list[str]:
    return [one.name for one in names(session, NamesRequest(OPERATOR, source, pattern=pattern)).names]


def test_the_pattern_names_what_tasks_make_and_nothing_else(session: Session) -> None:
    world = World.of(session, atlas(), start=False)
    with reading(session.engine) as conn:
        reco, merge = (world.node(conn, name) for name in ("reco", "merge"))
        entry = world.node(conn, "entry")
    assert told(session) == [
        f"mc16_13TeV.410470.ttbar.recon.data.e1_s2_tid{reco:08d}_01",
        f"mc16_13TeV.410470.ttbar.merge.data.e1_s2_r3_tid{merge:08d}_01",
    ]
    known = [line.dataset for line in status.datasets(session, OPERATOR, "m")]
    assert f"mc16_13TeV.m.entry.data.t{entry:08d}_r01" in known


def test_a_reset_counts_the_series_up_with_the_labels_of_now(session: Session) -> None:
    world = World.of(session, atlas())
    world.list_external(1)
    world.sweep()
    world.report("reco", ok=1)
    world.sweep()
    world.report("merge", ok=1)
    world.sweep()
    set_keys(session, SetRequest(OPERATOR, "m/merge", {"attr.tags": "e1_s2_r4"}))
    assert told(session)[1].split(".")[5].startswith("e1_s2_r3_tid")
    reset(session, ResetRequest(OPERATOR, "m/merge", discard=True))
    assert told(session)[1].split(".")[5].startswith("e1_s2_r4_tid")
    assert told(session)[1].endswith("_02")


def test_a_label_that_is_taken_away_is_refused(session: Session) -> None:
    World.of(session, atlas(), start=False)
    with pytest.raises(BadInput, match="which reco does not have"):
        set_keys(session, SetRequest(OPERATOR, "m/reco", unset=("attr.step",)))


def test_another_pattern_is_tried_on_what_is_stored(session: Session) -> None:
    World.of(session, atlas(), start=False)
    assert told(session, pattern="{attr.step}.{type}.t{task_id:04d}_r{series}")[0] == "recon.data.t####_r1"
    with pytest.raises(BadInput, match="bad-pattern"):
        told(session, pattern="atlsa")
    with pytest.raises(NotFound, match="there is no template 'nix'"):
        told(session, "nix")
