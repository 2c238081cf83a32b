"""Every row of the net has words, and every part of a guard that may be missing is told."""

from __future__ import annotations

import pytest

from deft.base import guards
from deft.model import analysis, net, words
from deft.model.verbs import VERBS


def test_every_row_has_words_and_none_has_them_in_vain() -> None:
    assert set(words.AUTOMATIC) == {row.name for row in net.AUTOMATIC}
    assert set(words.COMMANDED) == {row.name for verb in VERBS.values() for row in verb.rows}


def test_a_cause_that_is_not_known_is_its_own_word() -> None:
    assert words.of("comet") == words.Words("comet", "comet")


TASK = {
    "state": "waiting", "complete": 1, "armed": 1, "hold": 0, "metatask_hold": 0, "force": 0, "started": 0,
    "order_seq": 0, "order_seq_applied": 0, "outputs": [],
}  # fmt: skip
INPUT = {
    "role": "primary", "start_kind": "complete", "start_amount": 0, "on_loss": "wait",
    "on_abort": "propagate", "membership": "open", "producer": "running", "dataset_order_seq": 0,
    "dataset_order_seq_applied": 0, "available": 0, "lost": 0, "expected": 0, "reported_missing": 0,
}  # fmt: skip
START = net.row("start").guard


@pytest.mark.parametrize(
    ("task", "lacks"),
    [
        ({}, {("supplied", -1), ("force", -1), ("met", 1)}),
        ({"hold": 1}, {("hold", -1), ("supplied", -1), ("force", -1), ("met", 1)}),
        ({"armed": 0, "force": 1}, {("armed", -1), ("supplied", -1)}),
    ],
)
def test_what_is_missing_is_named_with_the_input_it_is_missing_of(
    task: dict[str, int], lacks: set[tuple[str, int]]
) -> None:
    settled = INPUT | {"membership": "closed", "producer": "done"}
    tokens = TASK | task | {"inputs": [settled, INPUT]}
    assert {(atom.word, atom.item) for atom in analysis.missing(START, tokens)} == lacks


def test_nothing_is_missing_of_a_guard_that_holds() -> None:
    settled = INPUT | {"membership": "closed", "producer": "done", "available": 1}
    tokens = TASK | {"inputs": [settled]}
    assert guards.evaluate(net.row("start").expr, tokens)
    assert analysis.missing(START, tokens) == []


def test_reach_counts_each_task_once() -> None:
    diamond = [{1, 2}, {3}, {3}, set()]
    assert analysis.reach(diamond, [[0], [1, 2], [3], []]) == [4, 3, 1, 0]
    chain = [{n + 1} for n in range(9999)] + [set[int]()]
    assert analysis.reach(chain, [[0], [5000]]) == [10000, 5000]
