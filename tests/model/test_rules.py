"""What makes a Meta-Task valid."""

from __future__ import annotations

from deft.model import diff, rules
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, NodeKind, Task
from tests.support.build import metatask


def test_a_list_of_sources_that_is_none_is_a_finding_and_hides_no_other() -> None:
    made = MetaTask("m")
    made.add(Task("files", NodeKind.ENTRY))
    made.add(Task("a", settings={"command": "true"}))
    made.join(Edge("files", "a", {"source.json": "[1", "start_when": "maybe"}))
    assert [finding.code for finding in rules.validate(made)] == ["bad-value", "bad-source"]
    assert not diff.compare(made, metatask(files="", a="files")).equal
