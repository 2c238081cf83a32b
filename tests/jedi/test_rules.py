"""The pure rules of JEDI: splitting, retrying, the life of a job, placeholders of a job."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deft.base.config import Settings
from deft.base.errors import BadInput, Refused
from deft.jedi import filling, net, retry, specs
from deft.jedi.filling import Wanted
from deft.jedi.jobs import Ending, Fed, JobState, Result
from deft.jedi.listing import list_files
from deft.jedi.retry import Case
from deft.jedi.split import Split, pack
from deft.jedi.store import FedUnit
from deft.wire.orders import Input, TaskSpec
from tests.jedi.bench import output, spec, synthetic

# --- splitting ---------------------------------------------------------------------------------------------


@given(st.lists(st.integers(), max_size=50), st.integers(1, 60))
def test_every_unit_is_packed_once_and_in_order(units: list[int], size: int) -> None:
    assert list(itertools.chain(*pack(units, Split(size)))) == units


@given(st.lists(st.integers(), min_size=1, max_size=50), st.integers(1, 60))
def test_no_job_takes_more_than_its_share(units: list[int], size: int) -> None:
    assert all(1 <= len(part) <= size for part in pack(units, Split(size)))


def test_a_reduce_task_takes_all_units_in_one_job() -> None:
    assert list(pack([1, 2, 3], Split.of({"split.units_per_job": 2}, reduce=True))) == [[1, 2, 3]]


def test_a_job_takes_one_unit_unless_it_says_otherwise() -> None:
    assert Split.of({}, reduce=False) == Split(1)


def test_the_most_units_a_job_may_take_beats_what_is_wanted() -> None:
    settings = {"split.units_per_job": 10, "split.max_units_per_job": 4}
    assert Split.of(settings, reduce=False) == Split(4)


# --- retrying ----------------------------------------------------------------------------------------------


def _case(ending: Ending, attempts: int = 1, losses: int = 0, **flags: bool) -> Case:
    return Case(ending, attempts, losses, max_attempts=3, max_losses=5, **flags)


@pytest.mark.parametrize("ending", ["exit", "signal", "timeout", "no-output"])
def test_a_failure_is_tried_again_until_the_attempts_are_used_up(ending: str) -> None:
    verdicts = [retry.judge(_case(Ending(ending), attempts)).units for attempts in (1, 2, 3)]
    assert verdicts == [Fed.READY, Fed.READY, Fed.FAILED]


def test_a_loss_is_never_charged_but_has_an_end() -> None:
    verdicts = [retry.judge(_case(Ending.LOST, 0, losses)).units for losses in (1, 5, 6)]
    assert verdicts == [Fed.READY, Fed.READY, Fed.FAILED]


def test_a_full_disk_is_not_tried_again() -> None:
    assert retry.judge(_case(Ending.NO_SPACE)).units is Fed.FAILED


def test_what_we_stopped_ourselves_is_ready_again() -> None:
    assert retry.judge(_case(Ending.CANCELLED, losses=99, asked=True)).units is Fed.READY


@pytest.mark.parametrize("ending", [e for e in Ending if e is not Ending.OK])
def test_under_abort_whatever_is_not_ok_is_skipped_or_failed(ending: Ending) -> None:
    assert retry.judge(_case(ending, skipping=True)).units in {Fed.SKIPPED, Fed.FAILED}


def test_a_result_that_came_in_time_counts_even_under_abort() -> None:
    assert retry.judge(_case(Ending.OK, skipping=True)).units is Fed.OK


# --- the life of a job -------------------------------------------------------------------------------------


def test_every_verdict_is_a_move_of_the_net_from_every_state_under_way() -> None:
    moves = {net.move(s, rule.verdict.event) for s in net.UNDER_WAY for rule in retry.RULES}
    assert moves == {JobState.OK, JobState.PLANNED, *net.UNSUCCESSFUL, JobState.CANCELLED}


def test_every_state_is_reached_from_planned() -> None:
    reached = {JobState.PLANNED}
    for _ in JobState:
        reached |= {row.gives for row in net.NET if row.takes in reached}
    assert reached == set(JobState)


def test_a_job_that_is_ok_does_not_fail() -> None:
    with pytest.raises(Refused, match="a job that is ok does not fail"):
        net.move(JobState.OK, "fail")


# --- filling -----------------------------------------------------------------------------------------------


def _unit(key: str, edge: int = 1, path: str | None = None) -> FedUnit:
    return FedUnit(edge, int(key), None, key, path, 10, edge, int(key))


def _command(task: TaskSpec, *units: FedUnit, secondary: tuple[FedUnit, ...] = ()) -> str:
    wanted = Wanted(task, 7, 1, "token", Path("/w/jobs/x"), units, secondary)
    return str(filling.job_file(wanted, Settings(Path("/w")))["command"])


def test_a_synthetic_unit_is_its_number() -> None:
    assert _command(spec("gen {input} {unit.key} {job.index}"), _unit("3")) == "gen 3 3 7"


def test_a_file_is_its_path_quoted() -> None:
    task = spec(
        "cat {input} > {output}", inputs=(Input(1, 1, "d", "raw"),), outputs=(output(2, format="dat"),)
    )
    assert _command(task, _unit("3", path="/a b")) == "cat '/a b' > /w/jobs/x/out/000007.dat"


def test_several_units_do_not_fit_input() -> None:
    with pytest.raises(BadInput, match=r"use \{inputs\}"):
        _command(spec("cat {input}"), _unit("1"), _unit("2"))


def test_a_secondary_input_is_named_by_role_or_type() -> None:
    inputs = (Input(1, 1, "d", "raw"), Input(2, 2, "c", "cal", role="secondary"))
    task = spec("x {input} {input.cal} {input.secondary}", inputs=inputs)
    filled = _command(task, _unit("1", path="/r"), secondary=(_unit("5", 2, "/c1"), _unit("6", 2, "/c2")))
    assert filled == "x /r /c1 /c2 /c1 /c2"


def test_two_outputs_are_named_by_type_and_the_first_one_is_the_output() -> None:
    outputs = (output(2, type="hist", format="root"), output(3, type="log"))
    filled = _command(spec("x {output} {output.hist} {output.log}", outputs=outputs), _unit("1"))
    first, same, second = filled.split()[1:]
    assert first == same
    assert (first, second) == ("/w/jobs/x/out/1-000007.root", "/w/jobs/x/out/2-000007")


def test_the_seed_depends_on_task_and_unit_alone() -> None:
    seeds = {filling.seed(spec("x"), key) for key in ("1", "1", "2")}
    assert len(seeds) == 2
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize(
    ("command", "settings", "said"),
    [
        ("", {}, "has no command"),
        ("x {inptu}", {}, r"unknown placeholder \{inptu\}"),
        ("x {param.y}", {}, r"unknown placeholder \{param.y\}"),
        ("x {output}", {}, r"unknown placeholder \{output\}"),
        ("x {input}", {"split.units_per_job": 2}, r"use \{inputs\}"),
    ],
)
def test_an_unfit_definition_says_why(command: str, settings: dict[str, int], said: str) -> None:
    found = specs.why_unfit(spec(command, settings=settings, inputs=(synthetic(1),)))
    assert re.search(said, found or "")


def test_a_fit_definition_passes() -> None:
    assert specs.why_unfit(spec("awk '{print $1}' {inputs} {{literal}}")) is None


def test_the_words_of_an_outcome_name_the_signal() -> None:
    assert retry.words(Result(Ending.SIGNAL, "boom", 139, 11)) == "killed by SIGSEGV: boom"


# --- listing -----------------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a/1.raw", "a/2.raw", "a/b/3.raw", "a/b/4.txt", "c/[x].raw"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def _names(tree: Path, *sources: str) -> list[str]:
    at = [f"{s[0]}{tree}/{s[1:]}" if s[0] in "!@" else f"{tree}/{s}" for s in sources]
    return [str(Path(file.path).relative_to(tree)) for file in list_files(at).files]


def test_a_glob_stays_in_its_folder(tree: Path) -> None:
    assert _names(tree, "a/*.raw") == ["a/1.raw", "a/2.raw"]


def test_two_stars_cross_folders(tree: Path) -> None:
    assert _names(tree, "a/**/*.raw") == ["a/1.raw", "a/2.raw", "a/b/3.raw"]


def test_an_exclusion_works_on_the_whole_path(tree: Path) -> None:
    assert _names(tree, "a/**/*.raw", "!**/b/*") == ["a/1.raw", "a/2.raw"]


def test_a_path_named_in_full_is_not_left_out(tree: Path) -> None:
    assert _names(tree, "a/**/*.raw", "!**/b/*", "a/b/3.raw") == ["a/1.raw", "a/2.raw", "a/b/3.raw"]


def test_a_name_with_brackets_that_exists_is_that_file(tree: Path) -> None:
    assert _names(tree, "c/[x].raw") == ["c/[x].raw"]


def test_a_list_gives_paths_and_events(tree: Path) -> None:
    (tree / "list").write_text(f"{tree}/a/1.raw\t7\t100\n\n# note\na/2.raw\n")
    files = list_files([f"@{tree}/list"]).files
    assert [(Path(f.path).name, f.events) for f in files] == [("1.raw", 100), ("2.raw", 0)]


def test_what_is_missing_is_said(tree: Path) -> None:
    found = list_files([f"{tree}/none.raw", f"{tree}/a/1.raw"])
    assert (len(found.files), found.reason) == (1, f"{tree}/none.raw: No such file or directory")


def test_a_file_named_twice_is_one_unit(tree: Path) -> None:
    assert _names(tree, "a/1.raw", "a/*.raw") == ["a/1.raw", "a/2.raw"]
