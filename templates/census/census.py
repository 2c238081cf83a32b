"""Count the tokens, functions and lines of Python files, in parts that are summed, and draw the result.

Standard library only. The steps of the template call `map`, `merge` and `report`; `count` does the same work
in one process, so that the two can be held against each other:

    census.py map LIST OUT --library DIR       one part: the files named in LIST, a path a line
    census.py merge LIST OUT                   sum the parts named in LIST
    census.py report MERGED TABLE CHART        a CSV table and an SVG bar chart
    census.py totals MERGED                    print the sums
    census.py count DIR                        print the sums of all files below DIR, without any parts
"""

from __future__ import annotations

import argparse
import ast
import csv
import glob
import io
import json
import os
import sys
import tokenize
import warnings
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

SKIPPED_FOLDERS = frozenset({"site-packages", "dist-packages", "test", "tests", "idle_test"})
FIGURES = ("bytes", "lines", "tokens", "comments", "functions", "classes")
FAULTS = ("unreadable", "undecodable", "untokenizable", "unparsable")
LAYOUT = frozenset(
    {tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT}
)

Row = dict[str, Any]  # one file, or one module: its name, its figures, its fault


# Counting


def census_of(path: str, library: str) -> Row:
    """The figures of one file; one that cannot be read, decoded, split or parsed is counted as such."""
    row: Row = {"path": os.path.relpath(path, library), "fault": "", **dict.fromkeys(FIGURES, 0)}
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except OSError:
        return {**row, "fault": "unreadable"}
    row.update(bytes=len(content), lines=len(content.splitlines()))
    try:
        row.update(tokens_of(content))
    except (UnicodeDecodeError, LookupError):
        return {**row, "fault": "undecodable"}
    except (tokenize.TokenError, SyntaxError, ValueError):
        # An unknown encoding or bytes outside of it come as SyntaxError too.
        return {**row, "fault": "untokenizable" if is_text(content) else "undecodable"}
    try:
        row.update(definitions_of(content))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {**row, "fault": "unparsable"}
    return row


def is_text(content: bytes) -> bool:
    """True where the content can be decoded as it says itself."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return False
    return True


def tokens_of(content: bytes) -> Row:
    """How many tokens, and how many comments; line ends and indentation are no tokens here."""
    kinds = [token.type for token in tokenize.tokenize(io.BytesIO(content).readline)]
    comments = kinds.count(tokenize.COMMENT)
    return {"tokens": sum(kind not in LAYOUT for kind in kinds) - comments, "comments": comments}


def definitions_of(content: bytes) -> Row:
    """How many functions (methods too) and classes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what old code is warned of is not our subject
        tree = ast.parse(content)
    kinds = [type(node) for node in ast.walk(tree)]
    functions = kinds.count(ast.FunctionDef) + kinds.count(ast.AsyncFunctionDef)
    return {"functions": functions, "classes": kinds.count(ast.ClassDef)}


def python_files(library: str) -> list[str]:
    """The files that the template's `source.json` names, in the same order."""
    found = glob.iglob(os.path.join(glob.escape(library), "**", "*.py"), recursive=True)
    return sorted(path for path in found if is_wanted(path))


def is_wanted(path: str) -> bool:
    """False for tests and for what was installed beside the library."""
    return not os.path.isdir(path) and SKIPPED_FOLDERS.isdisjoint(path.split(os.sep)[:-1])


# Summing


def merged(rows: Iterable[Row]) -> Row:
    """All files by path, each once, and their sums."""
    files = {row["path"]: row for row in rows}
    ordered = [files[path] for path in sorted(files)]
    return {"totals": totals(ordered), "files": ordered}


def totals(rows: Sequence[Row]) -> dict[str, int]:
    """The sum of every figure, the number of files, and of those with each fault."""
    sums = {figure: sum(row[figure] for row in rows) for figure in FIGURES}
    faults = {fault: sum(row["fault"] == fault for row in rows) for fault in FAULTS}
    return {"files": len(rows), **sums, **faults}


def modules(rows: Iterable[Row]) -> list[Row]:
    """The sums of each top-level module or package, the largest first."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(module_of(row["path"]), []).append(row)
    summed = [{"module": name, **totals(group)} for name, group in groups.items()]
    return sorted(summed, key=lambda row: (-row["tokens"], row["module"]))


def module_of(path: str) -> str:
    """`asyncio` for asyncio/base_events.py, `argparse` for argparse.py."""
    first = path.split(os.sep, maxsplit=1)[0]
    return first[: -len(".py")] if first.endswith(".py") else first


# Drawing

STYLE = """
  .paper { fill: #ffffff } .rule { stroke: #d7dce2 } .axis { stroke: #8a94a0 } .bar { fill: #2f6fab }
  text { fill: #1d2733; font-family: system-ui, "Helvetica Neue", Arial, sans-serif; font-size: 13px }
  .title { font-size: 19px; font-weight: 600 } .quiet { fill: #5b6673; font-size: 12px }
  .name { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: 12.5px }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #12181f } .rule { stroke: #2a343f } .axis { stroke: #6d7884 } .bar { fill: #5ba3e0 }
    text { fill: #e6ebf0 } .quiet { fill: #9aa6b2 }
  }
"""
WIDTH, LEFT, RIGHT, TOP, BOTTOM, STEP, BAR = 860, 168, 132, 104, 64, 26, 17
MARGIN = 28


def chart(rows: Sequence[Row], sums: Row, top: int) -> str:
    """A bar chart of the largest modules; it brings its own ground, light or dark as the reader likes."""
    shown = rows[:top]
    tick = nice_step(max([row["tokens"] for row in shown], default=0) or 1)
    ticks = range(0, max([row["tokens"] for row in shown], default=0) + tick, tick)
    scale = (WIDTH - LEFT - RIGHT) / (ticks[-1] or 1)
    floor = TOP + STEP * len(shown) + 8
    height = floor + BOTTOM
    title = f"The {len(shown)} largest modules of {len(rows)}"
    about = ", ".join(f"{sums[figure]:,} {figure}" for figure in ("files", "lines", "tokens", "functions"))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="10"/>',
        f'<text class="title" x="{MARGIN}" y="40">{escape(title)}</text>',
        f'<text class="quiet" x="{MARGIN}" y="62">{escape(about)}</text>',
        f'<text class="quiet" x="{LEFT - 10}" y="{TOP - 12}" text-anchor="end">module</text>',
        *(rule(LEFT + value * scale, floor, value) for value in ticks),
        *(bar(row, TOP + STEP * place, scale) for place, row in enumerate(shown)),
        f'<line class="axis" x1="{LEFT}" y1="{TOP - 8}" x2="{LEFT}" y2="{floor}"/>',
        f'<text class="quiet" x="{LEFT + ticks[-1] * scale / 2:.1f}" y="{floor + 42}" text-anchor="middle">'
        "tokens in the module (functions in brackets)</text>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def rule(x: float, floor: float, value: int) -> str:
    """One vertical line with its number."""
    return (
        f'<line class="rule" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{floor}"/>'
        f'<text class="quiet" x="{x:.1f}" y="{floor + 20}" text-anchor="middle">{value:,}</text>'
    )


def bar(row: Row, y: float, scale: float) -> str:
    """One module: its name, its bar, its figures."""
    width, middle = row["tokens"] * scale, y + BAR / 2 + 4.5
    end = LEFT + width
    name = row["module"] if len(row["module"]) <= 18 else row["module"][:17] + "…"
    label = f"{row['tokens']:,} ({row['functions']:,})"
    hint = f"{row['module']}: {row['files']:,} files, {row['lines']:,} lines, {row['classes']:,} classes"
    return (
        f"<g><title>{escape(hint)}</title>"
        f'<text class="name" x="{LEFT - 10}" y="{middle}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="bar" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>'
        f'<rect class="paper" x="{end + 4:.1f}" y="{y}" width="{6.9 * len(label):.1f}" height="{BAR}"/>'
        f'<text class="quiet" x="{end + 8:.1f}" y="{middle}">{label}</text></g>'
    )


def nice_step(largest: int) -> int:
    """A round distance that gives about five lines up to `largest`."""
    power = 1
    while largest > power * 50:
        power *= 10
    return next((power * step for step in (1, 2, 5, 10) if largest <= power * step * 5), power * 10)


# Steps


def map_step(options: argparse.Namespace) -> None:
    """Count the files of one part."""
    library = os.path.abspath(options.library)
    write_json(options.out, [census_of(path, library) for path in listed(options.list)])


def merge_step(options: argparse.Namespace) -> None:
    """Sum the parts."""
    write_json(options.out, merged(row for path in listed(options.list) for row in read_json(path)))


def report_step(options: argparse.Namespace) -> None:
    """Write the table of all modules and the chart of the largest."""
    found = read_json(options.merged)
    rows = modules(found["files"])
    with open(options.table, "w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, ["module", *found["totals"]], lineterminator="\n")
        table.writeheader()
        table.writerows([*rows, {"module": "TOTAL", **found["totals"]}])
    with open(options.chart, "w", encoding="utf-8") as stream:
        stream.write(chart(rows, found["totals"], options.top))


def totals_step(options: argparse.Namespace) -> None:
    """Print the sums of a merged file."""
    show(read_json(options.merged)["totals"])


def count_step(options: argparse.Namespace) -> None:
    """Print the sums of a folder, counted by this one process."""
    library = os.path.abspath(options.library)
    show(merged(census_of(path, library) for path in python_files(library))["totals"])


def show(sums: dict[str, int]) -> None:
    """Print one figure a line."""
    for name, value in sums.items():
        print(f"{name}\t{value}")


def listed(path: str) -> list[str]:
    """The lines of a list of files."""
    with open(path, encoding="utf-8", errors="surrogateescape") as stream:
        return [line.rstrip("\n") for line in stream if line.strip()]


def read_json(path: str) -> Any:
    """The value in a JSON file."""
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def write_json(path: str, value: Any) -> None:
    """Write a value as JSON."""
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(value, stream, indent=1)
        stream.write("\n")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Count the Python files of a library.")
    steps = parser.add_subparsers(required=True)
    for name, step, places in (
        ("map", map_step, ("list", "out")),
        ("merge", merge_step, ("list", "out")),
        ("report", report_step, ("merged", "table", "chart")),
        ("totals", totals_step, ("merged",)),
        ("count", count_step, ("library",)),
    ):
        command = steps.add_parser(name, help=step.__doc__)
        command.set_defaults(step=step)
        for place in places:
            command.add_argument(place)
        if name == "map":
            command.add_argument("--library", required=True, help="folder the names of modules start from")
        if name == "report":
            command.add_argument("--top", type=int, default=20, help="bars of the chart")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one step."""
    options = arguments().parse_args(words)
    options.step(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
