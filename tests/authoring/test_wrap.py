"""Batch scripts and lists of commands as Meta-Tasks: what is written, and that it runs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deft.authoring.graphml import reader
from deft.authoring.wrap import runner, wrapping
from deft.authoring.wrap.wrapping import WrapAnswer, WrapRequest
from deft.base.errors import BadInput, Refused
from deft.model.graph import MetaTask
from tests.support.repository import deft

Write = Callable[..., Path]
WAITS, FOLLOWS = "role=secondary", "start_when=any"


@pytest.fixture
def script(tmp_path: Path) -> Write:
    """Write a batch script: `script("a", "-n 2", body="true")`."""

    def write(name: str, *lines: str, body: str = "true") -> Path:
        path = tmp_path / f"{name}.sbatch"
        path.write_text("\n".join(["#!/bin/sh", *(f"#SBATCH {line}" for line in lines), body, ""]))
        return path

    return write


def wrapped(*scripts: Path, **options: object) -> tuple[WrapAnswer, MetaTask]:
    """Wrap scripts of one folder into its w.graphml, and read that."""
    folder = scripts[0].parent
    request = WrapRequest(folder / "w.graphml", scripts, [], folder, **options)  # type: ignore[arg-type]
    answer = wrapping.wrap(request)
    return answer, reader.read(folder / "w.graphml", strict=True).metatask


def edges(metatask: MetaTask) -> set[tuple[str, str, str]]:
    """(producer, consumer, what else the edge says)."""
    said = ((e, " ".join(f"{key}={value}" for key, value in e.settings.items())) for e in metatask.edges)
    return {(e.source, e.target, text) for e, text in said}


def codes(answer: WrapAnswer) -> list[str]:
    return [finding.code for finding in answer.warnings]


def test_a_script_becomes_a_task_with_a_copy_beside_it(script: Write) -> None:
    path = script("job", "--job-name='My job.v2' -c 4 --array=0-9%3", body="echo ${param.x} {output}")
    _, found = wrapped(path)
    task = found.task("My-job-v2")
    assert {k: v for k, v in task.settings.items() if k not in ("command", "param.array")} == {
        "resources.cores": 4,
        "max_running": 3,
        "split.jobs": 10,
        "retry.max_attempts": 1,
    }
    assert (path.parent / "w.files" / "My-job-v2.sbatch").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("jobs", [1, 4, 5, 9])
@pytest.mark.parametrize("kind", ["afterok", "afterany"])
def test_an_array_keeps_its_own_units_whatever_it_waits_for(kind: str, jobs: int, script: Write) -> None:
    _, found = wrapped(script("a", f"-a 1-{jobs}"), script("b", "-a 1-5", f"-d {kind}:a"))
    assert edges(found) == {("a", "b", WAITS)}
    assert [task.settings["split.jobs"] for task in found.tasks] == [jobs, 5]


def test_a_single_job_waits_for_all_before_it(script: Write) -> None:
    _, found = wrapped(script("a", "--array=1-9"), script("b"), script("c", "-d afterok:a:b"))
    assert edges(found) == {("a", "c", WAITS), ("b", "c", WAITS)}
    assert "split.jobs" not in found.task("c").settings


@pytest.mark.parametrize("name", ["first", "FIRST", "a.sbatch", "a"])
def test_a_script_is_known_by_its_job_name_and_its_file(name: str, script: Write) -> None:
    _, found = wrapped(script("a", "-J first"), script("b", f"--dependency=afterok:{name}"))
    assert edges(found) == {("first", "b", WAITS)}


def test_arrays_of_one_size_pair_up(script: Write) -> None:
    _, found = wrapped(script("a", "-a 1-5"), script("b", "-a 0-4", "-d aftercorr:a"))
    assert edges(found) == {("a", "b", FOLLOWS)}
    assert "split.jobs" not in found.task("b").settings


def test_arrays_of_other_sizes_do_not_pair_up(script: Write) -> None:
    _, found = wrapped(script("a", "-a 1-5"), script("b", "-a 0-5", "-d aftercorr:a"))
    assert edges(found) == {("a", "b", WAITS)}
    assert found.task("b").settings["split.jobs"] == 6


def test_an_array_has_one_partner_and_waits_for_the_rest(script: Write) -> None:
    arrays = [script(name, "-a 1-5") for name in "abc"]
    _, found = wrapped(*arrays, script("d", "-a 0-4", "-d afterok:a,aftercorr:b,aftercorr:c"))
    assert edges(found) == {("a", "d", WAITS), ("b", "d", FOLLOWS), ("c", "d", WAITS)}


def test_nobody_pairs_up_with_jobs_numbered_as_their_partners_ended(script: Write) -> None:
    a, b = script("a", "-a 1-5"), script("b", "-a 1-5", "-d aftercorr:a")
    _, found = wrapped(script("c", "-a 1-5", "-d aftercorr:b"), a, b)
    assert edges(found) == {("a", "b", FOLLOWS), ("b", "c", WAITS)}
    _, found = wrapped(script("d", "-a 1-5", "-d aftercorr:b"), add=True)
    assert ("b", "d", WAITS) in edges(found)


@pytest.mark.parametrize(
    ("dependency", "code"),
    [
        ("afterok:$JOB", "unknown-dependency"),
        ("afterok:12345", "unknown-dependency"),
        ("afterok:aa", "unknown-dependency"),
        ("after:a", "no-such-edge"),
        ("singleton", "no-such-edge"),
        ("afternotok:a", "afternotok"),
    ],
)
def test_a_dependency_that_no_edge_can_say_is_told(dependency: str, code: str, script: Write) -> None:
    answer, found = wrapped(script("a"), script("b", f"-d {dependency}"))
    assert (codes(answer), edges(found)) == ([code], set())


def test_what_others_take_as_it_ends_may_fail_in_part(script: Write) -> None:
    answer, found = wrapped(script("a", "-a 1-3"), script("b", "-d afterany:a"))
    assert (codes(answer), found.task("a").settings["goal"]) == (["afterany"], 0)


def test_a_circle_of_dependencies_is_refused(script: Write) -> None:
    with pytest.raises(BadInput, match="circle"):
        wrapped(script("a", "-d afterok:b"), script("b", "-d afterok:a"))


def test_all_faults_of_all_scripts_are_told_and_nothing_is_written(script: Write) -> None:
    paths = (script("a", "--time=x", "--array=2-1"), script("b", "--mem=lots"))
    with pytest.raises(BadInput) as refused:
        wrapped(*paths)
    assert [(one.subject, one.line) for one in refused.value.findings] == [
        ("a.sbatch", 2),
        ("a.sbatch", 3),
        ("b.sbatch", 2),
    ]
    assert not (paths[0].parent / "w.graphml").exists()


def test_two_scripts_of_one_name_are_told_apart(script: Write) -> None:
    answer, found = wrapped(script("a", "-J x"), script("b", "-J X"))
    assert (codes(answer), [task.name for task in found.tasks]) == (["renamed"], ["x", "X-2"])


def test_a_file_that_exists_is_kept_unless_forced(script: Write) -> None:
    path = script("a")
    wrapped(path)
    with pytest.raises(Refused, match="--force"):
        wrapped(path)
    wrapped(path, force=True)


def test_a_script_is_added_to_a_graph(script: Write) -> None:
    wrapped(script("a", "-a 1-4"))
    _, found = wrapped(script("b", "-d afterok:a"), add=True)
    assert edges(found) == {("a", "b", WAITS)}
    with pytest.raises(BadInput, match="holds a task b already"):
        wrapped(script("b"), add=True)


def test_an_array_that_is_added_pairs_up_with_one_of_the_graph(script: Write) -> None:
    wrapped(script("a", "-a 1-4"))
    _, found = wrapped(script("b", "-a 1-4", "-d aftercorr:a"), add=True)
    assert edges(found) == {("a", "b", FOLLOWS)}


def test_a_script_of_another_folder_is_added_with_it(script: Write, tmp_path: Path) -> None:
    wrapped(script("a"))
    wrapping.wrap(WrapRequest(tmp_path / "w.graphml", [script("b")], [], tmp_path / "other", add=True))
    found = reader.read(tmp_path / "w.graphml").metatask
    assert found.settings["param.submit_dir"] == str(tmp_path)
    assert found.task("b").settings["param.submit_dir"] == str(tmp_path / "other")


# The program that stands beside the file


@pytest.mark.parametrize(
    ("array", "position", "index"),
    [("0-9", "000008", "7"), ("1-19:2", "10", "19"), ("1,3,7", "2", "3"), ("1-3,10-30:10", "6", "30"),
     ("0-4", "7", "1")],
)  # fmt: skip
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_a_place_in_the_array_is_an_index(
    shell: str, array: str, position: str, index: str, tmp_path: Path
) -> None:
    (tmp_path / "run.sh").write_text(runner.TEXT)
    (tmp_path / "job").write_text('#!/bin/sh\necho "$SLURM_ARRAY_TASK_ID"\n')
    command = [shell, "run.sh", "-d", str(tmp_path), "-a", array, "-n", position, "job"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout == f"{index}\n"


# To the end: what a user types


def run(folder: Path, *wrap_arguments: str, slots: int = 0) -> subprocess.CompletedProcess[str]:
    """Wrap in a folder, then run from elsewhere."""
    made = deft("wrap", *wrap_arguments, "-o", "w.graphml", cwd=folder)
    assert made.returncode == 0, made.stderr
    (folder / "elsewhere").mkdir()
    environ = {k: v for k, v in os.environ.items() if not k.startswith("SLURM_")}
    environ |= {"DEFT_JEDI__SLOTS": str(slots)} if slots else {}
    work = str(folder / "W")
    return deft("run", "../w.graphml", "--workdir", work, cwd=folder / "elsewhere", environ=environ)


def test_an_array_runs_as_its_script_expects(script: Write, tmp_path: Path) -> None:
    body = (
        'echo "$SLURM_ARRAY_TASK_ID $SLURM_ARRAY_TASK_COUNT $SLURM_ARRAY_TASK_MIN $SLURM_ARRAY_TASK_MAX '
        '$SLURM_CPUS_PER_TASK $SLURM_SUBMIT_DIR" > out_$SLURM_ARRAY_TASK_ID'
    )
    (tmp_path / "deep er").mkdir()
    script("job", "-a 1-7:3,20 -c 2", '--chdir="deep er"', body=body)
    ran = run(tmp_path, "job.sbatch")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = {path.name: path.read_text().strip() for path in (tmp_path / "deep er").iterdir()}
    assert lines == {f"out_{n}": f"{n} 4 1 20 2 {tmp_path}" for n in (1, 4, 7, 20)}


def test_scripts_run_in_the_order_of_their_dependencies(script: Write, tmp_path: Path) -> None:
    script("each", "-a 0-2", "--dependency=afterok:make", body='cp made "each_$SLURM_ARRAY_TASK_ID"')
    script("all", "-J 'all of it'", "--dependency=afterok:each", body="cat each_* > all")
    script("make", body="sleep 0.2; echo made > made")
    ran = run(tmp_path, "each.sbatch", "all.sbatch", "make.sbatch")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "all").read_text() == "made\n" * 3


@pytest.mark.parametrize("jobs", [1, 2, 3, 4])
def test_no_job_of_an_array_runs_before_all_before_it_ended(jobs: int, script: Write, tmp_path: Path) -> None:
    body = 'sleep "0.$SLURM_ARRAY_TASK_ID"; echo > "a_$SLURM_ARRAY_TASK_ID"'
    script("a", f"-a 1-{jobs}", body=body)
    script("b", "-a 5-7", "-d afterok:a", body='ls a_* | wc -l > "b_$SLURM_ARRAY_TASK_ID"')
    ran = run(tmp_path, "a.sbatch", "b.sbatch")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    seen = {path.name: int(path.read_text()) for path in tmp_path.glob("b_*")}
    assert seen == {"b_5": jobs, "b_6": jobs, "b_7": jobs}


def test_each_job_finds_what_its_partner_made_in_a_row_of_arrays(script: Write, tmp_path: Path) -> None:
    n = "$SLURM_ARRAY_TASK_ID"
    script("a", "-a 1-4", body=f'sleep "$((4 - {n}))"; echo {n} > a_{n}')  # the last one ends first
    script("b", "-a 1-4", "-d aftercorr:a", body=f"cp a_{n} b_{n}")
    script("c", "-a 1-4", "-d aftercorr:b", body=f"cp b_{n} c_{n}")
    ran = run(tmp_path, "a.sbatch", "b.sbatch", "c.sbatch", slots=8)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert {path.name: path.read_text() for path in tmp_path.glob("c_*")} == {
        f"c_{index}": f"{index}\n" for index in range(1, 5)
    }


def test_a_script_runs_after_one_that_failed_in_part_if_it_takes_any(script: Write, tmp_path: Path) -> None:
    script("a", "-a 1-3", body='test "$SLURM_ARRAY_TASK_ID" != 2')
    script("b", "-a 1-2", "-d afterany:a", body='echo > "b_$SLURM_ARRAY_TASK_ID"')
    ran = run(tmp_path, "a.sbatch", "b.sbatch")
    assert "default/w is finished" in ran.stdout + ran.stderr
    assert sorted(path.name for path in tmp_path.glob("b_*")) == ["b_1", "b_2"]


@pytest.mark.parametrize("body", ["false", 'test "$SLURM_ARRAY_TASK_ID" != 2'])
def test_a_script_does_not_run_after_one_that_failed(body: str, script: Write, tmp_path: Path) -> None:
    script("a", "-a 1-3", body=body)
    script("b", "-a 1-2", "-d afterok:a", body='echo > "b_$SLURM_ARRAY_TASK_ID"')
    ran = run(tmp_path, "a.sbatch", "b.sbatch")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "b waits for input" in ran.stdout + ran.stderr
    assert not list(tmp_path.glob("b_*"))


def test_a_list_of_commands_runs_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "todo.txt").write_text(
        "# three\necho 'it''s {output} {unit.key}' \"$((1 + 1))\" > one\n\n"
        'echo two \\\n  lines > "two x"\nprintf %s "%%" > three; test -s three\n'
    )
    ran = run(tmp_path, "--commands", "todo.txt")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    texts = [(tmp_path / name).read_text() for name in ("one", "two x", "three")]
    assert texts == ["its {output} {unit.key} 2\n", "two lines\n", "%%"]


def test_the_command_tells_what_became_of_each_line(script: Write, tmp_path: Path) -> None:
    script("job", "-n 2 -o log", "--frobnicate")
    made = deft("wrap", "job.sbatch", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    for text in ("resources.tasks = 2", "left out", "unknown-directive", "line 3"):
        assert text in made.stderr
    assert "wrote job.graphml" in made.stdout


def test_the_report_can_be_read_by_a_program(script: Write, tmp_path: Path) -> None:
    script("job", "-n 2")
    made = deft("wrap", "job.sbatch", "--json", cwd=tmp_path)
    answer = json.loads(made.stdout)
    assert answer["sources"][0]["directives"][0]["becomes"] == "resources.tasks = 2"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("none.sbatch", 3), ("", 2), ("job.sbatch -o w", 6), ("--add-sbatch job.sbatch --to none.graphml", 3),
     ("job.sbatch --to a.graphml --name x", 2), ("job.sbatch --name 9", 6)],
)  # fmt: skip
def test_a_wrong_call_ends_with_its_code(arguments: str, code: int, script: Write, tmp_path: Path) -> None:
    script("job")
    assert deft("wrap", *arguments.split(), cwd=tmp_path).returncode == code
