"""JSON from outside: whatever JSON does not say clearly is refused, with its place."""

from __future__ import annotations

import gzip
import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deft.authoring import slugs
from deft.authoring.graphml.limits import MIB, Limits
from deft.authoring.importers import jsonfile, names
from deft.base.errors import BadInput, Finding, NotFound
from deft.wire import placeholders


def refusals(content: bytes) -> list[Finding]:
    with pytest.raises(BadInput) as refused:
        jsonfile.parse(content)
    return list(refused.value.findings)


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "not-json", 1),
        (b'{"a": 1,\n "b": }', "not-json", 2),
        (b"{'a': 1}", "not-json", 1),
        (b'{"a": 1} {"b": 2}', "not-json", 1),
        (b'{"a":\n\n "\xff"}', "not-utf-8", 3),
        (b'{"a": 1}'.decode().encode("utf-16"), "not-utf-8", 1),
        (b"[" * 200_000, "too-deep", None),
        (b'{"a":' * 200_000, "too-deep", None),
        (b'{"a": ' + b"9" * 5000 + b"}", "not-json", None),
    ],
)
def test_what_is_no_json_is_told_with_its_line(content: bytes, code: str, line: int | None) -> None:
    assert [(one.code, one.line) for one in refusals(content)] == [(code, line)]


@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        (b'{"x": [0, {"a": 1, "b": 2, "a": 3}]}', "duplicate-key", "/x/1"),
        (b'{"a": 1, "a": 1}', "duplicate-key", ""),
        (b'{"x": {"y/z~": [1, NaN]}}', "not-finite", "/x/y~1z~0/1"),
        (b'{"x": -Infinity}', "not-finite", "/x"),
    ],
)
def test_what_json_leaves_open_is_told_with_its_place(content: bytes, code: str, place: str) -> None:
    assert [(one.code, one.subject) for one in refusals(content)] == [(code, place)]


def test_only_the_first_of_many_faults_are_told() -> None:
    assert len(refusals(json.dumps([float("nan")] * 1000).encode())) == 20


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        jsonfile.read(tmp_path / "none.json", Limits())
    with pytest.raises(BadInput, match="unreadable"):
        jsonfile.read(tmp_path, Limits())
    with pytest.raises(BadInput, match="unreadable"):
        jsonfile.read(Path("a\0b"), Limits())


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.json"
    path.write_bytes(gzip.compress(b"[" + b" " * 40 * MIB + b"]"))
    with pytest.raises(BadInput, match="gzip-bomb"):
        jsonfile.read(path, Limits())


KEY = st.text(st.characters(codec="utf-8"), max_size=5)
VALUE: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEY, VALUE, max_size=5))
def test_the_outermost_keys_are_seen_as_the_parser_sees_them(document: dict[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=1)
    # A key is compared as it is spelled: the keys that tell a format hold nothing to escape.
    plain = {key for key in document if json.dumps(key, ensure_ascii=False) == f'"{key}"'}
    assert plain <= jsonfile.top_keys(text.encode())


@given(st.text(st.sampled_from("{}$ab._- "), max_size=30))
def test_escaped_text_comes_out_of_a_command_as_it_was(text: str) -> None:
    assert placeholders.fill(placeholders.escape(text), {}) == text


@given(st.lists(st.text(string.printable, min_size=1, max_size=90), unique=True, max_size=40))
def test_names_are_legal_and_differ(called: list[str]) -> None:
    made = names.tasks(dict(enumerate(called)))
    assert all(names.is_plain(name) for name in made.values())
    assert len(set(made.values())) == len(called)
    assert all(made[n] == text for n, text in enumerate(called) if names.is_plain(text))


def test_names_of_things_that_are_called_the_same_hold_their_ids() -> None:
    assert names.tasks({1: "sort", 2: "sort", 3: "cat"}) == {1: "sort-1", 2: "sort-2", 3: "cat"}


def test_a_slug_keeps_what_it_can() -> None:
    assert (slugs.slug("Café, 1/2!"), slugs.slug("…")) == ("Cafe-1-2", "")
