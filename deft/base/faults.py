"""Named points at which a test kills this process, to prove that nothing is lost or done twice.

`DEFT_TEST_FAULT=name` (or `name:N`) in the environment kills the process with SIGKILL at the first (Nth)
passing of that point. Without it a point costs one call.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

from deft.base.errors import BadInput

VARIABLE = "DEFT_TEST_FAULT"

POINTS: tuple[str, ...] = (
    "jedi.lease-taken",  # the lease is ours, nothing else has happened
    "jedi.reconcile-begin",  # before the open attempts are compared with the disk
    "jedi.reconcile-revoked",  # claims of queued attempts are ours, not yet in the database
    "jedi.reconcile-before-commit",  # what was found is in the transaction
    "jedi.reconcile-after-commit",  # and committed
    "jedi.orders-applied",  # orders are in the transaction, not acknowledged yet
    "jedi.results-collected",  # results are read from the pool, the transaction has not begun
    "jedi.results-settled",  # results are in the transaction
    "jedi.planned",  # intents are in the transaction
    "jedi.before-commit",  # everything of the cycle is in the transaction
    "jedi.after-commit",  # committed: intents without folders, reports without a bell
    "jedi.folder-made",  # the folder of an attempt is on disk, nobody was told
    "jedi.before-hand-over",  # all folders are made, before the pool hears of them
    "jedi.after-hand-over",  # the pool has them
    "jedi.wrapper-before-start",  # before a wrapper process is started
    "jedi.wrapper-started",  # it runs and waits for folders
    "jedi.before-bell",  # before DEFT's bell is rung
    "jedi.after-bell",  # after it
    "jedi.lease-released",  # at a clean end
    "sweep.before-transaction",  # a journal holds something, nothing is locked
    "sweep.after-journal",  # the journals are emptied in the transaction
    "sweep.before-commit",  # everything that fired is in the transaction
    "sweep.after-commit",  # committed: orders without a bell
    "sweep.after-bell",  # JEDI was told
    "import.before-commit",  # a new Meta-Task is in the transaction
    "import.after-commit",  # and committed
    "run.jedi-started",  # the executor was started, nothing was swept yet
)


def parse(environ: Mapping[str, str]) -> tuple[str, int]:
    """The point and the passing asked for; no point for none. Raises BadInput for an unknown one."""
    name, _, count = environ.get(VARIABLE, "").partition(":")
    if name and name not in POINTS:
        raise BadInput(f"${VARIABLE}: {name!r} is no fault point; known: {', '.join(POINTS)}")
    if count and not count.isdigit():
        raise BadInput(f"${VARIABLE}: {count!r} is no number of a passing")
    return name, int(count or 1)


_name, _passings_left = parse(os.environ)


def point(name: str) -> None:
    """Pass a named point: the process dies here if a test asked for it."""
    if name == _name:
        _die_at_last()


def _die_at_last() -> None:
    global _passings_left  # noqa: PLW0603  one process, one fault: set at import, counted here
    _passings_left -= 1
    if _passings_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
