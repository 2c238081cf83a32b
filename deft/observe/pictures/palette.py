"""Colours and signs of states. A state is always named by its word, too.

Dark colours carry white text, tints dark text: contrast at least 4.5 (WCAG 2.2 AA), held by a test. Hues are
those of Okabe and Ito that people with any kind of colour vision tell apart, darkened.
"""

from __future__ import annotations

from dataclasses import dataclass

INK, SOFT = "#1a1d21", "#565d66"  # text
PAPER = "#ffffff"
LINE, FAINT = "#5b6470", "#7d8792"  # of data that are there, and of data that are not
EMPTY = "#c9ced4"  # the part of a bar that is not done
LOST = "#a63603"


@dataclass(frozen=True, slots=True)
class Look:
    """How a state looks: a dark colour, a tint, and a sign as a path that begins at its middle."""

    dark: str
    tint: str
    sign: str


# Signs lie within 5 units of their middle; all commands after the first are relative.
_CHECK = "m-4 0l3 3.5l5-7"
_PLAY = "m-3-4.5l7 4.5l-7 4.5z"
_PAUSE = "m-2.5-4v8m5-8v8"
_CROSS = "m-3.5-3.5l7 7m0-7l-7 7"
_RING = "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0"
_CLOCK = _RING + "m4-2.5v2.5h2"
_STOP = "m-3.5-3.5h7v7h-7z"
_MARK = "m0-4.5v5m0 3v1"
_TILDE = "m-4 1q2-4 4-1t4-1"
_SLASH = _RING + "m1.2 2.8l5.6-5.6"

LOOKS = {
    "defined": Look("#565d66", "#f3f4f5", _RING),
    "waiting": Look("#3d5f72", "#e8f0f4", _CLOCK),
    "running": Look("#0b53a6", "#dbeafb", _PLAY),
    "done": Look("#00664d", "#dcf2e9", _CHECK),
    "finished": Look("#665400", "#faf2c0", _TILDE),
    "failed": Look("#a63603", "#fde3d4", _CROSS),
    "exhausted": Look("#8a4b00", "#ffe8c4", _MARK),
    "aborted": Look("#3b3b3b", "#dedede", _STOP),
    "broken": Look("#94104a", "#fbdce8", _SLASH),
    "held": Look("#74308a", "#f3e3f7", _PAUSE),
}
PLAIN = Look(SOFT, "#ffffff", "")
# Words of a whole Meta-Task that no task has.
_ALIKE = {"draft": "defined", "blocked": "exhausted"}
# Most urgent first: of tasks that are shown as one.
ORDER = (
    "failed", "broken", "exhausted", "held", "aborted", "running", "waiting", "defined", "finished", "done"
)  # fmt: skip


def look(state: str) -> Look:
    """The look of a state of a task or a Meta-Task; a plain one for what has none."""
    return LOOKS.get(_ALIKE.get(state, state), PLAIN)
