"""Read GraphML with all checks: 100,000 nodes and 200,000 edges, six attributes each; then ten times as many.

Beside an expat pass without handlers over the same bytes (bar: 9 times) and `networkx.read_graphml` (bars:
2.5 times as fast, an eighth of the memory). Each reads in a process of its own, for a peak of its own. The
million needs `--million` (bar: 600 MB). What is read is judged and packed; the NetworkX graph is made of it
when it is asked for, and costs its own.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

from deft.authoring.graphml import reader, writer
from deft.base.errors import BadInput
from deft.base.limits import MIB, Limits, Upload
from tests.bench import measure
from tests.bench.graphml_write import six
from tests.support.hostile import HOSTILE

LEAST = 3
CHUNK = 256 * 1024
Figures = tuple[float, float, float]  # CPU s, wall s, peak MB


def main() -> None:
    """Print the figures of each reader, and the worst of the hostile documents."""
    if len(sys.argv) == 4 and sys.argv[1] in _ACTS:
        return _child(_ACTS[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3]))
    million = "--million" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--million"]
    given = measure.options(__doc__)
    runs = 1 if given.quick else max(given.runs, LEAST)
    _compared(2_000 if given.quick else 100_000, runs)
    _hostile("upload", Upload(), "2 s, 200 MB")
    if million:
        path = _made(1_000_000)
        cpu, wall, peak = _figures("deft", path)
        print(f"1,000,000 nodes: {cpu:.1f} CPU s, {wall:.1f} s, {peak:.0f} MB (bar: 600 MB)")
    return None


def _compared(nodes: int, runs: int) -> None:
    path = _made(nodes)
    found: dict[str, list[Figures]] = {"expat": [], "deft": [], "graph": [], "networkx": []}
    for _ in range(runs):  # in turns, so that all meet the same machine
        for kind, figures in found.items():
            figures.append(_figures(kind, path))
    cpu = {kind: statistics.median(one[0] for one in figures) for kind, figures in found.items()}
    peak = {kind: statistics.median(one[2] for one in figures) for kind, figures in found.items()}
    rows = [
        ("expat, no handlers", cpu["expat"], peak["expat"], 1.0, ""),
        ("DEFT, all checks", cpu["deft"], peak["deft"], cpu["deft"] / cpu["expat"], "at most 9"),
        ("DEFT, and its graph", cpu["graph"], peak["graph"], cpu["graph"] / cpu["expat"], ""),
        ("networkx.read_graphml", cpu["networkx"], peak["networkx"], cpu["networkx"] / cpu["expat"], ""),
    ]
    print(f"{nodes:,} nodes, {2 * nodes:,} edges, {path.stat().st_size / MIB:.0f} MB")
    measure.table(("reader", "CPU s", "peak MB", "times expat", "bar"), rows)
    faster, smaller = cpu["networkx"] / cpu["deft"], peak["networkx"] / peak["deft"]
    print(f"beside networkx: {faster:.1f} times as fast (bar: 2.5), 1/{smaller:.1f} of its memory (bar: 1/8)")


def _hostile(name: str, limits: Limits, bar: str) -> None:
    folder, rows = measure.scratch(), []
    for one in HOSTILE:
        path = folder / "hostile.graphml"
        one.write(path, limits)
        cpu, wall, peak = _figures(name, path)
        rows.append((one.name, one.code, cpu, wall, peak))
    rows.sort(key=lambda row: -row[2])
    print(f"hostile documents under the limits of an {name}: the five slowest of {len(rows)} (bar: {bar})")
    measure.table(("document", "refused as", "CPU s", "wall s", "peak MB"), rows[:5])
    print(f"largest peak: {max(row[4] for row in rows):.0f} MB")


def _made(nodes: int) -> Path:
    path = measure.scratch() / "six.graphml"
    with path.open("wb") as stream:
        writer.write(six(nodes), stream)
    return path


def _figures(kind: str, path: Path) -> Figures:
    command = [sys.executable, "-m", "tests.bench.graphml_read", kind, str(path), "-"]
    cpu, wall, peak = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return cpu, wall, peak


def _child(act: Callable[[Path], object], path: Path, _: Path) -> None:
    cpu, wall = time.process_time(), time.monotonic()
    kept = act(path)
    used = time.process_time() - cpu, time.monotonic() - wall
    del kept
    peak_kb = int(Path("/proc/self/status").read_text(encoding="ascii").partition("VmHWM:")[2].split()[0])
    print(json.dumps((*used, peak_kb / 1024)))


def _expat(path: Path) -> None:
    parser = expat.ParserCreate()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)


def _networkx(path: Path) -> object:
    import networkx as nx  # noqa: PLC0415  the others need no half second of imports

    return nx.read_graphml(path, force_multigraph=True)


def _refused(path: Path) -> None:
    try:
        reader.read(path, limits=Upload())
    except BadInput:
        return
    raise SystemExit(f"{path} was taken")


_ACTS: dict[str, Callable[[Path], object]] = {
    "expat": _expat,
    "deft": reader.read,
    "graph": lambda path: reader.read(path).metatask,
    "networkx": _networkx,
    "upload": _refused,
}


if __name__ == "__main__":
    main()
