"""`python -m deft.jedi`: the executor as a process of its own, the way `deft run` starts it."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from deft.base import config, database
from deft.base.clock import SystemClock
from deft.base.errors import DeftError
from deft.jedi import service


def main() -> int:
    """Serve the database of a work folder; the exit code is that of the error that ended it."""
    parser = argparse.ArgumentParser(prog="deft.jedi", description="The executor of DEFT.")
    parser.add_argument("--workdir", required=True, type=Path)
    parser.add_argument("--until-parent-dies", action="store_true", help="stop when standard input ends")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = config.load(given.workdir.absolute(), os.environ)
        engine = database.open_engine(settings.jedi_url, must_exist=True)
        service.serve(settings, engine, SystemClock(), until_parent_dies=given.until_parent_dies)
    except DeftError as fault:
        print(f"deft.jedi: {fault}", file=sys.stderr)
        return fault.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
