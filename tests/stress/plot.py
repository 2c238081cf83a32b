"""The climb as a picture: jobs a second that ended, and the two delays, over those that came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from tests.stress.readings import Delays

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 300, 60, 30, 46


class Point(Protocol):
    """What is drawn of a level."""

    @property
    def offered(self) -> float: ...
    @property
    def ended(self) -> float: ...
    @property
    def found(self) -> Delays: ...


def picture(levels: Sequence[Point]) -> str:
    """An SVG with two panels over one axis (doublings of the load)."""
    offered = [one.offered for one in levels]
    panels = [
        _panel("jobs ended a second", offered, {
            "ended": [one.ended for one in levels], "offered": offered,
        }, 0),
        _panel("seconds (95 of 100)", offered, {
            "sweep": [one.found.sweep_s for one in levels], "link": [one.found.link_s for one in levels],
        }, HEIGHT),
    ]  # fmt: skip
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {2 * HEIGHT}" '
        f'font-family="sans-serif" font-size="12"><title>Load and delays</title>'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(panels)}</svg>\n'
    )


COLOURS = ("#1a6f8a", "#b5562b")


def _panel(title: str, across: Sequence[float], series: dict[str, Sequence[float]], top: int) -> str:
    highest = max(max(values) for values in series.values()) or 1.0
    x = [LEFT + (WIDTH - LEFT - 90) * n / max(1, len(across) - 1) for n in range(len(across))]
    floor = top + HEIGHT - BOTTOM
    parts = [
        f'<text x="{LEFT}" y="{top + 18}" font-weight="bold">{title}</text>',
        f'<path d="M{LEFT} {top + TOP}V{floor}H{WIDTH - 80}" fill="none" stroke="#555"/>',
        *(_tick(at, floor + 16, f"{value:.0f}") for at, value in zip(x, across, strict=True)),
        f'<text x="{LEFT}" y="{floor + 34}">jobs offered a second</text>',
    ]
    for share in (0.5, 1.0):
        y = floor - share * (floor - top - TOP)
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{_short(share * highest)}</text>'
        )
    for (name, values), colour in zip(series.items(), COLOURS, strict=False):
        heights = [floor - value / highest * (floor - top - TOP) for value in values]
        line = " ".join(f"{at:.1f},{y:.1f}" for at, y in zip(x, heights, strict=True))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{x[-1] + 6:.0f}" y="{heights[-1] + 4:.0f}" fill="{colour}">{name}</text>')
    return "".join(parts)


def _tick(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{text}</text>'


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{round(value, -int(math.log10(value)) + 1):.0f}"
