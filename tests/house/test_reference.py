"""The reference pages say what the code does."""

from __future__ import annotations

import re

import pytest

from deft.model.tasks import State
from deft.wire import placeholders
from tests.support import reference
from tests.support.repository import ROOT, deft

REFERENCE = ROOT / "docs" / "reference"


@pytest.mark.parametrize("name", reference.TABLES)
def test_a_generated_table_follows_from_the_code(name: str) -> None:
    page = REFERENCE / name
    assert page.read_text(encoding="utf-8") == reference.rendered(page), "run: make docs"


def test_every_placeholder_is_explained() -> None:
    text = (REFERENCE / "placeholders.md").read_text(encoding="utf-8")
    assert [name for name in placeholders.ALWAYS if f"`{{{name}}}`" not in text] == []


def test_every_state_is_in_the_glossary() -> None:
    text = (REFERENCE / "glossary.md").read_text(encoding="utf-8")
    assert [state for state in State if f"**{state}**" not in text] == []


def test_every_command_is_explained_and_none_is_invented() -> None:
    helped = deft("--help")
    assert helped.returncode == 0, helped.stderr
    commands = set(re.findall(r"^  ([a-z][a-z-]*)  ", helped.stdout, re.MULTILINE))
    text = (REFERENCE / "command-line.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^#+ `deft ([a-z-]+)", text, re.MULTILINE))
    assert commands == explained
