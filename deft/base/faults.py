"""Named points at which a test kills this process, to prove that nothing is lost or done twice.

`DEFT_TEST_FAULT=name` (or `name:N`) in the environment kills the process with SIGKILL at the first (Nth)
passing of that point. Without it a point costs one call. Two more variables mean something beside it:

`DEFT_TEST_FAULT_ONCE=FILE`   only the process that makes this file dies, and leaves its number in it: so
                              one that is started again in the same environment lives
`DEFT_TEST_FAULT_SIGNAL=STOP` the process stops at the point instead, and a test can kill it together with
                              another one, both at that very moment
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

from deft.base.errors import BadInput

VARIABLE = "DEFT_TEST_FAULT"
ONCE = "DEFT_TEST_FAULT_ONCE"
SIGNAL = "DEFT_TEST_FAULT_SIGNAL"

POINTS: tuple[str, ...] = (
    "schema.before-commit",  # the tables of a new database are in the transaction
    "schema.after-commit",  # and committed; they are empty
    "import.before-commit",  # a new Meta-Task is in the transaction
    "import.after-commit",  # and committed
    "archive.before-rename",  # all files of an archive are written, under another name
    "verb.before-commit",  # a verb of an operator is in the transaction
    "verb.after-commit",  # and committed: orders without a bell
    "run.jedi-started",  # the executor was started, nothing was swept yet
    "sweep.before-transaction",  # a journal holds something, nothing is locked
    "sweep.after-journal",  # the journals are emptied in the transaction
    "sweep.before-commit",  # everything that fired is in the transaction
    "sweep.after-commit",  # committed: orders without a bell
    "sweep.after-bell",  # JEDI was told
    "jedi.lease-before-commit",  # the lease is in the transaction
    "jedi.lease-taken",  # the lease is ours, nothing else has happened
    "jedi.reconcile-begin",  # before the open attempts are compared with the disk
    "jedi.reconcile-revoked",  # claims of queued attempts are ours, not yet in the database
    "jedi.reconcile-payload-killed",  # what an attempt without a wrapper left is killed, nobody was told
    "jedi.reconcile-before-commit",  # what was found is in the transaction
    "jedi.reconcile-after-commit",  # and committed
    "jedi.results-collected",  # results are read from the pool, the transaction has not begun
    "jedi.results-settled",  # results are in the transaction
    "jedi.orders-applied",  # orders are in the transaction, not acknowledged yet
    "jedi.planned",  # intents are in the transaction
    "jedi.before-commit",  # everything of the cycle is in the transaction
    "jedi.after-commit",  # committed: intents without folders, reports without a bell
    "jedi.folder-made",  # the folder of an attempt is on disk, nobody was told
    "jedi.before-hand-over",  # all folders are made, before the pool hears of them
    "jedi.wrapper-before-start",  # before a wrapper process is started
    "jedi.wrapper-started",  # it runs and waits for folders
    "jedi.after-hand-over",  # the pool has them
    "batch.before-submission",  # the files of an array are there, the batch system was told nothing
    "batch.submission-started",  # it is being told
    "batch.submission-accepted",  # it has given the array an id, which is not in the database
    "batch.cancel-started",  # it is being told to end something
    "jedi.before-bell",  # before DEFT's bell is rung
    "jedi.after-bell",  # after it
    "jedi.pool-closed",  # at a clean end: the pool takes nothing more, the lease is still ours
    "jedi.lease-released",  # and given back
)


def parse(environ: Mapping[str, str]) -> tuple[str, int]:
    """The point and the passing asked for; no point for none. Raises BadInput for an unknown one."""
    name, _, count = environ.get(VARIABLE, "").partition(":")
    if name and name not in POINTS:
        raise BadInput(f"${VARIABLE}: {name!r} is no fault point; known: {', '.join(POINTS)}")
    if count and not count.isdigit():
        raise BadInput(f"${VARIABLE}: {count!r} is no number of a passing")
    if environ.get(SIGNAL, "KILL") not in ("KILL", "STOP"):
        raise BadInput(f"${SIGNAL}: {environ[SIGNAL]!r} is neither KILL nor STOP")
    return name, int(count or 1)


_name, _passings_left = parse(os.environ)


def point(name: str) -> None:
    """Pass a named point: the process dies here if a test asked for it."""
    if name == _name:
        _die_at_last()


def _die_at_last() -> None:
    global _passings_left  # noqa: PLW0603  one process, one fault: set at import, counted here
    _passings_left -= 1
    if _passings_left == 0 and _is_first(os.environ.get(ONCE)):
        os.kill(os.getpid(), signal.Signals[f"SIG{os.environ.get(SIGNAL, 'KILL')}"])


def _is_first(path: str | None) -> bool:
    """Whether no process died of this fault before."""
    if path is None:
        return True
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return False
    os.write(fd, b"%d" % os.getpid())
    os.close(fd)
    return True
