"""Which mass and width of a Breit-Wigner fit measured masses best: one point of a grid a job.

Standard library only.

    parameter_grid.py data OUT --events N --seed S          masses with the true values, GeV, one a line
    parameter_grid.py point IN OUT --mass M --width W       how well these, in MeV, fit: -2 ln likelihood
    parameter_grid.py best LIST TABLE MAP                   all points as a CSV table and as a picture (SVG)
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
from collections.abc import Iterator, Sequence
from html import escape
from math import fsum, log, pi, tan
from typing import Any

MASS, WIDTH = 91.19, 2.495  # GeV, of the data

Row = dict[str, Any]


def data_step(options: argparse.Namespace) -> None:
    """Make the data."""
    dice = random.Random(options.seed)
    with open(options.out, "w", encoding="utf-8") as stream:
        for _ in range(options.events):
            stream.write(f"{MASS + WIDTH / 2.0 * tan(pi * (dice.random() - 0.5))!r}\n")


def point_step(options: argparse.Namespace) -> None:
    """Compare the data with one mass and one width."""
    peak, half = options.mass / 1000.0, options.width / 2000.0
    with open(options.source, encoding="utf-8") as stream:
        terms = [log(pi * half * (1.0 + ((float(line) - peak) / half) ** 2)) for line in stream]
    found = {"mass": options.mass, "width": options.width, "badness": 2.0 * fsum(terms)}
    with open(options.out, "w", encoding="utf-8") as stream:
        json.dump(found, stream)


def best_step(options: argparse.Namespace) -> None:
    """Write all points, the best first, and draw them."""
    rows = []
    with open(options.list, encoding="utf-8", errors="surrogateescape") as stream:
        paths = [line.rstrip("\n") for line in stream if line.strip()]
    for path in paths:
        with open(path, encoding="utf-8") as stream:
            rows.append(json.load(stream))
    rows.sort(key=lambda row: (row["badness"], row["mass"], row["width"]))
    for row in rows:
        row["distance"] = row["badness"] - rows[0]["badness"]
    with open(options.table, "w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["mass_mev", "width_mev", "distance"])
        table.writerows([f"{row['mass']:g}", f"{row['width']:g}", f"{row['distance']:.3f}"] for row in rows)
    with open(options.map, "w", encoding="utf-8") as stream:
        stream.write(picture(rows))
    print(f"best: mass {rows[0]['mass']:g} MeV, width {rows[0]['width']:g} MeV")


# Drawing

STYLE = """
  .paper { fill: #ffffff } .cell { fill: #2f6fab } .best { fill: none; stroke: #c2410c; stroke-width: 3 }
  text { fill: #1d2733; font-family: system-ui, "Helvetica Neue", Arial, sans-serif; font-size: 13px }
  .title { font-size: 19px; font-weight: 600 } .quiet { fill: #5b6673; font-size: 12px }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #12181f } .cell { fill: #5ba3e0 } .best { stroke: #fb923c }
    text { fill: #e6ebf0 } .quiet { fill: #9aa6b2 }
  }
"""
LEFT, TOP, CELL_WIDTH, CELL_HEIGHT = 96, 92, 92, 48
MARGIN = 28


def picture(rows: Sequence[Row]) -> str:
    """A cell a point: the stronger its colour, the better it fits; the best is framed."""
    masses, widths = (sorted({row[name] for row in rows}) for name in ("mass", "width"))
    right, floor = LEFT + CELL_WIDTH * len(masses), TOP + CELL_HEIGHT * len(widths)
    page_width, page_height = max(right + MARGIN, 560), floor + 72
    title = f"Best of {len(rows)}: mass {rows[0]['mass']:g} MeV, width {rows[0]['width']:g} MeV"
    middle, height = (LEFT + right) / 2, (TOP + floor) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {page_width} {page_height}" '
        f'width="{page_width}" height="{page_height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{page_width}" height="{page_height}" rx="10"/>',
        f'<text class="title" x="{MARGIN}" y="40">{escape(title)}</text>',
        f'<text class="quiet" x="{MARGIN}" y="62">−2 ln L above the best point</text>',
        *cells(rows, masses, widths),
        f'<text class="quiet" x="{middle}" y="{floor + 46}" text-anchor="middle">mass [MeV]</text>',
        f'<text class="quiet" transform="translate({MARGIN},{height}) rotate(-90)" '
        'text-anchor="middle">width [MeV]</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def cells(rows: Sequence[Row], masses: Sequence[float], widths: Sequence[float]) -> Iterator[str]:
    """The points and the numbers of both axes."""
    floor = TOP + CELL_HEIGHT * len(widths)
    for row in reversed(rows):  # the best last, so that nothing covers its frame
        x = LEFT + CELL_WIDTH * masses.index(row["mass"])
        y = floor - CELL_HEIGHT * (widths.index(row["width"]) + 1)
        yield (
            f'<rect class="cell" x="{x + 2}" y="{y + 2}" width="{CELL_WIDTH - 4}" height="{CELL_HEIGHT - 4}" '
            f'rx="4" fill-opacity="{0.08 + 0.5 / (1.0 + row["distance"] / 10.0):.3f}"/>'
        )
        if row is rows[0]:
            yield (
                f'<rect class="best" x="{x + 2}" y="{y + 2}" width="{CELL_WIDTH - 4}" '
                f'height="{CELL_HEIGHT - 4}" rx="4"/>'
            )
        centre, line, text = x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2 + 5, f"{row['distance']:.1f}"
        yield f'<text x="{centre}" y="{line}" text-anchor="middle">{text}</text>'
    for place, mass in enumerate(masses):
        centre = LEFT + CELL_WIDTH * (place + 0.5)
        yield f'<text class="quiet" x="{centre}" y="{floor + 20}" text-anchor="middle">{mass:g}</text>'
    for place, width in enumerate(widths):
        line = floor - CELL_HEIGHT * (place + 0.5) + 4
        yield f'<text class="quiet" x="{LEFT - 8}" y="{line}" text-anchor="end">{width:g}</text>'


# The command line


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="The mass and width that fit best.")
    steps = parser.add_subparsers(required=True)
    for name, step, places in (
        ("data", data_step, ("out",)),
        ("point", point_step, ("source", "out")),
        ("best", best_step, ("list", "table", "map")),
    ):
        command = steps.add_parser(name, help=step.__doc__)
        command.set_defaults(step=step)
        for place in places:
            command.add_argument(place)
        if name == "data":
            command.add_argument("--events", type=int, required=True)
            command.add_argument("--seed", type=int, default=1)
        if name == "point":
            command.add_argument("--mass", type=above_zero, required=True, help="MeV")
            command.add_argument("--width", type=above_zero, required=True, help="MeV")
    return parser


def above_zero(text: str) -> float:
    """A number above 0."""
    number = float(text)
    if not number > 0.0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def main(words: Sequence[str] | None = None) -> int:
    """Run one step."""
    options = arguments().parse_args(words)
    options.step(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
