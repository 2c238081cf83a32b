"""Pi from random points, in two ways that share the points. Standard library only.

diamond.py draw OUT --points N --jobs J --job K --seed S    the K-th of J parts of N points in a square
diamond.py area IN OUT       how many points lie within a quarter of a circle
diamond.py height IN OUT     how high the circle is, on average, above the points
diamond.py join OUT --area FILE… --height FILE…             both answers, with their errors
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import fsum, pi, sqrt


def draw_step(options: argparse.Namespace) -> None:
    """Draw one part of the points."""
    first, end = ((options.job - back) * options.points // options.jobs for back in (1, 0))
    dice = random.Random(f"{options.seed} {options.job}")
    with open(options.out, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows((dice.random(), dice.random()) for _ in range(first, end))


def area_step(options: argparse.Namespace) -> None:
    """4 times the part of the points that lies within the circle."""
    look(options, lambda x, y: 4.0 if x * x + y * y < 1.0 else 0.0)


def height_step(options: argparse.Namespace) -> None:
    """4 times the mean height of the circle above the points; where they lie themselves does not matter."""
    look(options, lambda x, y: 4.0 * sqrt(1.0 - x * x))


def look(options: argparse.Namespace, value: Callable[[float, float], float]) -> None:
    """Write number, sum and sum of squares of a value of each point."""
    with open(options.source, encoding="utf-8", newline="") as stream:
        values = [value(float(x), float(y)) for x, y in csv.reader(stream)]
    write_json(
        options.out, {"points": len(values), "sum": fsum(values), "squares": fsum(v * v for v in values)}
    )


def join_step(options: argparse.Namespace) -> None:
    """Both answers beside each other, and what they are to be."""
    write_json(options.out, {"area": answer(options.area), "height": answer(options.height), "pi": pi})


def answer(paths: Iterable[str]) -> dict[str, float]:
    """The mean over all files, and its error."""
    sums: Counter[str] = Counter()
    for path in sorted(paths):
        with open(path, encoding="utf-8") as stream:
            sums.update(json.load(stream))
    points = max(1, sums["points"])
    mean = sums["sum"] / points
    error = sqrt(max(0.0, sums["squares"] / points - mean * mean) / points)
    return {"points": sums["points"], "value": mean, "error": error}


def write_json(path: str, value: object) -> None:
    """Write a value as JSON."""
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(value, stream, indent=1)
        stream.write("\n")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Pi from random points, in two ways.")
    steps = parser.add_subparsers(required=True)
    for name, step, places in (
        ("draw", draw_step, ("out",)),
        ("area", area_step, ("source", "out")),
        ("height", height_step, ("source", "out")),
        ("join", join_step, ("out",)),
    ):
        command = steps.add_parser(name, help=step.__doc__)
        command.set_defaults(step=step)
        for place in places:
            command.add_argument(place)
        if name == "draw":
            command.add_argument("--points", type=int, required=True)
            command.add_argument("--jobs", type=int, default=1)
            command.add_argument("--job", type=int, default=1)
            command.add_argument("--seed", type=int, default=1)
        if name == "join":
            command.add_argument("--area", nargs="+", required=True)
            command.add_argument("--height", nargs="+", required=True)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one step."""
    options = arguments().parse_args(words)
    options.step(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
