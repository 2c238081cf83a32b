"""What becomes of the #SBATCH lines of a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from deft.authoring.wrap import commands, directives, options
from deft.authoring.wrap.options import OPTIONS, SHORT, Wishes
from deft.base.errors import BadInput, NotFound


def wishes(*lines: str, folder: Path) -> Wishes:
    """What a script with these #SBATCH lines asks for."""
    path = folder / "job.sbatch"
    path.write_text("\n".join(["#!/bin/sh", *(f"#SBATCH {line}" for line in lines), "true", ""]))
    return options.interpret(directives.read(path).directives, path.name)


def codes(path: Path) -> list[str]:
    """The codes of the findings of a script."""
    return [finding.code for finding in directives.read(path).findings]


SETTINGS = {
    "--ntasks=4": {"resources.tasks": 4},
    "--ntasks 4": {"resources.tasks": 4},
    "-n 4": {"resources.tasks": 4},
    "-n4": {"resources.tasks": 4},
    "--tasks=4": {"resources.tasks": 4},
    "--ntasks='4' # four": {"resources.tasks": 4},
    "-N 2-4": {"resources.nodes": 2},
    "-N 2 --ntasks-per-node=8 -c 3": {
        "resources.nodes": 2,
        "resources.tasks_per_node": 8,
        "resources.cores": 3,
    },
    "--cpus-per=3 --part=long": {"resources.extra": "--cpus-per=3", "resources.partition": "long"},
    "--mem=4G": {"resources.memory_mb": 4096},
    "--mem=0": {"resources.extra": "--mem=0"},
    "--mem-per-cpu=1G -c 4": {"resources.cores": 4, "resources.memory_mb": 4096},
    "--mem-per-cpu=1G -n 8 -N 2": {"resources.tasks": 8, "resources.nodes": 2, "resources.memory_mb": 4096},
    "--mem-per-gpu=2G --gpus=3": {"resources.gpus": 3, "resources.memory_mb": 6144},
    "-t 1-0": {"resources.walltime_s": 86400},
    "--time=UNLIMITED": {},
    "-p a,b -A acc -q high -C 'a&b'": {
        "resources.partition": "a,b",
        "resources.account": "acc",
        "resources.qos": "high",
        "resources.constraint": "a&b",
    },
    "--gres=gpu:2 -N 2": {"resources.gpus": 4, "resources.nodes": 2},
    "--gres=gpu": {"resources.gpus": 1},
    "--gres=gpu:a100:2": {"resources.extra": "--gres=gpu:a100:2"},
    "--gpus-per-node=2 --nodes=3": {"resources.gpus": 6, "resources.nodes": 3},
    "-G a100:2": {"resources.extra": "--gpus=a100:2"},
    "--array=0-9%5": {"max_running": 5},
    "--export=ALL,SEED=7,HOME": {"env.SEED": "7"},
    "--hold": {"armed": False},
    "--exclusive --reservation='my res' -w n1": {
        "resources.extra": "--exclusive --reservation='my res' --nodelist=n1"
    },
    "-o out.%j -e err --mail-type=END --comment=x": {},
    "--qos=a --qos=b": {"resources.qos": "b"},
}


@pytest.mark.parametrize("line", SETTINGS)
def test_a_directive_becomes_settings(line: str, tmp_path: Path) -> None:
    assert wishes(line, folder=tmp_path).settings == SETTINGS[line]


def test_a_directive_that_nobody_knows_is_kept_and_told(tmp_path: Path) -> None:
    found = wishes("--ntasks=2", "--frobnicate=7 -Z x", folder=tmp_path)
    assert found.settings["resources.extra"] == "--frobnicate=7 -Z x"
    assert [(one.code, one.line) for one in found.findings] == [("unknown-directive", 3)] * 2


def test_every_directive_has_a_fate(tmp_path: Path) -> None:
    found = wishes("-n 2 -o x", "--exclusive", "--new=1", "-n 3", folder=tmp_path)
    told = [(fate.line, fate.directive, fate.verdict) for fate in found.fates]
    assert told == [
        (2, "--ntasks=2", "overridden"),
        (2, "--output=x", "dropped"),
        (3, "--exclusive", "kept"),
        (4, "--new=1", "unknown"),
        (5, "--ntasks=3", "used"),
    ]


@pytest.mark.parametrize(
    "line", ["--time=soon", "--array=9-1", "--mem=4.5G", "-n 0", "--nodes=$N", "--ntasks", "--export=1=2"]
)
def test_a_wrong_value_is_an_error_with_its_line(line: str, tmp_path: Path) -> None:
    found = wishes(line, folder=tmp_path).findings
    assert [(one.code, one.line, one.severity) for one in found] == [("bad-directive", 2, "error")]


def test_every_short_option_is_one_of_the_table() -> None:
    assert set(SHORT.values()) <= set(OPTIONS)


def test_only_lines_above_the_first_command_count(tmp_path: Path) -> None:
    path = tmp_path / "a.sh"
    path.write_text("#!/bin/sh\n\n# text\n##SBATCH -n 1\n #SBATCH -n 2\n#SBATCH -n 3\ntrue\n#SBATCH -n 4\n")
    script = directives.read(path)
    assert [one.text for one in script.directives] == ["--ntasks=3"]
    assert codes(path) == ["late-directive"]


ODD = {
    "true\n": ["no-shebang"],
    "#!/bin/sh\r\n#SBATCH -n 3\r\ntrue\r\n": ["crlf"],
    "#!/bin/sh\n#PBS -l nodes=1\ntrue\n": ["other-scheduler"],
    "#!/bin/sh\n#SBATCH --mem='4G\n": ["bad-directive"],
    "#!/bin/sh\n#SBATCH hetjob\n": ["het-job"],
    "#!/bin/sh\n#SBATCH four tasks\n": ["stray-word", "stray-word"],
    "#!/bin/sh\n# srun\nmodule load x; srun ./a.out\n  sbatch b\n": ["calls-sbatch", "calls-srun"],
}


@pytest.mark.parametrize("text", ODD)
def test_what_looks_odd_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.sh"
    path.write_bytes(text.encode())
    assert codes(path) == ODD[text]


def test_windows_line_ends_are_mended(tmp_path: Path) -> None:
    path = tmp_path / "a.sh"
    path.write_bytes(b"#!/bin/sh\r\n#SBATCH -n 3\r\ntrue\r\n")
    script = directives.read(path)
    assert script.content == b"#!/bin/sh\n#SBATCH -n 3\ntrue\n"
    assert [one.text for one in script.directives] == ["--ntasks=3"]


@pytest.mark.parametrize(("content", "code"), [(b"", "empty-script"), (b"\x7fELF\0\0", "binary")])
def test_what_is_no_script_is_refused(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "a.sh"
    path.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        directives.read(path)
    assert [one.code for one in refused.value.findings] == [code]


def test_a_missing_script_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        directives.read(tmp_path / "none.sh")


def test_a_list_has_a_command_a_line(tmp_path: Path) -> None:
    path = tmp_path / "todo"
    path.write_text("# text\n\necho a \\\n  b\n  # more\necho 'c\\\\'\\\\\necho d # e\necho end \\")
    found = commands.read(path)
    assert found.content.decode().splitlines() == [
        "echo a   b",
        "echo 'c\\\\'\\\\",
        "echo d # e",
        "echo end ",
    ]


def test_a_list_may_name_its_shell(tmp_path: Path) -> None:
    path = tmp_path / "todo"
    path.write_text("#!/bin/bash\n\necho a\n")
    found = commands.read(path)
    assert (found.content, found.count) == (b"#!/bin/bash\necho a\n", 1)


@pytest.mark.parametrize(
    ("content", "code"), [(b"\n# only this\n", "no-commands"), (b"x" * 200_000, "long-command")]
)
def test_a_list_without_a_usable_command_is_refused(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "todo"
    path.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        commands.read(path)
    assert [one.code for one in refused.value.findings] == [code]
