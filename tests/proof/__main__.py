"""`make proof`: search all reachable markings, tell all stories, catch all mutants of the table.

Prints every search with its number of markings and CPU-seconds, the rows that never fired, the mutants and
those that survived. Exit 1 where an invariant fails, a row never fired, or a mutant survives that has no
reason in survivors.txt, or more than 5 % of all do.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

from deft.model.net import AUTOMATIC
from deft.model.verbs import VERBS
from tests.proof import runs
from tests.proof.exclusive import overlap, overlap_of_verbs
from tests.proof.mutants import Mutant, mutants
from tests.proof.runs import Run
from tests.proof.search import Found, Violation
from tests.proof.stories import stories, tell

MOST_SURVIVORS = 0.05
Searched = tuple[Run, Found | str, float]


def main() -> int:
    """The whole proof."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("small", "markings", "mutants"), help="a part of it")
    only = parser.parse_args().only
    begin, fine = time.monotonic(), True
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        if only != "mutants":
            chosen = [*runs.small(), *([] if only == "small" else runs.large())]
            fine = _searches(pool.map(search, chosen))
        if only in (None, "mutants"):
            tried = pool.map(try_mutant, range(len(_table())), chunksize=4)
            fine = _mutants(list(_shown(tried))) and fine
    print(f"{time.monotonic() - begin:.0f} s")
    return 0 if fine else 1


def search(run: Run) -> Searched:
    """One search: what it found, or the violation; and CPU-seconds."""
    begin = time.process_time()
    try:
        found: Found | str = run.explore()
    except Violation as fault:
        found = str(fault)
    return run, found, time.process_time() - begin


def _searches(results: Iterator[Searched]) -> bool:
    print(f"{'markings':>10} {'steps':>10} {'quiet':>8} {'CPU s':>7}  graph")
    markings, fired, fine = 0, set(), True
    for run, found, seconds in results:
        if isinstance(found, str):
            print(f"VIOLATED: {run}\n{found}", flush=True)
            fine = False
        else:
            markings += found.markings
            fired |= found.rows
            print(
                f"{found.markings:>10} {found.steps:>10} {found.quiet:>8} {seconds:>7.1f}  {run}", flush=True
            )
    print(f"{markings} markings; I1 to I10 {'hold' if fine else 'DO NOT HOLD'} in every one")
    never = sorted(runs.names() - fired)
    print(f"transitions that never fired: {', '.join(never) or 'none'}")
    return fine and not never


# --- mutants -----------------------------------------------------------------------------------------------


@cache
def _table() -> tuple[Mutant, ...]:
    return tuple(mutants())


def try_mutant(number: int) -> tuple[str, str]:
    """A mutant's name, and what caught it: a story or an invariant; empty where nothing did."""
    mutant = _table()[number]
    for story in stories():
        try:
            ends = tell(story, mutant.rows, mutant.verbs)
        except RuntimeError as fault:  # it goes round
            ends = str(fault)
        if ends != story.ends:
            return mutant.name, f"story: {story.name}"
    both = overlap_of_verbs(mutant.verbs, VERBS) or (overlap(mutant.rows) if mutant.rows != AUTOMATIC else "")
    if both:
        return mutant.name, f"not exclusive: {both}"
    for run in runs.for_mutants():
        try:
            run.explore(mutant.rows, mutant.verbs)
        except Violation as fault:
            return mutant.name, f"{str(fault).split(':')[0]}: {run}"
    return mutant.name, ""


def _shown(tried: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Say how far it is: the last of them take minutes."""
    for number, one in enumerate(tried, start=1):
        if number % 50 == 0 or not one[1]:
            print(f"  {number} of {len(_table())} mutants: {one[0]}: {one[1] or 'SURVIVED'}", flush=True)
        yield one


def excused() -> dict[str, str]:
    """The mutants that may survive, and why: survivors.txt."""
    text = Path(__file__).with_name("survivors.txt").read_text(encoding="utf-8")
    lines = (line.split(" | ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name.strip(): why.strip() for name, why in lines}


def _mutants(results: Sequence[tuple[str, str]]) -> bool:
    survivors = [name for name, caught in results if not caught]
    by_story = sum(caught.startswith(("story", "not exclusive")) for _, caught in results)
    known = excused()
    print(f"{len(results)} mutants: {by_story} caught by stories and by overlaps, "
          f"{len(results) - by_story - len(survivors)} by invariants, {len(survivors)} survived "
          f"({len(survivors) / len(results):.1%})")  # fmt: skip
    for name in survivors:
        print(f"  survived: {name} | {known.get(name, 'NO REASON KNOWN')}")
    stale = sorted(known.keys() - set(survivors))
    for name in stale:
        print(f"  survivors.txt excuses {name}, which is caught or no mutant")
    unknown = [name for name in survivors if name not in known]
    return not unknown and not stale and len(survivors) <= MOST_SURVIVORS * len(results)


if __name__ == "__main__":
    sys.exit(main())
