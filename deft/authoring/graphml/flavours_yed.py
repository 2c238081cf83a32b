"""The blocks in which yEd keeps what it draws: a shape with a label and a place, a line with a label.

Written in the canonical form of `foreign`, so that they come back as they are. A block that a person has
drawn stays.
"""

from __future__ import annotations

from deft.authoring.graphml import foreign, labels
from deft.authoring.graphml.labels import YED
from deft.model.tasks import NodeKind, Task

_SHAPES = {
    NodeKind.TASK: "roundrectangle",
    NodeKind.ENTRY: "parallelogram",
    NodeKind.EXIT: "parallelogram2",
    NodeKind.METATASK: "rectangle3d",
}
_HEIGHT = 36.0
_LETTER = 7.5  # width of a letter in yEd's own font, roughly


def node_block(key: str, node: Task, centre: labels.Point) -> tuple[str, str]:
    """The fragment that draws a node."""
    width = max(72.0, 24.0 + _LETTER * len(node.name))
    x, y = centre[0] - width / 2, centre[1] - _HEIGHT / 2
    red, green, blue = labels.COLOURS[node.kind]
    return f"<{key}", (
        f'<data key="{foreign.attribute(key)}"><y:ShapeNode xmlns:y="{YED}">'
        f'<y:Geometry height="{_HEIGHT}" width="{width}" x="{x}" y="{y}"/>'
        f'<y:Fill color="#{red:02X}{green:02X}{blue:02X}" transparent="false"/>'
        '<y:BorderStyle color="#000000" type="line" width="1.0"/>'
        f"<y:NodeLabel>{foreign.text(node.name)}</y:NodeLabel>"
        f'<y:Shape type="{_SHAPES[node.kind]}"/>'
        "</y:ShapeNode></data>"
    )


def edge_block(key: str, label: str) -> tuple[str, str]:
    """The fragment that draws an edge."""
    return f"<{key}", (
        f'<data key="{foreign.attribute(key)}"><y:PolyLineEdge xmlns:y="{YED}">'
        '<y:Path sx="0.0" sy="0.0" tx="0.0" ty="0.0"/>'
        '<y:LineStyle color="#000000" type="line" width="1.0"/>'
        '<y:Arrows source="none" target="standard"/>'
        f"<y:EdgeLabel>{foreign.text(label)}</y:EdgeLabel>"
        '<y:BendStyle smoothed="false"/>'
        "</y:PolyLineEdge></data>"
    )
