"""Do a transaction again that lost to another one; give up after a few times."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from deft.base.errors import Contended, Stale

T = TypeVar("T")

# Before each further try. Drawn at random up to twice that, so that two that met do not meet again.
PAUSES_S = (0.01, 0.03, 0.1, 0.3, 1.0)


def again(act: Callable[[], T]) -> T:
    """What `act` returns, a whole transaction that leaves nothing behind where it fails.

    It is tried six times where it raises Stale or Contended; the last of these goes to the caller.
    """
    for pause in PAUSES_S:
        try:
            return act()
        except (Stale, Contended):
            time.sleep(pause * random.uniform(0.0, 2.0))
    return act()
