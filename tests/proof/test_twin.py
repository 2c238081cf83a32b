"""Random lives of small Meta-Tasks: the real engine on a real database never leaves the pure model's path.

DEFT_TEST_RANDOM=1 takes other lives than last time, DEFT_TEST_LIVES=2000 takes more of them.
"""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from deft.base.database import open_engine
from deft.engine.sweep import SweepRequest, sweep
from deft.store import schema
from tests.proof.search import PER_TASK, Command
from tests.proof.shapes import POLICIES, SHAPES, graph
from tests.proof.twin import Twin
from tests.support.build import OPERATOR, session_on

pytestmark = pytest.mark.slow

# What an operator may do to a task; the others need files, which the model has none of.
VERBS = [verb for verb in PER_TASK if verb not in ("recover-consumers", "set")]


class Lives(RuleBasedStateMachine):
    """Operators, sweeps and JEDI in any order; callbacks lost, reports repeated, two sweepers at once."""

    twin: Twin

    @initialize(shape=st.sampled_from(sorted(SHAPES)), policies=st.sampled_from([{}, *POLICIES]),
                goal=st.sampled_from([1.0, 0.5]), allow_empty=st.integers(0, 1))  # fmt: skip
    def begin(self, shape: str, policies: dict[str, str | int], goal: float, allow_empty: int) -> None:
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.engine = open_engine(f"sqlite:///{self.folder.name}/twin.db")
        schema.create(self.engine)
        options = {"policies": policies, "goal": goal, "allow_empty": allow_empty}
        self.twin = Twin(session_on(self.engine, Path(self.folder.name)), graph(shape, **options))

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()
            self.folder.cleanup()

    @rule(data=st.data())
    def jedi(self, data: st.DataObject) -> None:
        """Something happens at JEDI: an order is applied, a job begins or ends, a task is reported."""
        steps = [
            step
            for step in self.twin.world.steps(self.twin.model._replace(losses=1), ())
            if step.what != "sweep"
        ]
        if steps:
            chosen = steps[data.draw(st.integers(0, len(steps) - 1), label="step")]
            self.twin.take(chosen._replace(after=chosen.after._replace(losses=0)))

    @rule()
    def sweeps(self) -> None:
        """A sweep looks at what changed."""
        self._in_model()
        self.twin.sweep()

    @rule()
    def two_sweepers(self) -> None:
        """Two sweep at once."""
        self._in_model()
        session = session_on(self.engine, Path(self.folder.name))
        other = threading.Thread(target=sweep, args=(session, SweepRequest(OPERATOR)))
        other.start()
        self.twin.sweep()
        other.join()

    @rule()
    def callbacks_are_lost(self) -> None:
        """Nobody was told of anything; the full sweep finds it all."""
        self.twin.lose_the_journal()
        self._in_model()
        self.twin.sweep(full=True)

    @rule(data=st.data())
    def a_report_comes_twice(self, data: st.DataObject) -> None:
        self.twin.repeat(data.draw(st.integers(0, self.twin.graph.tasks - 1)))

    @rule(verb=st.sampled_from(VERBS), data=st.data())
    def operator(self, verb: str, data: st.DataObject) -> None:
        task = data.draw(st.integers(0, self.twin.graph.tasks - 1), label="task")
        mode = data.draw(st.sampled_from(["drain", "kill"])) if verb == "hold" else ""
        self.twin.command(Command(verb, task, mode))

    @rule(verb=st.sampled_from(["hold", "resume"]))
    def operator_of_all(self, verb: str) -> None:
        self.twin.command(Command(verb))

    @invariant()
    @precondition(lambda self: hasattr(self, "twin"))
    def both_agree(self) -> None:
        self.twin.compare()

    def _in_model(self) -> None:
        step = self.twin.world.sweep(self.twin.model)
        if step is not None:
            self.twin.model = step.after


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=int(os.environ.get("DEFT_TEST_LIVES", "40")),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_a_hold_of_the_whole_meta_task_makes_an_earlier_report_stale(tmp_path: Path) -> None:
    """Found by a random life: the report of the last job lies there unread, and an order overtakes it."""
    engine = open_engine(f"sqlite:///{tmp_path}/twin.db")
    schema.create(engine)
    twin = Twin(session_on(engine, tmp_path), graph("chain", policies={}, goal=1.0, allow_empty=0))
    for wanted in ("report t0", "sweep", "apply run 0", "begin(0.1)", "fail(0.1)", "begin(0.0)",
                   "succeed(0.0)", "report t0"):  # fmt: skip
        twin.take(next(step for step in twin.world.steps(twin.model, ()) if step.what == wanted))
        twin.compare()
    twin.command(Command("hold"))
    twin.command(Command("resume"))
    twin.compare()
    step = twin.world.sweep(twin.model)
    twin.model = step.after if step else twin.model
    twin.sweep()
    twin.compare()
    assert twin.model.marking.tasks[0].state == "running"
    engine.dispose()
