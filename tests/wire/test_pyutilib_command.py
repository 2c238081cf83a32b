"""Commands of the form `pyutilib:…`: read, checked, and spelled out for the shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import pytest

from deft.model import rules
from deft.model.graph import MetaTask
from deft.model.tasks import Task
from deft.wire import placeholders, pyutilib_command
from deft.wire.orders import Input, Output
from deft.wire.pyutilib_command import Target, Word

FILES = (Input(1, 1, "d", "runs"), Input(2, 2, "e", "calib", role="secondary"))
SYNTHETIC = (Input(1, 1, "d", "synthetic", synthetic=1),)


def spelled(
    command: str,
    params: Sequence[str] = (),
    inputs: Sequence[Input] = SYNTHETIC,
    outputs: Sequence[Output] = (Output(3, "o", "data"),),
) -> str:
    """What stands behind folder and target."""
    made = pyutilib_command.spelled_out(command, params, inputs, outputs)
    head, _, rest = made.partition(" m:f ")
    assert head == "{python} -m deft.authoring.pyutilib.payload {template}"
    return rest


def test_a_command_names_module_factory_and_task() -> None:
    target, words = pyutilib_command.parse("pyutilib:lab.sums:chain:A-2 x={param.x} y={input.z}:Z")
    assert target == Target("lab.sums", "chain", "A-2")
    assert words == [Word("x", "{param.x}"), Word("y", "{input.z}", True, "Z")]


@pytest.mark.parametrize("command", ["pyutilib:m:f", "  pyutilib:m:f", "pyutilib:", "pyutilib:what ever"])
def test_a_command_is_known_by_its_beginning(command: str) -> None:
    assert pyutilib_command.is_one(command)


def test_any_other_command_is_for_the_shell() -> None:
    assert not pyutilib_command.is_one("python3 pyutilib:m:f")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("pyutilib:m", "begins with 'pyutilib:m'"),
        ("pyutilib:m:f:", "begins with"),
        ("pyutilib:../m:f", "begins with"),
        ("pyutilib:m:f x", "'x', which is not NAME=VALUE"),
        ("pyutilib:m:f; rm x", "begins with 'pyutilib:m:f;'"),
        ("pyutilib:m:f > {output}", "'>'"),
        ("pyutilib:m:f x='1", "no closing quotation"),
    ],
)
def test_a_command_that_says_something_else_is_refused(command: str, why: str) -> None:
    made = MetaTask("m")
    made.add(Task("a", settings={"command": command}))
    (found,) = (one for one in rules.validate(made) if one.code == "bad-pyutilib")
    assert why in found.message
    assert pyutilib_command.FORM in str(found)


def test_an_unknown_placeholder_in_it_is_refused() -> None:
    made = MetaTask("m", settings={"param.x": "1"})
    made.add(Task("a", settings={"command": "pyutilib:m:f x={param.y}"}))
    assert [one.code for one in rules.errors(rules.validate(made))] == ["unknown-placeholder"]


def test_parameters_are_offered_by_name() -> None:
    assert spelled("pyutilib:m:f", params=["x", "a.b"]) == "--param x={param.x} --output data {output}"


def test_the_files_of_all_inputs_are_offered_where_the_command_names_none() -> None:
    assert spelled("pyutilib:m:f x=1", inputs=FILES) == (
        "--offer-list runs {inputs_file} --offer calib {input.calib} --value x=1 --output data {output}"
    )


def test_files_that_the_command_names_are_all_that_is_read() -> None:
    said = spelled("pyutilib:m:f x={input.runs}:Z y={input}", inputs=FILES)
    assert said == "--files x Z {input.runs} --files y y {input} --output data {output}"


def test_every_output_is_written() -> None:
    outputs = (Output(1, "a", "z"), Output(2, "b", "w-B-x"), Output(3, "c", "3d"))
    assert spelled("pyutilib:m:f", outputs=outputs) == "--output z {output} --output w-B-x {output.w-B-x}"


def test_a_value_is_one_word_of_the_shell_whatever_stands_in_it() -> None:
    said = spelled("""pyutilib:m:f x='a b; c'{param.p}"'$HOME" y={{param.p}} z=""", params=["p"])
    words = shlex.split(placeholders.fill(said, {"param.p": "it's $1", "output": "/o"}))
    assert words[:2] == ["--param", "p=it's $1"]
    assert words[2:8] == ["--value", "x=a b; cit's $1'$HOME", "--value", "y={param.p}", "--value", "z="]


def test_a_command_that_cannot_be_read_is_left_to_the_shell() -> None:
    assert pyutilib_command.spelled_out("pyutilib:m", [], SYNTHETIC, []) == "pyutilib:m"
