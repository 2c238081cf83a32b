"""SIGKILL at random moments, of whoever is there: always the same ones, more of them by `make faults`."""

from __future__ import annotations

import math
import os
import random
import signal
import subprocess
import time

import pytest

from deft.base.errors import Unreachable
from tests.faults import audit
from tests.faults.scenario import DEADLINE_S, Place, kill

pytestmark = pytest.mark.faults

SEED = 20
MOMENTS = int(os.environ.get("DEFT_TEST_MOMENTS", "10"))
KILLS = 4  # of one Meta-Task: below the limit at which `deft run` says that its executor keeps dying
ROUNDS = math.ceil(MOMENTS / KILLS)
LATEST_S = 2.0
VICTIMS = ("parent", "jedi", "both", "wrapper", "jedi and wrappers", "parent and wrappers", "all")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_random_moment_loses_and_repeats_nothing(place: Place, number: int) -> None:
    dice = random.Random(f"{SEED} {number}")
    place.file.write_text(
        place.file.read_text().replace("sleep 0.01", f"sleep {dice.choice((0, 0.03, 0.1))}")
    )
    parent, story = place.start_run(), []
    for _ in range(KILLS):
        victim, moment = dice.choice(VICTIMS), dice.uniform(0, LATEST_S)
        story.append(f"{victim} after {moment:.3f} s")
        time.sleep(moment)
        _kill(place, parent, victim)
        if parent.poll() is not None:
            parent = place.start_run()
    code = parent.wait(DEADLINE_S)
    if code in (-signal.SIGKILL, Unreachable.exit_code):
        code = place.run()
    assert code == 0, f"{story}\n{place.said()}"
    audit.check(place, wrappers_died=any("wrapper" in one or "all" in one for one in story))


def _kill(place: Place, parent: subprocess.Popen[bytes], victim: str) -> None:
    jedi, wrappers = place.find("deft.jedi"), place.find("wrapper.py")
    chosen = {
        "parent": [parent.pid],
        "jedi": jedi,
        "both": [parent.pid, *jedi],
        "wrapper": wrappers[:1],
        "jedi and wrappers": [*jedi, *wrappers],
        "parent and wrappers": [parent.pid, *wrappers],
        "all": list(place.processes()),
    }[victim]
    kill(*chosen)
    if parent.pid in chosen:
        parent.wait()
