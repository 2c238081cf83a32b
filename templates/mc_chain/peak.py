"""Fit a resonance to a histogram of masses, and draw both. Standard library only.

The fit is a maximum-likelihood fit, binned, of a Breit-Wigner folded with the Gaussian resolution of the
detector (together a Voigt profile). The resolution is known and stays fixed; position and width of the
Breit-Wigner are free, and the number of pairs is that of the histogram.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import accumulate, pairwise
from math import atan, exp, log, sqrt
from typing import Any, NamedTuple

WINDOW = (76.0, 106.0)  # GeV, of histogram, fit and chart
FEWEST = 20  # pairs that a fit needs
FINEST, WIDEST = 0.01, 20.0  # GeV, of a width that is believed


# Fitting


class Fit(NamedTuple):
    """What was fitted, in GeV; chi2 is twice the likelihood's distance to a perfect fit."""

    peak: float
    peak_error: float
    width: float
    width_error: float
    chi2: float
    degrees: int
    pairs: int


def shares(edges: Sequence[float], peak: float, width: float, sigma: float) -> list[float]:
    """The part of all pairs between the edges that falls into each bin."""
    # The integral over the Gaussian, by the trapezoidal rule: its error falls exponentially with the step.
    nodes = [(step * sigma / 4.0, exp(-step * step / 32.0)) for step in range(-24, 25)]
    below = [sum(w * atan(2.0 * (edge - peak - at) / width) for at, w in nodes) for edge in edges]
    return [(b - a) / (below[-1] - below[0]) for a, b in pairwise(below)]


def fit(counts: Sequence[int], sigma: float) -> Fit | None:
    """Position and width of the peak; None where there are too few pairs for it, or no peak."""
    total, edges = sum(counts), bin_edges(len(counts))
    if total < FEWEST or len(counts) < 5:
        return None

    def model(peak: float, width: float) -> list[float]:
        return shares(edges, peak, width, sigma)

    low, peak, high = (quantile(counts, edges, part) for part in (0.25, 0.5, 0.75))
    width = max(high - low, 0.1)
    best = distance(counts, model(peak, width))
    for _ in range(100):
        (step, stretch), (a, b, c) = newton(counts, model, peak, width)
        step, stretch = max(-2.0, min(2.0, step)), max(-width / 2.0, min(width, stretch))
        for _ in range(30):  # a step that leads uphill is halved until it does not
            here = distance(counts, model(peak + step, width + stretch))
            if here <= best:
                break
            step, stretch = step / 2.0, stretch / 2.0
        else:
            step = stretch = 0.0
            here = best
        peak, width, best = peak + step, width + stretch, here
        if not (WINDOW[0] < peak < WINDOW[1] and FINEST < width < WIDEST):
            return None
        if abs(step) + abs(stretch) < 1e-7:
            determinant = a * c - b * b
            errors = sqrt(c / determinant), sqrt(a / determinant)
            return Fit(peak, errors[0], width, errors[1], best, len(counts) - 3, total)
    return None


def newton(
    counts: Sequence[int], model: Callable[[float, float], list[float]], peak: float, width: float
) -> tuple[tuple[float, float], tuple[float, float, float]]:
    """The step (peak, width) to the best fit, and the information matrix (peak², peak · width, width²)."""
    total, small = sum(counts), 1e-4
    here = model(peak, width)
    by_peak = slope(model(peak + small, width), model(peak - small, width), small)
    by_width = slope(model(peak, width + small), model(peak, width - small), small)
    rows = list(zip(counts, here, by_peak, by_width, strict=True))
    u = sum(n / p * dp for n, p, dp, _ in rows)
    v = sum(n / p * dw for n, p, _, dw in rows)
    a = total * sum(dp * dp / p for _, p, dp, _ in rows)
    b = total * sum(dp * dw / p for _, p, dp, dw in rows)
    c = total * sum(dw * dw / p for _, p, _, dw in rows)
    determinant = a * c - b * b
    return ((c * u - b * v) / determinant, (a * v - b * u) / determinant), (a, b, c)


def slope(after: Sequence[float], before: Sequence[float], small: float) -> list[float]:
    """The derivative, from what lies a little after and a little before."""
    return [(one - other) / (2.0 * small) for one, other in zip(after, before, strict=True)]


def distance(counts: Sequence[int], parts: Sequence[float]) -> float:
    """Twice the logarithm of the likelihood ratio to a model that meets every bin (Baker and Cousins)."""
    total = sum(counts)
    return 2.0 * sum(n * log(n / (total * p)) for n, p in zip(counts, parts, strict=True) if n)


def quantile(counts: Sequence[int], edges: Sequence[float], part: float) -> float:
    """The mass below which that part of the pairs lies, to half a bin."""
    wanted = part * sum(counts)
    place = next(place for place, below in enumerate(accumulate(counts)) if below >= wanted)
    return (edges[place] + edges[place + 1]) / 2.0


def bin_edges(bins: int) -> list[float]:
    """The edges of equal bins in the window."""
    low, high = WINDOW
    return [low + (high - low) * place / bins for place in range(bins + 1)]


def sentence(fitted: Fit | None) -> str:
    """The result, for a log."""
    if fitted is None:
        return "no peak could be fitted: too few pairs"
    return (
        f"peak {fitted.peak:.3f} ± {fitted.peak_error:.3f} GeV, width {fitted.width:.3f} ± "
        f"{fitted.width_error:.3f} GeV, {fitted.pairs:,} pairs, chi2 {fitted.chi2:.1f} / {fitted.degrees}"
    )


# Drawing

STYLE = """
  .paper { fill: #ffffff } .rule { stroke: #e3e7ec } .axis { stroke: #8a94a0; fill: none }
  .curve { stroke: #c2410c; stroke-width: 2.2; fill: none; stroke-linejoin: round }
  .under { fill: #c2410c; fill-opacity: 0.10 } .point { fill: #1f4e79 } .error { stroke: #1f4e79 }
  .pull { fill: #1f4e79; fill-opacity: 0.55 }
  text { fill: #1d2733; font-family: system-ui, "Helvetica Neue", Arial, sans-serif; font-size: 13px }
  .title { font-size: 19px; font-weight: 600 } .quiet { fill: #5b6673; font-size: 12px }
  .value { font-size: 14px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #12181f } .rule { stroke: #26303a } .axis { stroke: #6d7884 }
    .curve { stroke: #fb923c } .under { fill: #fb923c } .point { fill: #8cc4f5 } .error { stroke: #8cc4f5 }
    .pull { fill: #8cc4f5 } text { fill: #e6ebf0 } .quiet { fill: #9aa6b2 }
  }
"""
WIDTH, HEIGHT, LEFT, RIGHT, TOP, FLOOR = 860, 600, 84, 828, 92, 428
PULL_TOP, PULL_FLOOR, PULL_REACH = 448, 528, 4.0
MARGIN = 28


def chart(found: dict[str, Any], fitted: Fit | None, sigma: float) -> str:
    """Points with error bars, the fitted curve, and below them how far each point lies from it."""
    counts = found["counts"]
    edges, total = bin_edges(len(counts)), sum(counts)
    tick = nice_step(max(n + sqrt(n) for n in counts) if total else 1.0)
    ticks = range(0, int(max(n + sqrt(n) for n in counts) * 1.02) + 1 + tick, tick)
    per_pair = (FLOOR - TOP) / ticks[-1]
    title = "Z → μ⁺μ⁻: invariant mass of the muon pair"
    about = (
        f"{found['events']:,} events, {found['selected']:,} selected pairs, {total:,} of them "
        f"between {WINDOW[0]:g} and {WINDOW[1]:g} GeV"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{escape(title)}; {escape(sentence(fitted))}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="10"/>',
        f'<text class="title" x="{MARGIN}" y="40">{title}</text>',
        f'<text class="quiet" x="{MARGIN}" y="62">{about}</text>',
        *(level(FLOOR - value * per_pair, f"{value:,}") for value in ticks),
        *curve(fitted, edges, total, sigma, per_pair),
        *(point(edges, place, n, per_pair) for place, n in enumerate(counts)),
        f'<path class="axis" d="M{LEFT} {TOP - 8}V{FLOOR}H{RIGHT}"/>',
        turned((TOP + FLOOR) / 2, f"pairs / {edges[1] - edges[0]:.3g} GeV"),
        *pulls(counts, fitted, edges, sigma),
        *mass_axis(),
        *result(fitted, sigma),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def across(mass: float) -> float:
    """Where a mass lies on the page."""
    low, high = WINDOW
    return LEFT + (mass - low) / (high - low) * (RIGHT - LEFT)


def level(y: float, text: str) -> str:
    """One horizontal line with its number."""
    return (
        f'<line class="rule" x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}"/>'
        f'<text class="quiet" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    )


def turned(y: float, text: str) -> str:
    """The title of a vertical axis."""
    return (
        f'<text class="quiet" transform="translate({MARGIN - 4},{y:.1f}) rotate(-90)" '
        f'text-anchor="middle">{text}</text>'
    )


def mass_axis() -> Iterator[str]:
    """Numbers and title of the horizontal axis."""
    low, high = (int(edge) for edge in WINDOW)
    for mass in range(-(-low // 5) * 5, high + 1, 5):
        x = across(mass)
        yield f'<path class="axis" d="M{x:.1f} {FLOOR}v5M{x:.1f} {PULL_FLOOR}v5"/>'
        yield f'<text class="quiet" x="{x:.1f}" y="{PULL_FLOOR + 20}" text-anchor="middle">{mass}</text>'
    middle = (LEFT + RIGHT) / 2
    yield f'<text x="{middle}" y="{PULL_FLOOR + 46}" text-anchor="middle">m(μ⁺μ⁻) [GeV]</text>'


def point(edges: Sequence[float], place: int, count: int, per_pair: float) -> str:
    """One bin: the number of pairs and its statistical error."""
    x, y = across((edges[place] + edges[place + 1]) / 2.0), FLOOR - count * per_pair
    if not count:
        return ""
    reach = sqrt(count) * per_pair
    return (
        f"<g><title>{edges[place]:g} to {edges[place + 1]:g} GeV: {count:,} ± {sqrt(count):.1f}</title>"
        f'<path class="error" d="M{x:.1f} {y - reach:.1f}V{min(y + reach, FLOOR):.1f}"/>'
        f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="3"/></g>'
    )


def curve(
    fitted: Fit | None, edges: Sequence[float], total: int, sigma: float, per_pair: float
) -> Iterator[str]:
    """The fitted curve, as pairs a bin of the histogram."""
    if fitted is None:
        return
    fine = bin_edges(300)
    scale = total * 300 / (len(edges) - 1) * per_pair
    parts = shares(fine, fitted.peak, fitted.width, sigma)
    line = " ".join(
        f"{across((a + b) / 2.0):.1f},{FLOOR - part * scale:.1f}"
        for (a, b), part in zip(pairwise(fine), parts, strict=True)
    )
    yield f'<polygon class="under" points="{LEFT},{FLOOR} {line} {RIGHT},{FLOOR}"/>'
    yield f'<polyline class="curve" points="{line}"/>'


def pulls(counts: Sequence[int], fitted: Fit | None, edges: Sequence[float], sigma: float) -> Iterator[str]:
    """Bars: data minus fit, divided by the error."""
    middle, scale = (PULL_TOP + PULL_FLOOR) / 2, (PULL_FLOOR - PULL_TOP) / (2.0 * PULL_REACH)
    for value in (-2, 0, 2):
        yield level(middle - value * scale, f"{value}".replace("-", "−"))
    if fitted is not None:
        parts = shares(edges, fitted.peak, fitted.width, sigma)
        for (a, b), n, part in zip(pairwise(edges), counts, parts, strict=True):
            expected = part * fitted.pairs
            pull = max(-PULL_REACH, min(PULL_REACH, (n - expected) / sqrt(expected)))
            yield (
                f'<rect class="pull" x="{across(a) + 1:.1f}" y="{middle - max(pull, 0.0) * scale:.1f}" '
                f'width="{across(b) - across(a) - 2:.1f}" height="{abs(pull) * scale:.1f}"/>'
            )
    yield f'<path class="axis" d="M{LEFT} {PULL_TOP}V{PULL_FLOOR}H{RIGHT}"/>'
    yield turned(middle, "data − fit [σ]")


def result(fitted: Fit | None, sigma: float) -> Iterator[str]:
    """What was fitted, in words and numbers."""
    left = across(96.5)
    if fitted is None:
        yield f'<text class="value" x="{left}" y="{TOP + 24}">Too few pairs to fit a peak</text>'
        return
    lines = (
        ("value", f"m = {fitted.peak:.3f} ± {fitted.peak_error:.3f} GeV"),
        ("value", f"Γ = {fitted.width:.3f} ± {fitted.width_error:.3f} GeV"),
        ("quiet", f"χ² / degrees of freedom = {fitted.chi2:.1f} / {fitted.degrees}"),
        ("quiet", "Breit-Wigner ⊗ Gaussian (resolution),"),
        ("quiet", f"σ = {sigma:.3f} GeV, known and fixed"),
    )
    for number, (kind, text) in enumerate(lines):
        yield f'<text class="{kind}" x="{left:.1f}" y="{TOP + 24 + 22 * number}">{text}</text>'


def nice_step(largest: float) -> int:
    """A round distance that gives about five lines up to `largest`."""
    power = 1
    while largest > power * 50:
        power *= 10
    return next((power * step for step in (1, 2, 5, 10) if largest <= power * step * 5), power * 10)
