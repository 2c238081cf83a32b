"""A template to begin with: a chain, a bag, a bag of chains or a diamond that runs as it is.

Every command is a placeholder in plain /bin/sh that writes a file, so that the graph can be run first and
its commands be replaced one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from deft.base.errors import BadInput, Finding
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, Task, is_name

TOPOLOGIES = ("chain", "bag", "bag-of-chains", "diamond")
DEFAULT_STEPS = ("evgen", "simul", "reco")
MOST = 10_000  # copies side by side
OVER = "branch"  # the parameter over which steps are copied
_LEAST = {"diamond": 3}


def skeleton(name: str, topology: str, steps: Sequence[str], width: int = 1) -> MetaTask:
    """A Meta-Task of these steps; all but a chain have `width` copies side by side.

    chain: one step after the other. bag: nothing depends on anything. bag-of-chains: each copy is a chain. In
    a diamond the first step feeds all copies of the steps between, and they the last. Raises BadInput.
    """
    _check(topology, steps, width)
    wide = {"chain": (), "diamond": steps[1:-1]}.get(topology, steps)
    settings: dict[str, Value] = {"description": f"A {topology.replace('-', ' ')} of {', '.join(steps)}"}
    settings |= _parameter("units", "1", "files that each first step makes", "int")
    if wide:
        settings |= _parameter(
            OVER, _branches(width), "one copy of the steps for each of these names", "string list"
        )
    made = MetaTask(name, settings=settings)
    joins = [] if topology == "bag" else list(pairwise(steps))
    fed = {target for _, target in joins}
    for step in steps:
        made.add(_task(step, is_first=step not in fed, is_wide=step in wide))
    for source, target in joins:
        fans_in = source in wide and target not in wide
        made.join(Edge(source, target, _edge(source, reduce=fans_in), id=f"{source}-{target}"))
    return made


def _check(topology: str, steps: Sequence[str], width: int) -> None:
    found = [_bad(f"{step!r} is no legal name of a step", step) for step in steps if not _is_step(step)]
    found += [_bad(f"the step {step} is there twice", step) for step in sorted(_twice(steps))]
    if topology not in TOPOLOGIES:
        found.append(_bad(f"{topology!r} is none of {', '.join(TOPOLOGIES)}", topology))
    if len(steps) < _LEAST.get(topology, 1):
        found.append(_bad(f"a {topology} has at least {_LEAST.get(topology, 1)} steps", topology))
    if not 1 <= width <= MOST:
        found.append(_bad(f"the width {width} is not 1 to {MOST:,}", "width"))
    if topology == "chain" and width != 1:
        found.append(_bad("a chain has no width; a bag-of-chains has", "width"))
    if found:
        raise BadInput("no template can be made of this:", found)


def _bad(message: str, subject: str) -> Finding:
    return Finding("bad-skeleton", message, subject=subject)


def _is_step(text: str) -> bool:
    return is_name(text) and "--" not in text and len(text) <= 40


def _twice(steps: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    return {step for step in steps if step in seen or seen.add(step)}  # type: ignore[func-returns-value]


def _branches(width: int) -> str:
    digits = len(str(width))
    return ", ".join(f"b{number:0{digits}d}" for number in range(1, width + 1))


def _parameter(name: str, default: str, help: str, type: str) -> dict[str, Value]:
    return {f"param.{name}": default, f"param.{name}.help": help, f"param.{name}.type": type}


def _task(step: str, *, is_first: bool, is_wide: bool) -> Task:
    which = "{param.branch} " if is_wide else ""
    said = f'echo "{step} {which}job {{job.index}}"'
    settings: dict[str, Value] = {"command": f"{{ cat {{inputs}}; {said}; }} > {{output}}"}
    if is_first:
        settings = {"command": f"{said} > {{output}}", "split.jobs": "${param.units}"}
    if is_wide:
        settings["foreach"] = OVER
    return Task(step, settings=settings)


def _edge(source: str, *, reduce: bool) -> dict[str, Value]:
    settings: dict[str, Value] = {"type": source, "format": "txt"}
    return {**settings, "reduce": True} if reduce else settings
