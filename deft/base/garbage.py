"""The cyclic garbage collector, held where nearly all that is made stays: it takes up to 40 %."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """No collection inside; what is unreachable by then goes at the next one. May be nested."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
