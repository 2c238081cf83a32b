"""A picture as DOT, the language of Graphviz: `dot -Tsvg` arranges it anew, `neato -n` as it is here."""

from __future__ import annotations

from collections.abc import Iterator

from deft.authoring.layout import arranging
from deft.observe.pictures import palette, scene, words
from deft.observe.pictures.lettering import plain
from deft.observe.pictures.plan import Box, Plan
from deft.observe.pictures.scene import Flow, Scene

_POINTS = 72  # to an inch


def draw(found: Scene, made: Plan) -> str:
    """The whole document."""
    return "\n".join(_lines(found, made)) + "\n"


def _lines(found: Scene, made: Plan) -> Iterator[str]:
    rankdir = "TB" if made.direction == arranging.DOWN else "LR"
    yield f"digraph {_q(found.metatask)} {{"
    yield f"  graph [rankdir={rankdir}, bgcolor=white, fontname=Helvetica, label={_q(_label(found))}];"
    yield "  node [shape=box, style=filled, fontname=Helvetica, fontsize=11, color=gray40, fillcolor=white];"
    yield "  edge [fontname=Helvetica, fontsize=9, color=gray40];"
    for box in made.boxes:
        yield f"  {_q(box.mark.name)} [{_attributes(box, made)}];"
    for number, flow in enumerate(found.flows):
        yield from _flow(number, flow)
    yield "}"


def _q(text: str) -> str:
    """A quoted text; a backslash is one, and lines are broken by \\n."""
    quoted = plain(text.replace("\n", "\0")).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + quoted.replace("\N{REPLACEMENT CHARACTER}", "\\n") + '"'


def _label(found: Scene) -> str:
    when = f"\n{found.at:%Y-%m-%d %H:%M:%S} UTC" if found.at else ""
    state = f" is {found.state}" if found.state else ""
    return f"{found.metatask}{state}\n{words.summary(found)}{when}"


def _attributes(box: Box, made: Plan) -> str:
    mark = box.mark
    look = palette.look("held" if mark.held else mark.state)
    times = f" × {mark.count}" if mark.count > 1 else ""
    said = [mark.name + times, *box.lines, f"{words.state(mark)} {words.units(mark)}".strip()]
    x, y = box.x + box.width / 2, made.height - box.y - box.height / 2
    given = {
        "label": _q("\n".join(filter(None, said))),
        "tooltip": _q(words.mark(mark)),
        "pos": f'"{x:.1f},{y:.1f}"',
        "width": f"{box.width / _POINTS:.3f}",
        "height": f"{box.height / _POINTS:.3f}",
    }
    if mark.kind != scene.TASK:
        given["style"] = '"rounded,filled"'
    if mark.state:
        given |= {"color": f'"{look.dark}"', "fillcolor": f'"{look.tint}"'}
    return ", ".join(f"{name}={value}" for name, value in given.items())


def _flow(number: int, flow: Flow) -> Iterator[str]:
    label = _q(f"{flow.type}\n{words.amount(flow)}".strip())
    for target, aside in flow.targets:
        dashed = ", style=dashed" if aside else ""
        yield f"  {_q(flow.source)} -> {_q(target)} [label={label}, tooltip={_q(words.flow(flow))}{dashed}];"
