"""The verbs of operators on tasks: rows of data over the words of the net, and why one is refused."""

from __future__ import annotations

from dataclasses import dataclass

from deft.model.net import CLOSED, DECLARED, FINAL, OPEN, Row
from deft.model.tasks import Membership, State
from deft.wire.orders import OrderKind

RETIRED = Membership.RETIRED


@dataclass(frozen=True, slots=True)
class Verb:
    """What an operator may do to a task: the rows tried in order, when it is already so, why it is refused.

    `refusals`: (guard, what to say); the first that holds explains why no row does.
    """

    name: str
    rows: tuple[Row, ...]
    already: str = ""
    refusals: tuple[tuple[str, str], ...] = ()


_ABORTED = "aborted by hand"
_LIFTED = ("finish", "force", "hold")
_OWN_HOLD = ("hold",)
_ALL_BUT_HOLD = ("finish", "abort", "force")
_RETIRED = ("retired", "has retired data and cannot be restarted; `deft clone` makes it anew")
_NOT_FINISHED = (
    ("abort", "is being aborted; `deft retry` runs it again once it has ended"),
    ("ended", "has ended already"),
    ("inactive", "has not started; `deft disarm` takes it back, `deft abort` ends it"),
)

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "start",
            (Row("arm", "state == 'defined' and not armed", put=("armed",)),),
            already="armed",
            refusals=(
                ("state != 'defined'", "was started already; `deft retry` runs it again once it has ended"),
            ),
        ),
        Verb(
            "force",
            (
                Row("force", "state == 'waiting' and not force", put=("force",)),
                Row("force-defined", "state == 'defined' and complete", put=("armed", "force")),
            ),
            already="force and state in ('waiting', 'defined')",
            refusals=(
                ("state == 'defined'", "has no command yet; `deft set` gives it one"),
                ("state == 'running'", "is running already"),
                ("ended or state == 'exhausted'", "has ended; `deft retry` runs what is missing again"),
            ),
        ),
        Verb(
            "disarm",
            (
                Row("disarm", "state == 'waiting'", State.DEFINED, drop=("armed", "force")),
                Row("disarm-defined", "state == 'defined' and armed", drop=("armed", "force")),
            ),
            already="state == 'defined' and not armed",
            refusals=(
                ("state == 'running'", "is running; `deft hold` stops it for a while, `deft abort` for good"),
                ("ended or state == 'exhausted'", "has ended; there is nothing to disarm"),
            ),
        ),
        Verb(
            "hold",
            (Row("hold", "not ended and not hold", put=("hold",), order=OrderKind.HOLD, only_started=True),),
            already="hold",
            refusals=(("ended", "has ended; there is nothing to hold"),),
        ),
        Verb(
            "resume",
            (
                Row("resume", "hold and not metatask_hold", drop=("hold",), order=OrderKind.RESUME,
                    only_started=True),
                Row("resume-still-held", "hold and metatask_hold", drop=("hold",)),
            ),
            already="not held",
            refusals=(("metatask_hold", "is held with its whole Meta-Task; `deft resume META` lifts that"),),
        ),
        Verb(
            "abort",
            (
                Row("abort", "state == 'running' and not abort", put=("abort",), drop=_LIFTED,
                    order=OrderKind.ABORT),
                # The token stays here, too: without it new input would set the task to work again.
                Row("abort-done", "inactive and done_revision > 0", State.FINISHED, put=("abort",),
                    drop=_LIFTED, outputs=CLOSED, reason=_ABORTED),
                Row("abort-now", "inactive and done_revision == 0", State.ABORTED, put=("abort",),
                    drop=_LIFTED, outputs=CLOSED, reason=_ABORTED),
            ),
            already="abort or state == 'aborted'",
            refusals=(("ended", "has ended; there is nothing to abort"),),
        ),
        Verb(
            "retry",
            (
                Row("retry", "retryable and started", State.RUNNING, drop=FINAL, outputs=OPEN,
                    order=OrderKind.RETRY),
                Row("retry-unstarted", "retryable and not started and armed", State.WAITING, drop=FINAL,
                    outputs=DECLARED, list_again=True),
                # Whoever retries it wants it to run: one that waits unarmed would never start.
                Row("retry-unarmed", "retryable and not started and not armed", State.WAITING, put=("armed",),
                    drop=FINAL, outputs=DECLARED, list_again=True),
            ),
            already="state in ('running', 'waiting')",
            refusals=(
                ("state == 'done'", "is done, with nothing to retry; `deft augment` brings it more input, "
                 "`deft recover` makes lost data again"),
                _RETIRED,
                ("state == 'defined'", "was never started; `deft start` does that"),
            ),
        ),
        Verb(
            "finish",
            (
                Row("finish", "state == 'running' and not abort and not finish", put=("finish",),
                    drop=_OWN_HOLD, order=OrderKind.FINISH),
                Row("finish-exhausted", "state == 'exhausted' and not abort", State.RUNNING, put=("finish",),
                    drop=_OWN_HOLD, outputs=OPEN, order=OrderKind.FINISH),
            ),
            already="state == 'running' and finish",
            refusals=_NOT_FINISHED,
        ),
        Verb(
            "finish-hard",  # may follow on finish: the order then says that running jobs are stopped, too
            (
                Row("finish-hard", "state == 'running' and not abort", put=("finish",), drop=_OWN_HOLD,
                    order=OrderKind.FINISH),
                Row("finish-hard-exhausted", "state == 'exhausted' and not abort", State.RUNNING,
                    put=("finish",), drop=_OWN_HOLD, outputs=OPEN, order=OrderKind.FINISH),
            ),
            refusals=_NOT_FINISHED,
        ),
        Verb(
            "recover",
            (
                Row("recover", "remakable and gives_back", State.RUNNING, outputs=OPEN,
                    order=OrderKind.RECOVER),
            ),
            refusals=(
                ("some(outputs, membership == 'retired')", "has retired output, which is gone for good"),
                ("every(outputs, output_lost == 0)", "has lost nothing"),
                ("abort", "is being aborted; recover it once it has ended"),
                ("state in ('aborted', 'broken')", "was not to be run any more; `deft retry` runs it again"),
                ("not started", "was never started; `deft start` does that"),
            ),
        ),
        Verb(
            "remake",  # the consumers' part of `recover --consumers`, whatever on_growth says
            (
                Row("remake", "started and not retired and state not in ('aborted', 'broken')", State.RUNNING,
                    drop=FINAL, outputs=OPEN, order=OrderKind.RECOVER),
            ),
            already="not started",
            refusals=(
                _RETIRED,
                ("state in ('aborted', 'broken')", "was not to be run any more; `deft retry` runs it again"),
            ),
        ),
        Verb(
            "reset",
            (
                Row("reset", "ended and not retired and armed", State.WAITING, drop=_ALL_BUT_HOLD,
                    outputs=DECLARED, order=OrderKind.DISCARD, only_started=True, forget=True,
                    list_inputs=True),  # it may have been aborted before it was ever ready
                # One that is not armed was never started: there is nothing to discard.
                Row("reset-defined", "ended and not retired and not armed", State.DEFINED, drop=_ALL_BUT_HOLD,
                    outputs=DECLARED),
            ),
            already="state in ('defined', 'waiting') and not started",
            refusals=(
                _RETIRED,
                ("not ended", "has not ended; `deft abort` ends it first"),
            ),
        ),
        Verb(
            "obsolete",
            (Row("obsolete", "ended and some(outputs, membership != 'retired') and "
                 "every(outputs, consumers_alive == 0)", outputs=RETIRED),),
            already="every(outputs, membership == 'retired')",
            refusals=(
                ("not ended", "has not ended; `deft finish` or `deft abort` ends it"),
                ("some(outputs, consumers_alive > 0)", "has consumers that have not ended; `deft finish` or "
                 "`deft abort` ends those"),
            ),
        ),
        Verb(
            "set",
            (Row("set", "state != 'running'", order=OrderKind.SPEC, only_started=True),),
            refusals=(("state == 'running'", "is running; finish or abort it, or wait until it has ended"),),
        ),
    )
}  # fmt: skip
