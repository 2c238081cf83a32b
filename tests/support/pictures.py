"""The pictures of the documentation: `python -m tests.support.pictures` draws them anew.

One as a template is written, one in the middle of a run, one of many tasks by step. The clock stands still,
so that they come out the same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from deft.base import database
from deft.engine import intake
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, NodeKind, Task
from deft.observe import drawing
from deft.observe.drawing import DrawRequest, Style
from deft.store.session import Session
from tests.support.build import OPERATOR, World, session_on
from tests.support.databases import create_tables
from tests.support.repository import ROOT

FOLDER = ROOT / "docs" / "pictures"
SAMPLES = 120


def written() -> bytes:
    """A template before anything is stored."""
    made, _ = intake.read_source("parameter_grid", {}, ROOT)
    return drawing.draw_document(made, Style()).content


def running(session: Session) -> bytes:
    """A chain in the middle of its run, its last task on hold."""
    made, _ = intake.read_source("mc_chain", {}, ROOT)
    world = World.of(session, made)
    world.report("evgen", ok=4)
    world.sweep()
    world.report("simul", ok=3, failed=1, reason="1 job was killed: out of memory")
    world.sweep()
    world.do("hold", "plot", reason="wait for the new fit")
    return drawing.draw(session, DrawRequest(OPERATOR, made.name)).content


def many(session: Session) -> bytes:
    """Samples in all states, drawn by step."""
    made = production(SAMPLES)
    world = World.of(session, made)
    steps = ("evgen", "simul", "reco")
    world.list_external(12)
    for step, (ended, failed, under_way) in zip(
        steps, ((0.95, 2, 6), (0.6, 3, 14), (0.25, 0, 9)), strict=True
    ):
        for n in range(round(SAMPLES * ended)):
            task = f"{step}--s{n:03}"
            if n < failed:
                world.report(task, failed=10)
            elif n < failed + under_way:
                world.report(task, ok=3 + n % 5, running=2, ready=5 - n % 5, idle=False)
            else:
                world.report(task, ok=10)
        world.sweep()
    return drawing.draw(session, DrawRequest(OPERATOR, made.name)).content


def production(samples: int) -> MetaTask:
    """Chains of three steps with the same conditions data, merged at the end."""
    made = MetaTask("production", project="mc26")
    made.add(Task("conditions", NodeKind.ENTRY))
    for step in ("evgen", "simul", "reco"):
        for n in range(samples):
            made.add(Task(f"{step}--s{n:03}", settings={"command": "true", "split.jobs": 10}))
    made.add(Task("merge", settings={"command": "true"}))
    made.add(Task("published", NodeKind.EXIT))
    for n in range(samples):
        made.join(Edge(f"evgen--s{n:03}", f"simul--s{n:03}", {"type": "EVNT"}))
        made.join(Edge(f"simul--s{n:03}", f"reco--s{n:03}", {"type": "HITS"}))
        conditions = {"type": "conditions", "role": "secondary", "source": "/nowhere/*.db"}
        made.join(Edge("conditions", f"reco--s{n:03}", conditions))
        made.join(Edge(f"reco--s{n:03}", "merge", {"type": "AOD"}))
    made.join(Edge("merge", "published", {"type": "NTUP"}))
    return made


def on_a_database(act: Callable[[Session], bytes]) -> bytes:
    """What it draws of a fresh database."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/deft.db"
        create_tables(url)
        engine = database.open_engine(url)
        try:
            return act(session_on(engine, Path(folder)))
        finally:
            engine.dispose()


PICTURES: dict[str, Callable[[], bytes]] = {
    "written.svg": written,
    "running.svg": lambda: on_a_database(running),
    "steps.svg": lambda: on_a_database(many),
}


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / name).write_bytes(draw())


if __name__ == "__main__":
    main()
