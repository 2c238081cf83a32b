"""Values of parameters from files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deft.authoring.templates import value_files
from deft.base.errors import BadInput
from tests.support.needs import need

ALL = {"events": "100", "scale": "0.5", "on": "true", "name": "a: b", "samples": '["x", "y, z", 3]'}
TEXTS = {
    "json": '{"events": 100, "scale": 0.5, "on": true, "name": "a: b", "samples": ["x", "y, z", 3]}',
    "toml": 'events = 100\nscale = 0.5\non = true\nname = "a: b"\nsamples = ["x", "y, z", 3]\n',
    "yaml": 'events: 100\nscale: 0.5\n"on": yes\nname: "a: b"\nsamples: [x, "y, z", 3]\n',
}


def read(folder: Path, suffix: str, text: str | bytes) -> dict[str, str]:
    path = folder / f"values.{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return value_files.read(path)


@pytest.mark.parametrize("suffix", TEXTS)
def test_a_file_gives_texts_and_lists(tmp_path: Path, suffix: str) -> None:
    if suffix == "yaml":
        _need_yaml()
    assert read(tmp_path, suffix, TEXTS[suffix]) == ALL


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("txt", "a=1"),
        ("json", "[1]"),
        ("json", '{"a": '),
        ("json", "[" * 100_000),
        ("json", b"\xff\xfe"),
        ("json", '{"a": {"b": 1}}'),
        ("json", '{"a": null}'),
        ("json", '{"a": [[1]]}'),
        ("toml", "a = "),
        ("toml", "a = 2024-01-01"),
        ("yaml", "a: [1"),
        ("yaml", "a: !!python/object/apply:os.system [id]"),
        ("yaml", "a: 2024-01-01"),
        ("yaml", "just text"),
        ("json", " " * 2**21),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, suffix: str, text: str | bytes) -> None:
    if suffix == "yaml":
        _need_yaml()
    with pytest.raises(BadInput):
        read(tmp_path, suffix, text)


def test_a_file_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot read"):
        value_files.read(tmp_path / "none.json")


def test_yaml_without_its_package_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)  # as Python tells an import that cannot be
    with pytest.raises(BadInput, match=r"pip install 'deft\[yaml\]'"):
        read(tmp_path, "yml", "a: 1")


def _need_yaml() -> None:
    try:
        import yaml  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415
    except ModuleNotFoundError:
        yaml = None
    need("PyYAML", yaml, "pip install 'deft[yaml]'")
