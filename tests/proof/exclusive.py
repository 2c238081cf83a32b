"""The rows that leave one state exclude one another, on random tokens: their order decides nothing.

Tokens are drawn freely, so that also views come which no run would ever reach.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from deft.base.guards import compiled
from deft.model.net import TOKENS, Row
from deft.model.tasks import Membership, State
from deft.model.verbs import Verb

VIEWS = 30_000
_WORDS = {
    "state": tuple(State), "membership": tuple(Membership), "producer": ("none", *State),
    "role": ("primary", "secondary"), "start_kind": ("complete", "count", "percent"),
    "on_growth": ("process", "ask", "ignore"), "on_loss": ("wait", "proceed"),
    "on_abort": ("propagate", "use_partial"),
}  # fmt: skip
# A task may be aborted with its producer instead of whatever else it would do; an input may be taken in, or
# a definition rejected, while the task could end; a promotion may come along with new input.
TOGETHER = (
    {"propagate", "ready"}, {"propagate", "start"}, {"propagate", "no-input"},
    {"propagate", "no-input-allowed"},
)  # fmt: skip
BESIDE = {"reject", "refeed", "promote"}


def overlap(rows: Sequence[Row], together: Sequence[set[str]] = TOGETHER) -> str:
    """Two rows that are enabled at once and should not be; empty where there are none."""
    guards = [(row.name, compiled(row.expr)) for row in rows]
    for view in views() if together else views()[: VIEWS // 10]:  # a verb's guards are short
        enabled = {name for name, guard in guards if guard(view)} - BESIDE
        if len(enabled) > 1 and not any(enabled <= pair for pair in together):
            return " and ".join(sorted(enabled))
    return ""


def overlap_of_verbs(verbs: Mapping[str, Verb], known: Mapping[str, Verb] = MappingProxyType({})) -> str:
    """The same of the rows of each verb but `known` ones, where no two may be enabled at once."""
    several = [verb for name, verb in verbs.items() if len(verb.rows) > 1 and verb is not known.get(name)]
    found = (overlap(verb.rows, ()) for verb in several)
    return next((both for both in found if both), "")


@cache
def views() -> tuple[dict[str, Any], ...]:
    """Random tokens of tasks with one or two inputs: the same ones in every run."""
    draw = random.Random(1)
    return tuple(_view(draw) for _ in range(VIEWS))


def _view(draw: random.Random) -> dict[str, Any]:
    # Most views are of a task whose orders are applied, whose reports are fresh, that is not held.
    calm = draw.random() < 0.8
    view = _tokens(draw, "task") | {"goal": draw.choice([0.5, 1.0])}
    if calm:
        view |= dict.fromkeys(("hold", "metatask_hold", "rejected", "ready", "running"), 0)
        view |= {"armed": 1, "idle": 1, "order_seq_applied": view["order_seq"]}
    inputs = [_tokens(draw, "inputs") for _ in range(draw.randint(1, 2))]
    for item in inputs if calm else ():
        item |= {"seen_version": item["version"], "dataset_order_seq_applied": item["dataset_order_seq"]}
        if draw.random() < 0.5:
            item |= {"membership": "closed", "reported_unfed": 0, "reported_missing": 0, "producer": "done"}
    return view | {"inputs": inputs, "outputs": [_tokens(draw, "outputs")]}


def _tokens(draw: random.Random, scope: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in TOKENS[scope].items():
        if kind == "word":
            found[name] = str(draw.choice(_WORDS[name]))
        else:
            found[name] = draw.randint(0, 1) if kind == "flag" else max(0, draw.randint(-2, 2))
    return found
