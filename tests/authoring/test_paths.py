"""Parameters that are paths: what a user gives begins where the user is."""

from __future__ import annotations

import os

import pytest

from deft.authoring.templates import parameters
from deft.base.errors import Finding

SETTINGS = {"param.source": "data/*.csv", "param.source.type": "path", "param.word": "x"}


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("raw/*.csv", "{here}/raw/*.csv"),
        ("/raw/*.csv", "/raw/*.csv"),
        ("@list.txt", "@{here}/list.txt"),
        ("ssh://host/raw", "ssh://host/raw"),
    ],
)
def test_a_given_path_begins_here(given: str, value: str) -> None:
    found: list[Finding] = []
    got = parameters.values(SETTINGS, {"source": given, "word": "a/b"}, str, found)
    assert got == {"source": value.format(here=os.getcwd()), "word": "a/b"}
    assert found == []


def test_a_default_path_begins_at_the_document() -> None:
    assert parameters.values(SETTINGS, {}, str, [], folder="/doc")["source"] == "/doc/data/*.csv"
    assert parameters.values(SETTINGS, {}, str, [])["source"] == "data/*.csv"  # it lies in no folder
