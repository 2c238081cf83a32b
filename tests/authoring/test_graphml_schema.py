"""What DEFT writes of a Meta-Task of its own is valid: by its own schema, and by what GraphML asks of any."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree

from deft.authoring.builder import Builder
from deft.authoring.graphml import flavours, writer
from deft.authoring.templates import search
from deft.data import folder
from deft.engine import intake
from deft.model.graph import MetaTask
from deft.model.tasks import Foreign
from tests.support.metatasks import everything, metatasks
from tests.support.repository import ROOT

OURS = etree.XMLSchema(etree.parse(str(folder("schemas") / "deft-graphml.xsd")))
STRUCTURE = etree.XMLSchema(etree.parse(str(ROOT / "tests" / "data" / "graphml-structure.xsd")))


def exported(metatask: MetaTask, flavour: str = "plain") -> etree._Element:
    stream = io.BytesIO()
    writer.write(flavours.flavoured(metatask, flavour), stream)
    return etree.fromstring(stream.getvalue())


def faults(metatask: MetaTask, flavour: str = "plain") -> list[str]:
    """What is wrong with its export, by both."""
    document = exported(metatask, flavour)
    for schema in (OURS, STRUCTURE):
        schema.validate(document)
    return [line for schema in (OURS, STRUCTURE) for line in str(schema.error_log).splitlines()]


def authored(metatask: MetaTask) -> MetaTask:
    """Without what other tools left on it."""
    metatask.foreign = Foreign()
    for name in metatask.graph:
        task = metatask.task(name)
        metatask.graph.nodes[name]["task"] = type(task)(task.name, task.kind, task.settings, task.id)
    return metatask


@pytest.mark.parametrize("name", search.names())
def test_every_shipped_template_is_valid(name: str, tmp_path: Path) -> None:
    assert faults(intake.read_source(name, {}, tmp_path)[0]) == []


@pytest.mark.parametrize("flavour", ["plain", "networkx"])
def test_what_holds_everything_is_valid(flavour: str) -> None:
    assert faults(authored(everything()), flavour) == []


def test_what_is_built_in_python_is_valid() -> None:
    made = Builder("dice", params={"faces": 6})
    made.task("throw", "echo {output}", jobs=3).then("count", "cat {inputs}", reduce=True)
    assert faults(made.metatask) == []


@given(metatasks())
def test_any_meta_task_is_valid(random: MetaTask) -> None:
    assert faults(authored(random)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<key id="n.kind"', '<key id="d0"'),
        ('attr.type="long"', 'attr.type="short"'),
        ('edgedefault="directed"', 'edgedefault="undirected"'),
        ('source="evgen"', 'source="nobody"'),
        ('<node id="simul"', '<node id="evgen"'),
        ('id="log"', 'id="hits"'),
        ('<data key="n.armed">', '<data key="n.arms">'),
        ('<node id="simul"', '<node id="sim ul"'),
    ],
)
def test_a_fault_is_found(before: str, after: str) -> None:
    text = etree.tostring(exported(authored(everything()))).decode()
    assert before in text
    assert not OURS.validate(etree.fromstring(text.replace(before, after, 1)))
