"""From a drawing to PNG or PDF: by cairosvg (`deft[pictures]`), or by the programs of Graphviz."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deft.base.errors import BadInput, Unreachable

MOST_SIDE, MOST_AREA = 20_000, 60_000_000  # pixels
SCALE = 2.0  # pixels to a unit of the drawing, for sharp letters
_WAIT_S = 120.0
_HOW = "pip install 'deft[pictures]', or Graphviz (Debian: apt-get install graphviz); SVG needs neither"


@dataclass(frozen=True, slots=True)
class Tools:
    """What this machine has: the module cairosvg, the path of Graphviz' neato; either may be missing."""

    cairosvg: Any
    neato: str | None


def tools_here() -> Tools:
    """Look for both."""
    try:
        cairosvg = importlib.import_module("cairosvg")
    except (ImportError, OSError):  # OSError: it is here, and the library cairo is not
        cairosvg = None
    return Tools(cairosvg, shutil.which("neato"))


def converted(document: str, as_dot: Callable[[], str], form: str, tools: Tools | None = None) -> bytes:
    """An SVG document as `png` or `pdf`; Graphviz is given the same picture as DOT.

    Raises BadInput where this machine has neither tool, Unreachable where the one it has fails.
    """
    tools = tools or tools_here()
    if tools.cairosvg is not None:
        return _by_cairosvg(tools.cairosvg, document, form)
    if tools.neato is None:
        raise BadInput(f"{form.upper()} needs cairosvg or Graphviz, and neither is here: {_HOW}")
    return _by_graphviz(tools.neato, as_dot(), form)


def _by_cairosvg(cairosvg: Any, document: str, form: str) -> bytes:
    content = document.encode()
    if form == "pdf":
        return bytes(cairosvg.svg2pdf(bytestring=content))
    width, height = _size(document)
    scale = min(SCALE, MOST_SIDE / width, MOST_SIDE / height, (MOST_AREA / (width * height)) ** 0.5)
    return bytes(cairosvg.svg2png(bytestring=content, scale=scale))


def _size(document: str) -> tuple[float, float]:
    """Width and height, as our own first element says them."""
    head = document[: document.index(">")]
    width, height = (float(head.partition(f' {name}="')[2].partition('"')[0]) for name in ("width", "height"))
    return width, height


def _by_graphviz(program: str, text: str, form: str) -> bytes:
    command = [program, "-n", f"-T{form}"]
    try:
        ran = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_WAIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise Unreachable(f"{program} did not make a {form.upper()}: {fault}; {_HOW}") from None
    if ran.returncode or not ran.stdout:
        said = ran.stderr.decode("utf-8", "replace").strip()[-500:]
        raise Unreachable(f"{program} made no {form.upper()}: {said or 'it said nothing'}")
    return ran.stdout
