"""The proof in small: one and two tasks. `make proof` searches three, the diamond, and every mutant."""

from __future__ import annotations

import pytest

from deft.model.net import AUTOMATIC
from deft.model.verbs import VERBS
from tests.proof import __main__ as proof
from tests.proof import runs
from tests.proof.exclusive import overlap, overlap_of_verbs
from tests.proof.mutants import mutants
from tests.proof.runs import Run

SMALL = list(runs.small())


@pytest.mark.slow
@pytest.mark.parametrize("run", SMALL, ids=str)
def test_the_invariants_hold_in_every_marking(run: Run) -> None:
    assert run.explore().quiet


@pytest.mark.slow
def test_every_row_of_the_net_fires_somewhere() -> None:
    fired: set[str] = set()
    for run in sorted(SMALL, key=lambda run: run.commands):
        fired |= run.explore().rows
        if fired >= runs.names():
            break
    assert runs.names() - fired == set()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(0, len(list(mutants())), 50))
def test_a_mutant_of_the_table_is_caught(number: int) -> None:
    name, caught = proof.try_mutant(number)
    assert caught or name in proof.excused()


def test_rows_exclude_one_another() -> None:
    assert overlap(AUTOMATIC) == ""
    assert overlap_of_verbs(VERBS) == ""


def test_what_is_excused_is_a_mutant_and_has_a_reason() -> None:
    known = {mutant.name for mutant in mutants()}
    for name, why in proof.excused().items():
        assert name in known, name
        assert len(why) > 20, name
