"""What every row of the net is called in plain words: what the task then does, and what made it fire."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """Two ends of a sentence: "the task …", and "… because …"."""

    does: str
    because: str


AUTOMATIC: dict[str, Words] = {
    "ready": Words("waits for its input", "it is armed, and its definition is complete"),
    "propagate": Words("is aborted too", "a producer of its input was aborted"),
    "start": Words("starts", "its input is there"),
    "no-input": Words("fails for want of input", "all its input is there, and empty"),
    "no-input-allowed": Words("is done without input", "all its input is there, and empty"),
    "finalize-failed": Words("fails", "JEDI reported the end: no unit is ok"),
    "finalize-done": Words("is done", "JEDI reported the end: every unit is ok"),
    "finalize-finished": Words("is finished", "JEDI reported the end: some units are not ok"),
    "finalize-exhausted": Words("is exhausted", "JEDI reported the end: it misses its goal"),
    "end-abort": Words("is aborted", "JEDI reported that nothing of it runs any more"),
    "end-abort-done": Words("is finished", "JEDI reported that nothing of it runs any more"),
    "reject": Words("is broken", "JEDI rejected its definition"),
    "refeed": Words("takes in more input", "more of its input is there"),
    "promote": Words("is done after all", "JEDI reported that every unit is ok now"),
    "reopen": Words("runs again", "its input grew"),
    "reopen-unstarted": Words("waits again", "its input grew"),
    "reopen-ask": Words("asks what to do", "its input grew, and on_growth is ask"),
}

COMMANDED: dict[str, Words] = {
    "arm": Words("is armed", "`deft start`"),
    "force": Words("is forced", "`deft start --force`"),
    "force-defined": Words("is armed and forced", "`deft start --force`"),
    "disarm": Words("is disarmed", "`deft disarm`"),
    "disarm-defined": Words("is disarmed", "`deft disarm`"),
    "hold": Words("is held", "`deft hold`"),
    "resume": Words("goes on", "`deft resume`"),
    "resume-still-held": Words("is held no longer itself", "`deft resume`"),
    "abort": Words("is being aborted", "`deft abort`"),
    "abort-done": Words("is finished", "`deft abort`"),
    "abort-now": Words("is aborted", "`deft abort`"),
    "retry": Words("runs again", "`deft retry`"),
    "retry-unstarted": Words("waits again", "`deft retry`"),
    "retry-unarmed": Words("is armed, and waits again", "`deft retry`"),
    "finish": Words("is to end with what it has", "`deft finish`"),
    "finish-exhausted": Words("is to end with what it has", "`deft finish`"),
    "finish-hard": Words("is to end at once", "`deft finish --hard`"),
    "finish-hard-exhausted": Words("is to end at once", "`deft finish --hard`"),
    "recover": Words("makes lost data again", "`deft recover`"),
    "remake": Words("makes again what it made of lost data", "`deft recover --consumers`"),
    "reset": Words("begins anew", "`deft reset`"),
    "reset-defined": Words("begins anew", "`deft reset`"),
    "obsolete": Words("has its data retired", "`deft obsolete`"),
    "set": Words("has other settings", "`deft set`"),
}

# What stands in a history beside the rows: changes of a Meta-Task, or of what a task made.
BESIDE: dict[str, Words] = {
    "import": Words("is stored", "`deft import`"),
    "clone": Words("is stored as a copy", "`deft clone`"),
    "augment": Words("is given more", "`deft augment`"),
    "close": Words("gets no more files", "`deft close`"),
    "discard": Words("loses what it made", "`deft reset`"),
}


def of(cause: str) -> Words:
    """The words of a row, or of another cause in a history; those of one not known are the cause itself."""
    return AUTOMATIC.get(cause) or COMMANDED.get(cause) or BESIDE.get(cause) or Words(cause, cause)
