"""What a job runs where its command is `pyutilib:…`: values in, the workflow or one task of it, values out.

python -m deft.authoring.pyutilib.payload FOLDER MODULE:FACTORY[:TASK] [OPTIONS]

An input gets its value from the command itself (`--value`, `--files`), else from the files of the input
datasets (`--offer`, `--offer-list`), else from a parameter of its name (`--param`), else from the factory.
The outputs are printed, and written as a JSON object by name into each output file; a dataset that is
called as an output, or as an output and a dash, holds that one alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deft.authoring.pyutilib import loading
from deft.base.errors import BadInput, DeftError, NotFound
from deft.wire import pyutilib_command

_Given = dict[str, list[Any]]


def main(arguments: Sequence[str]) -> int:
    """Run one; the exit code, 0 where all went well."""
    options = _parsed(arguments)
    sys.path.insert(0, options.folder)  # its code may import more while it runs
    try:
        unit = _unit(pyutilib_command.target(options.target), Path(options.folder))
        results = _run(unit, _values(unit, options))
        _write(results, options.output)
    except DeftError as fault:
        if fault.__cause__ is not None:
            traceback.print_exception(fault.__cause__)
        print(f"{options.target}: {fault}", file=sys.stderr)
        return fault.exit_code
    return 0


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pyutilib_payload", allow_abbrev=False)
    parser.add_argument("folder", help="where the module lies")
    parser.add_argument("target", help="MODULE:FACTORY[:TASK]")
    parser.add_argument("--param", action="append", default=[], help="NAME=VALUE, for an input of that name")
    parser.add_argument(
        "--value", action="append", default=[], help="NAME=VALUE, of an input that must exist"
    )
    parser.add_argument("--files", action="append", default=[], nargs="+", help="INPUT KEY FILE…")
    parser.add_argument("--offer", action="append", default=[], nargs="+", help="TYPE FILE…")
    parser.add_argument("--offer-list", action="append", default=[], nargs=2, help="TYPE LIST")
    parser.add_argument("--output", action="append", default=[], nargs=2, help="TYPE FILE")
    return parser.parse_args(arguments)


def _unit(target: pyutilib_command.Target, folder: Path) -> Any:
    """The workflow, or its task without the connectors that lead to it."""
    workflow = loading.load(target, folder)
    if not target.task:
        return workflow
    tasks = loading.tasks(workflow)
    if target.task not in tasks:
        raise NotFound(f"the workflow has no task {target.task!r}; it has {', '.join(tasks) or 'none'}")
    task = tasks[target.task]
    for name in task.inputs:
        task.inputs[name].input_connections = []
    return task


# --- values in ---------------------------------------------------------------------------------------------


def _values(unit: Any, options: argparse.Namespace) -> dict[str, Any]:
    """The value of each input that has one, the strongest source last. Raises BadInput."""
    values = {
        name: _one(unit, name, found)
        for given in (_params(unit, options), _offered(unit, options), _said(unit, options))
        for name, found in given.items()
    }
    values = {name: value for name, value in values.items() if value is not None}
    missing = [name for name in unit.inputs if name not in values and not _needs_nothing(unit, name)]
    if missing:
        raise BadInput(
            f"no value for {_names(missing)}; give NAME=VALUE in the command, a parameter of the name, "
            f"or a JSON file with it; there are values for {_names(values)}"
        )
    return values


def _needs_nothing(unit: Any, name: str) -> bool:
    has = loading.preset(unit, name) is not None
    return has or loading.is_optional(unit, name)


def _params(unit: Any, options: argparse.Namespace) -> _Given:
    pairs = (_pair(text) for text in options.param)
    return {name: _items(unit, name, _read(text)) for name, text in pairs if name in unit.inputs}


def _offered(unit: Any, options: argparse.Namespace) -> _Given:
    """What the files of the input datasets hold for inputs of those names."""
    given: _Given = {}
    offers = [(type, paths) for type, *paths in options.offer]
    for type, listed in options.offer_list:
        offers.append((type, Path(listed).read_text(encoding="utf-8").splitlines()))
    for type, path in ((type, path) for type, paths in offers for path in paths):
        content = _content(path)
        found = content if isinstance(content, dict) else {type: content}
        mine = [name for name in unit.inputs if name in found]
        if not mine:
            print(f"{path} holds nothing for {_names(unit.inputs)}", file=sys.stderr)
        for name in mine:
            given.setdefault(name, []).extend(_items(unit, name, found[name]))
    return given


def _said(unit: Any, options: argparse.Namespace) -> _Given:
    """What the command says itself. Raises BadInput for an input that there is not."""
    pairs = [_pair(text) for text in options.value]
    names = dict.fromkeys([*(name for name, _ in pairs), *(name for name, *_ in options.files)])
    unknown = [name for name in names if name not in unit.inputs]
    if unknown:
        raise BadInput(f"there is no input {_names(unknown)}; there are {_names(unit.inputs)}")
    given: _Given = {name: [] for name in names}
    for name, text in pairs:
        given[name] += _items(unit, name, _read(text))
    for name, key, *paths in options.files:
        given[name] += (_taken(path, key, must=key != name) for path in paths)
    return given


def _items(unit: Any, name: str, value: Any) -> list[Any]:
    """What a value adds to an input: a list its items, where the input gathers what it is given."""
    gathers = isinstance(value, list) and loading.takes_a_list(unit, name)
    return value if gathers else [value]


def _one(unit: Any, name: str, found: list[Any]) -> Any:
    """The value of an input for which this was found."""
    if loading.takes_a_list(unit, name):
        return found
    if len(found) > 1:
        raise BadInput(
            f"the input {name} gets {len(found)} values and takes one; declare it with action='append'"
        )
    return found[0] if found else None


def _taken(path: str, key: str, *, must: bool) -> Any:
    """What a file holds by that key; the whole of it where there is none and none was asked for."""
    content = _content(path)
    if isinstance(content, dict) and key in content:
        return content[key]
    if must:
        raise BadInput(f"{path} has no key {key!r}")
    return content


def _content(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as fault:
        raise BadInput(f"{path} is no JSON: {fault}") from None
    except OSError as fault:
        raise BadInput(f"cannot read {path}: {fault.strerror}") from None


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _read(text: str) -> Any:
    """A value: JSON where it is JSON (a number, true, a list), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


# --- the work ----------------------------------------------------------------------------------------------


def _run(unit: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Run it; its outputs by name, printed as PyUtilib prints them."""
    if loading.is_workflow(unit):
        loading.prepare(unit, values)
    unit(**values)
    results = {name: unit.outputs[name].get_value() for name in unit.outputs}
    for name, value in results.items():
        print(f"{name}: {value}")
    return results


# --- values out --------------------------------------------------------------------------------------------


def _write(results: Mapping[str, Any], outputs: Iterable[tuple[str, str]]) -> None:
    texts = {name: _text(name, value) for name, value in results.items()}
    for type, path in outputs:
        alone = type.partition("-")[0]
        wanted = {alone: texts[alone]} if alone in texts else texts
        pairs = ", ".join(f"{json.dumps(name)}: {text}" for name, text in wanted.items())
        Path(path).write_text(f"{{{pairs}}}\n", encoding="utf-8")


def _text(name: str, value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError) as fault:
        raise BadInput(f"the output {name} cannot travel as JSON: {fault}") from None


def _plain(value: Any) -> Any:
    """Arrays and numbers of NumPy say themselves what they are in plain Python."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"it is or holds a {type(value).__name__}; make it a number, a text, a list or a dict")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
