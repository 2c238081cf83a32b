"""The tutorial's second page: a small production in Python.

python docs/examples/first.py [WORKDIR]
"""

from __future__ import annotations

import sys

import deft


def production() -> deft.MetaTask:
    """Ten jobs throw dice, one counts the eyes."""
    made = deft.MetaTask("dice", params={"throws": 1000})
    made.task(
        "throw",
        "{python} -c 'import random, sys; draw = random.Random(int(sys.argv[1])); "
        "print(*[draw.randint(1, 6) for _ in range(int(sys.argv[2]))])' {job.seed} {param.throws} > {output}",
        jobs=10,
    ).then(
        "count",
        "cat {inputs} | tr ' ' '\\n' | sort | uniq -c > {output}",
        reduce=True,
    ).feeds(made.final(), format="txt")
    return made


def main() -> None:
    """Run it to its end, and say where the results are."""
    run = production().submit(sys.argv[1] if len(sys.argv) > 1 else "dice-work")
    ended = run.wait()
    print(f"{ended.metatask} is {ended.state}")
    for result in run.results():
        print(f"{result.task}: {result.path}")


if __name__ == "__main__":
    main()
