"""Values of parameters from a file: JSON, TOML, or YAML where PyYAML is installed (`deft[yaml]`)."""

from __future__ import annotations

import importlib
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deft.base.errors import BadInput, Finding
from deft.model import keys

_LARGEST = 2**20  # bytes


def read(path: Path) -> dict[str, str]:
    """The values by name, as texts; a list becomes a JSON list. Raises BadInput with all findings."""
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        raise BadInput(f"{path} is no file of values: its name must end in {', '.join(_PARSERS)}")
    content = parse(_text(path), path)
    if not isinstance(content, dict):
        raise BadInput(f"{path} must hold names and values, such as events: 100")
    found: list[Finding] = []
    values = {str(name): _value(str(name), value, found) for name, value in content.items()}
    if found:
        raise BadInput(f"{path} holds values that no parameter can have:", found)
    return values


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > _LARGEST:
            raise BadInput(f"{path} has more than {_LARGEST:,} bytes")
        return content.decode("utf-8-sig")
    except OSError as fault:
        raise BadInput(f"cannot read {path}: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path} is no text in UTF-8") from None


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise BadInput(f"{path} is no JSON: {fault}") from None


def _toml(text: str, path: Path) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(f"{path} is no TOML: {fault}") from None


def _yaml(text: str, path: Path) -> Any:
    try:
        yaml = importlib.import_module("yaml")
    except ModuleNotFoundError:
        raise BadInput(
            f"{path} is YAML, and PyYAML is not here: pip install 'deft[yaml]', or write JSON or TOML"
        ) from None
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as fault:
        raise BadInput(f"{path} is no YAML: {fault}") from None


_PARSERS: dict[str, Callable[[str, Path], Any]] = {
    ".json": _json, ".toml": _toml, ".yaml": _yaml, ".yml": _yaml,
}  # fmt: skip


def _value(name: str, value: Any, found: list[Finding]) -> str:
    if isinstance(value, str | int | float | bool):
        return keys.render(value)
    if isinstance(value, list) and all(isinstance(item, str | int | float | bool) for item in value):
        return json.dumps(value, ensure_ascii=False)
    message = (
        f"{name} = {str(value)[:60]} is a {type(value).__name__}, neither a text, a number nor a list of them"
    )
    found.append(Finding("bad-value", message, subject=name, hint="quotes make it a text"))
    return ""
