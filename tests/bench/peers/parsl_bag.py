"""The bag as parsl does it in threads, with a checkpoint of every job: python parsl_bag.py JOBS."""

from __future__ import annotations

import subprocess
import sys

import parsl  # type: ignore[import-not-found]
from parsl.config import Config  # type: ignore[import-not-found]
from parsl.executors import ThreadPoolExecutor  # type: ignore[import-not-found]


@parsl.python_app(cache=True)  # type: ignore[untyped-decorator]
def job(number: int) -> int:
    """One job."""
    subprocess.run(["/bin/true"], check=True)
    return number


def config() -> Config:
    """Two threads, and every result on disk; how it is said changed between versions."""
    threads = [ThreadPoolExecutor(max_threads=2)]
    try:
        from parsl.dataflow.memoization import BasicMemoizer  # type: ignore[import-not-found]  # noqa: PLC0415

        return Config(executors=threads, memoizer=BasicMemoizer(checkpoint_mode="task_exit"))
    except (ImportError, TypeError):
        return Config(executors=threads, checkpoint_mode="task_exit")


if __name__ == "__main__":
    parsl.load(config())
    for future in [job(n) for n in range(int(sys.argv[1]))]:
        future.result()
    parsl.dfk().cleanup()
