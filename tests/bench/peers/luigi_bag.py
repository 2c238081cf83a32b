"""The bag as luigi does it, with a file a job as its record: python luigi_bag.py JOBS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import luigi  # type: ignore[import-not-found]


class Job(luigi.Task):  # type: ignore[misc]
    """One job."""

    number = luigi.IntParameter()

    def output(self) -> Any:
        return luigi.LocalTarget(f"done/{self.number}")

    def run(self) -> None:
        subprocess.run(["/bin/true"], check=True)
        Path(self.output().path).touch()


class Bag(luigi.WrapperTask):  # type: ignore[misc]
    """All of them."""

    def requires(self) -> list[Any]:
        return [Job(number=n) for n in range(int(sys.argv[1]))]


if __name__ == "__main__":
    Path("done").mkdir()
    sys.exit(not luigi.build([Bag()], local_scheduler=True, log_level="ERROR"))
