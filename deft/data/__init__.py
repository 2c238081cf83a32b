"""Where the shipped files lie: SQL scripts, JSON schemas, templates.

In an installed wheel they are packages below this one; in a checkout they are folders at its top.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_HERE = Path(__file__).resolve().parent


def folder(name: Literal["sql", "schemas", "templates"]) -> Path:
    """The folder of that name. Raises FileNotFoundError where neither place has it."""
    places = (_HERE / name, _HERE.parents[1] / name)
    for place in places:
        if place.is_dir():
            return place
    looked = " nor ".join(map(str, places))
    raise FileNotFoundError(f"the shipped folder {name!r} is neither {looked}; install DEFT again")
