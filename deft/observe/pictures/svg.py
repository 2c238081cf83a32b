"""A picture as SVG: one file, no script, no style sheet, text as text, on a ground of its own.

Only attributes, so that it looks the same in browsers, on slides, in dark viewers and under a strict content
policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from html import escape
from itertools import pairwise

from deft.authoring.layout import arranging
from deft.authoring.layout.layered import Point
from deft.observe.pictures import lettering, palette, scene, words
from deft.observe.pictures.lettering import plain, shortened
from deft.observe.pictures.plan import NAME_SIZE, PAD, SMALL, Box, Line, Plan, Tag
from deft.observe.pictures.scene import Scene

MARGIN = 24.0
HEAD, LEGEND_LINE = 62.0, 20.0
TITLE_SIZE, TEXT_SIZE = 17.0, 11.0
LEAST_WIDTH = 460.0
ARROW = 7.0
_STRIPE = 5.0


def draw(found: Scene, made: Plan) -> str:
    """The whole document."""
    width = max(made.width, LEAST_WIDTH) + 2 * MARGIN
    legend, high = _legend(found, width - 2 * MARGIN)
    top = MARGIN + HEAD
    height = top + made.height + 22 + high + MARGIN
    left = MARGIN + max(0.0, (LEAST_WIDTH - made.width) / 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="graphics-document" aria-labelledby="title desc" '
        f'font-family="{lettering.FAMILY}" font-size="{_n(SMALL)}" fill="{palette.INK}">',
        f'<title id="title">{_t(_named(found))}</title>',
        f'<desc id="desc">{_t(_described(found))}</desc>',
        f'<rect width="{_n(width)}" height="{_n(height)}" fill="{palette.PAPER}"/>',
        *_head(found, width),
        f'<g transform="translate({_n(left)} {_n(top)})">',
        *_lines(made),
        *(part for tag in made.tags for part in _tag(tag)),
        *(part for box in made.boxes for part in _box(box)),
        "</g>",
        f'<g transform="translate({_n(MARGIN)} {_n(top + made.height + 22)})" aria-hidden="true">',
        *legend,
        "</g>",
        "</svg>\n",
    ]
    return "\n".join(parts)


def _n(number: float) -> str:
    text = f"{number:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _t(text: str) -> str:
    return escape(plain(text))


# --- title and legend --------------------------------------------------------------------------------------


def _named(found: Scene) -> str:
    return f"{found.metatask} is {found.state}" if found.state else found.metatask


def _described(found: Scene) -> str:
    return f"{_named(found)}, {_moment(found)}. {words.summary(found)}."


def _moment(found: Scene) -> str:
    return f"{found.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if found.at else "as written, not stored"


def _head(found: Scene, width: float) -> Iterator[str]:
    room = width - 2 * MARGIN
    yield f'<g transform="translate({_n(MARGIN)} {_n(MARGIN)})">'
    badge = lettering.width(found.state, TEXT_SIZE, bold=True) + 30 if found.state else 0.0
    name = shortened(found.metatask, TITLE_SIZE, room - badge - 10, bold=True)
    yield f'<text y="14" font-size="{_n(TITLE_SIZE)}" font-weight="bold">{_t(name)}</text>'
    if found.state:
        at = min(lettering.width(name, TITLE_SIZE, bold=True) + 10, room - badge)
        yield from _badge(found.state, at, 0, badge)
    when = _moment(found)
    said = words.summary(found)
    both = lettering.width(said, TEXT_SIZE) + lettering.width(when, TEXT_SIZE) + 24
    yield f'<g font-size="{_n(TEXT_SIZE)}" fill="{palette.SOFT}">'
    if both <= room:
        yield f'<text y="34">{_t(said)}  ·  {_t(when)}</text>'
    else:
        yield f'<text y="33">{_t(shortened(said, TEXT_SIZE, room))}</text><text y="48">{_t(when)}</text>'
    yield "</g></g>"


def _badge(state: str, x: float, y: float, width: float) -> Iterator[str]:
    look = palette.look(state)
    yield f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="19" rx="9.5" fill="{look.dark}"/>'
    yield _sign(look.sign, x + 13, y + 9.5, "#ffffff")
    yield (
        f'<text x="{_n(x + 22)}" y="{_n(y + 13.5)}" font-size="{_n(TEXT_SIZE)}" font-weight="bold" '
        f'fill="#ffffff">{_t(state)}</text>'
    )


def _sign(sign: str, x: float, y: float, colour: str) -> str:
    return (
        f'<path d="M{_n(x)} {_n(y)}{sign}" fill="none" stroke="{colour}" stroke-width="1.6" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _legend(found: Scene, room: float) -> tuple[list[str], float]:
    """What the signs and lines mean, as far as they occur; and how high that is."""
    made: list[str] = []
    x, y = 0.0, 0.0
    for sample, text in _samples(found):
        width = 30 + lettering.width(text, SMALL) + 18
        if x and x + width > room:
            x, y = 0.0, y + LEGEND_LINE
        made.append(
            f'<g transform="translate({_n(x)} {_n(y)})">{sample}<text x="30" y="13">{text}</text></g>'
        )
        x += width
    return [f'<g fill="{palette.SOFT}">', *made, "</g>"] if made else [], y + LEGEND_LINE if made else 0.0


def _samples(found: Scene) -> Iterator[tuple[str, str]]:
    held = any(mark.held or mark.states.get("held") for mark in found.marks)
    for state in palette.ORDER:
        if found.states.get(state) or (state == "held" and held):
            look = palette.look(state)
            sample = f'<rect y="1" width="23" height="16" rx="3" fill="{look.tint}" stroke="{look.dark}"/>'
            yield sample + _sign(look.sign, 11.5, 9, look.dark), state
    bar = f'<rect y="7" width="23" height="4" fill="{palette.EMPTY}"/>'
    bar += f'<rect y="7" width="11" height="4" fill="{palette.LINE}"/>'
    if any(mark.failed for mark in found.marks):
        yield (
            f'{bar}<rect x="11" y="7" width="5" height="4" fill="{palette.LOST}"/>',
            "units ok, failed, of all",
        )
    elif found.states and any(mark.expected for mark in found.marks):
        yield bar, "units ok, of all"
    if any(mark.count > 1 and mark.states for mark in found.marks):
        yield bar, "× N: tasks by state"
    if any(aside for flow in found.flows for _, aside in flow.targets):
        yield f'<path d="M0 9h24" stroke="{palette.LINE}" stroke-dasharray="5 3"/>', "secondary input"


# --- boxes -------------------------------------------------------------------------------------------------


def _box(box: Box) -> Iterator[str]:
    mark = box.mark
    yield f'<g role="graphics-symbol"><title>{_t(words.mark(mark))}</title>'
    yield from _task(box) if mark.kind == scene.TASK else _end(box)
    yield "</g>"


def _end(box: Box) -> Iterator[str]:
    """An entry or an exit."""
    mark, room = box.mark, box.width - 2 * PAD
    kind = "in" if mark.kind == scene.ENTRY else "out"
    yield (
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}" '
        f'rx="{_n(box.height / 2)}" fill="#f3f4f5" stroke="{palette.LINE}"/>'
    )
    name = f"{mark.name} × {mark.count:,}" if mark.count > 1 else mark.name
    name = f"{kind} · {shortened(name, SMALL, room - lettering.width(kind + ' · ', SMALL))}"
    yield (
        f'<text x="{_n(box.x + box.width / 2)}" y="{_n(box.y + box.height / 2 + 3.5)}" text-anchor="middle">'
        f"{_t(name)}</text>"
    )


def _task(box: Box) -> Iterator[str]:
    mark = box.mark
    held = mark.held and mark.state not in ("done", "finished", "failed", "aborted", "broken")
    look = palette.look("held" if held else mark.state)
    x, y, width, height = box.x, box.y, box.width, box.height
    if mark.count > 1:
        for off in (6, 3):
            yield _rect(x + off, y - off, width - 6 + 6 - off, height, look, "")
    dash = ' stroke-dasharray="4 3"' if mark.state in ("waiting", "defined") else ""
    yield _rect(x, y, width, height, look, dash)
    yield f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(_STRIPE)}" height="{_n(height)}" fill="{look.dark}"/>'
    left, right = x + _STRIPE + PAD - 2, x + width - PAD
    yield from _text_of(box, left, right, look)
    yield from _bar(box, left, right, look)


def _rect(x: float, y: float, width: float, height: float, look: palette.Look, more: str) -> str:
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="3" '
        f'fill="{look.tint}" stroke="{look.dark}"{more}/>'
    )


def _text_of(box: Box, left: float, right: float, look: palette.Look) -> Iterator[str]:
    mark, y = box.mark, box.y
    bare = not (mark.state or mark.states)
    times = f" × {mark.count:,}" if mark.count > 1 else ""
    room = right - left - lettering.width(times, NAME_SIZE, bold=True)
    if bare and words.units(mark):
        room -= lettering.width(words.units(mark), SMALL) + 8
    name = shortened(mark.name, NAME_SIZE, room, bold=True) + times
    base = y + (20 if bare else 17)
    where = f'x="{_n(left)}" y="{_n(base)}" font-size="{_n(NAME_SIZE)}" font-weight="bold"'
    yield f"<text {where}>{_t(name)}</text>"
    for line in box.lines:
        y += 14
        yield f'<text x="{_n(left)}" y="{_n(y + 18)}">{_t(line)}</text>'
    state, units = words.state(mark), words.units(mark)
    base = y + 33
    if state:
        yield _sign(look.sign, left + 4.5, base - 3.5, look.dark)
        yield f'<text x="{_n(left + 13)}" y="{_n(base)}" fill="{look.dark}">{_t(state)}</text>'
    elif not mark.states:
        base = y + 20
    if units:
        yield f'<text x="{_n(right)}" y="{_n(base)}" text-anchor="end">{_t(units)}</text>'


def _bar(box: Box, left: float, right: float, look: palette.Look) -> Iterator[str]:
    """Units ok and failed, of all; of a group the tasks by state."""
    mark, y, room = box.mark, box.y + box.height - 10, right - left
    if mark.count > 1 and mark.states:
        parts = [(palette.look(name).dark, mark.states.get(name, 0)) for name in reversed(palette.ORDER)]
        whole = sum(count for _, count in parts)
    elif mark.expected and mark.state:
        parts, whole = [(look.dark, mark.ok), (palette.LOST, mark.failed)], mark.expected
    else:
        return
    yield f'<rect x="{_n(left)}" y="{_n(y)}" width="{_n(room)}" height="4" fill="{palette.EMPTY}"/>'
    for colour, count in parts:
        if count:
            wide = max(1.0, room * min(1.0, count / whole))
            yield f'<rect x="{_n(left)}" y="{_n(y)}" width="{_n(wide)}" height="4" fill="{colour}"/>'
            left += wide


# --- datasets ----------------------------------------------------------------------------------------------


def _tag(tag: Tag) -> Iterator[str]:
    flow, colour = tag.flow, _colour(tag.flow)
    (x0, y0), (x1, y1) = tag.stem
    title, (kind, under) = "\n".join(map(words.flow, tag.flows)), words.tag(tag.flows)
    yield f"<g><title>{escape(title)}</title>"
    yield f'<path d="M{_n(x0)} {_n(y0)}L{_n(x1)} {_n(y1)}" stroke="{colour}" fill="none"/>'
    yield (
        f'<rect x="{_n(tag.x)}" y="{_n(tag.y)}" width="{_n(tag.width)}" height="{_n(tag.height)}" rx="4" '
        f'fill="{palette.PAPER}" stroke="{colour}"/>'
    )
    middle, room = _n(tag.x + tag.width / 2), tag.width - 2 * PAD + 4
    shown = shortened(kind, SMALL, room, bold=True)
    y = _n(tag.y + (12.5 if under else 18.5))
    yield f'<text x="{middle}" y="{y}" text-anchor="middle" font-weight="bold">{_t(shown)}</text>'
    if under:
        fill = f' fill="{palette.LOST}"' if flow.lost else ""
        said = _t(shortened(under, SMALL, room))
        yield f'<text x="{middle}" y="{_n(tag.y + 24.5)}" text-anchor="middle"{fill}>{said}</text>'
    yield "</g>"


def _colour(flow: scene.Flow) -> str:
    if flow.lost:
        return palette.LOST
    return palette.FAINT if flow.membership == "declared" else palette.LINE


def _lines(made: Plan) -> Iterator[str]:
    """All lines, then all heads: a head is drawn once where several lines end together."""
    down = made.direction == arranging.DOWN
    yield '<g fill="none" stroke-width="1.2" aria-hidden="true">'
    for line in made.lines:
        dash = ' stroke-dasharray="5 3"' if line.dashed else ""
        yield f'<path d="{_path(line, down)}" stroke="{_colour(line.flow)}"{dash}/>'
    yield "</g>"
    heads = dict.fromkeys(route[-1] for line in made.lines for route in line.routes)
    if heads:
        shape = f"l-3.5-{_n(ARROW)}h7z" if down else f"l-{_n(ARROW)}-3.5v7z"
        yield f'<path d="{_heads(heads, shape)}" fill="{palette.LINE}" aria-hidden="true"/>'


def _heads(points: Iterable[Point], shape: str) -> str:
    return "".join(f"M{_n(x)} {_n(y)}{shape}" for x, y in points)


def _path(line: Line, down: bool) -> str:
    """The pieces of all routes, each once: routes of one flow run together for a while."""
    drawn: set[tuple[Point, Point]] = set()
    return "".join(piece for route in line.routes for piece in _pieces(route, drawn, down))


def _pieces(route: Sequence[Point], drawn: set[tuple[Point, Point]], down: bool) -> Iterator[str]:
    at: Point | None = None
    for n, (begin, end) in enumerate(pairwise(route)):
        if begin == end or (begin, end) in drawn:
            continue
        drawn.add((begin, end))
        if at != begin:
            yield f"M{_n(begin[0])} {_n(begin[1])}"
        at = end
        if n % 2 == 0 or begin[0] == end[0] or begin[1] == end[1]:
            yield f"L{_n(end[0])} {_n(end[1])}"
        elif down:
            middle = _n((begin[1] + end[1]) / 2)
            yield f"C{_n(begin[0])} {middle} {_n(end[0])} {middle} {_n(end[0])} {_n(end[1])}"
        else:
            middle = _n((begin[0] + end[0]) / 2)
            yield f"C{middle} {_n(begin[1])} {middle} {_n(end[1])} {_n(end[0])} {_n(end[1])}"
