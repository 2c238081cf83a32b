"""There is a JSON Schema for all JSON that DEFT writes, and what is generated follows from the code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from deft.cli.root import cli
from tests.support import schemas, typed_schema
from tests.support.repository import ROOT

FILES = sorted((ROOT / "schemas").rglob("*.json"))


def _named(path: Path) -> str:
    return path.relative_to(ROOT / "schemas").as_posix()


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_a_schema_is_one_and_says_what_it_is_of(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == typed_schema.DRAFT
    name = _named(path).removesuffix(schemas.SUFFIX).replace("/", ":")
    assert schema["$id"] == f"urn:deft:schema:{name}"
    assert schema["title"]
    assert schema["description"]


def test_generated_schemas_follow_from_the_code() -> None:
    wanted = {schemas.path(name): schemas.rendered(name) for name in (*schemas.ANSWERS, *schemas.FILES)}
    assert set(schemas.FOLDER.iterdir()) <= set(wanted), "run: make docs"
    written = {path: path.read_text(encoding="utf-8") if path.exists() else "" for path in wanted}
    assert [path.name for path, text in wanted.items() if written[path] != text] == [], "run: make docs"


def test_every_command_that_takes_json_has_a_schema() -> None:
    commands = {name for name, command in _commands(cli, "") if _takes_json(command)}
    known = {schemas.command(name) for name in schemas.ANSWERS}
    assert commands - known == set(), "add it to ANSWERS in tests/support/schemas.py, then: make docs"
    assert known - commands == {"status --watch"}


def _commands(group: click.Group, before: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from _commands(found, f"{before}{name} ")
        else:
            yield before + name, found


def _takes_json(command: click.Command) -> bool:
    return any("--json" in parameter.opts for parameter in command.params)


def test_every_schema_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    assert [
        _named(path) for path in FILES if "/" not in _named(path) and f"`{_named(path)}`" not in page
    ] == []
    assert "`answers/" in page


def test_a_closed_schema_refuses_what_it_does_not_name() -> None:
    schema: Any = typed_schema.document(schemas.Revision, id="urn:x", title="x", description="x")
    jsonschema.validate({"revision": "1", "more": 2}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"revision": "1", "more": 2}, typed_schema.closed(schema))


def test_a_type_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="nothing that JSON can hold"):
        typed_schema.document(bytes, id="urn:x", title="x", description="x")
