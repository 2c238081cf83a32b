"""Calibrate files of raw counts anew, and sum them up. Standard library only.

    reprocess.py map LIST OUT --pedestal P --gain G    calibrate the CSV files in LIST, a path a line
    reprocess.py merge LIST OUT                        a CSV table: a row a file, and all of them together

A raw file has the columns `event` and `counts`. A line that cannot be read is counted as
bad; it fails no job.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from math import fsum
from typing import Any

COLUMNS = ("file", "events", "bad_lines", "energy_gev", "mean_gev", "largest_gev")


def map_step(options: argparse.Namespace) -> None:
    """Calibrate some of the files."""
    rows = [calibrated(path, options.pedestal, options.gain) for path in listed(options.list)]
    with open(options.out, "w", encoding="utf-8") as stream:
        json.dump(rows, stream, indent=1)


def calibrated(path: str, pedestal: float, gain: float) -> dict[str, Any]:
    """One file in numbers: what is below the pedestal counts as zero."""
    energies, bad = [], 0
    with open(path, encoding="utf-8", errors="replace", newline="") as stream:
        for row in csv.DictReader(stream):
            try:
                energies.append(max(0.0, (float(row["counts"]) - pedestal) * gain))
            except (KeyError, TypeError, ValueError):
                bad += 1
    return {"path": path, "bad": bad, "energies": energies}


def merge_step(options: argparse.Namespace) -> None:
    """Sum up all files."""
    rows: list[dict[str, Any]] = []
    for path in listed(options.list):
        with open(path, encoding="utf-8") as stream:
            rows += json.load(stream)
    rows.sort(key=lambda row: str(row["path"]))
    together = {
        "path": "TOTAL",
        "bad": sum(row["bad"] for row in rows),
        "energies": [energy for row in rows for energy in row["energies"]],
    }
    with open(options.out, "w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(table_row(row) for row in (*rows, together))


def table_row(row: dict[str, Any]) -> list[Any]:
    """One file as a line of the table."""
    energies = row["energies"]
    total = fsum(energies)
    mean, largest = (total / len(energies), max(energies)) if energies else (0.0, 0.0)
    name = os.path.basename(row["path"])
    return [name, len(energies), row["bad"], f"{total:.3f}", f"{mean:.4f}", f"{largest:.3f}"]


def listed(path: str) -> list[str]:
    """The lines of a list of files."""
    with open(path, encoding="utf-8", errors="surrogateescape") as stream:
        return [line.rstrip("\n") for line in stream if line.strip()]


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Calibrate files of raw counts anew.")
    steps = parser.add_subparsers(required=True)
    for name, step in (("map", map_step), ("merge", merge_step)):
        command = steps.add_parser(name, help=step.__doc__)
        command.set_defaults(step=step)
        command.add_argument("list")
        command.add_argument("out")
        if name == "map":
            command.add_argument("--pedestal", type=float, required=True, help="counts without a signal")
            command.add_argument("--gain", type=float, required=True, help="GeV a count")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one step."""
    options = arguments().parse_args(words)
    options.step(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
