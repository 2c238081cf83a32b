"""Resonances that decay to two muons, one chain a sample, in miniature. Standard library only.

    samples.py evgen OUT --sample NAME --events N --jobs J --job K --seed S    the K-th of J parts of N masses
    samples.py simul IN OUT --resolution R --seed S                            as a detector measures them
    samples.py reco IN OUT                                                     the sums over one file
    samples.py merge LIST OUT                                                  a CSV table, a row a sample

The steps are short because they are meant to be replaced by your own.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import sqrt
from typing import Any

MASSES = {"jpsi": 3.097, "psi2s": 3.686, "upsilon": 9.460, "z": 91.188}  # GeV
WINDOW = 0.1  # part of the mass, on either side, in which a pair counts as selected

Row = dict[str, Any]


def evgen_step(options: argparse.Namespace) -> None:
    """Generate one part of a sample: every event has the sample's mass and says how its muons fly."""
    sample, seed = options.sample, options.seed
    events = range(
        (options.job - 1) * options.events // options.jobs, options.job * options.events // options.jobs
    )
    rows = (
        {"sample": sample, "event": event, "mass": MASSES[sample], "cos_theta": dice.uniform(-1.0, 1.0)}
        for event in events
        for dice in (random.Random(f"{seed} {sample} evgen {event}"),)
    )
    write_rows(options.out, rows)


def simul_step(options: argparse.Namespace) -> None:
    """Measure one file: the mass has a Gaussian error, and muons that fly too far forward are not seen."""
    rows = (
        {**row, "measured": row["mass"] * (1.0 + dice.gauss(0.0, options.resolution))}
        for row in read_rows(options.source)
        for dice in (random.Random(f"{options.seed} {row['sample']} simul {row['event']}"),)
    )
    write_rows(
        options.out, (row if abs(row["cos_theta"]) < 0.9 else {**row, "measured": None} for row in rows)
    )


def reco_step(options: argparse.Namespace) -> None:
    """Sum one file."""
    sums: Counter[str] = Counter()
    sample = ""
    for row in read_rows(options.source):
        sample = row["sample"]
        sums["events"] += 1
        measured = row["measured"]
        if measured is not None and abs(measured - row["mass"]) < WINDOW * row["mass"]:
            # Whole numbers (keV), so that the order of the files does not matter.
            mass = round(measured * 1e6)
            sums.update(selected=1, mass=mass, square=mass * mass)
    with open(options.out, "w", encoding="utf-8") as stream:
        json.dump({"sample": sample, **sums}, stream)


def merge_step(options: argparse.Namespace) -> None:
    """Sum all files by sample."""
    samples: dict[str, Counter[str]] = {}
    with open(options.list, encoding="utf-8", errors="surrogateescape") as stream:
        paths = [line.rstrip("\n") for line in stream if line.strip()]
    for path in paths:
        with open(path, encoding="utf-8") as stream:
            sums = json.load(stream)
        samples.setdefault(sums.pop("sample"), Counter()).update(sums)
    samples.pop("", None)  # files of jobs that had no event
    with open(options.out, "w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["sample", "events", "selected", "mean_mass_gev", "spread_gev"])
        table.writerows(table_row(name, sums) for name, sums in sorted(samples.items()))


def table_row(name: str, sums: Counter[str]) -> list[Any]:
    """One sample in numbers."""
    events, selected = sums["events"], sums["selected"]
    if not selected:
        return [name, events, 0, "", ""]
    mean = sums["mass"] / selected
    spread = sqrt(max(0.0, (sums["square"] - sums["mass"] ** 2 / selected) / selected))
    return [name, events, selected, f"{mean / 1e6:.4f}", f"{spread / 1e6:.4f}"]


def read_rows(path: str) -> Iterator[Row]:
    """The events of a file."""
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def write_rows(path: str, rows: Iterable[Row]) -> None:
    """Write events, one a line."""
    with open(path, "w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Resonances that decay to two muons.")
    steps = parser.add_subparsers(required=True)
    for name, step, places in (
        ("evgen", evgen_step, ("out",)),
        ("simul", simul_step, ("source", "out")),
        ("reco", reco_step, ("source", "out")),
        ("merge", merge_step, ("list", "out")),
    ):
        command = steps.add_parser(name, help=step.__doc__)
        command.set_defaults(step=step)
        for place in places:
            command.add_argument(place)
        if name in ("evgen", "simul"):
            command.add_argument("--seed", type=int, default=1)
        if name == "evgen":
            command.add_argument("--sample", required=True, choices=sorted(MASSES))
            command.add_argument("--events", type=int, required=True)
            command.add_argument("--jobs", type=int, default=1)
            command.add_argument("--job", type=int, default=1)
        if name == "simul":
            command.add_argument("--resolution", type=float, default=0.01)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one step."""
    options = arguments().parse_args(words)
    options.step(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
