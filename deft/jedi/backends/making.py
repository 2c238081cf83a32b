"""The back-ends of one JEDI, from the settings: this machine, and every cluster by its name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from deft.base.clock import Clock
from deft.base.config import LOCAL, Settings, workers_allowed
from deft.jedi.backends import Backend
from deft.jedi.backends.local import LocalPool


def made(settings: Settings, clock: Clock, surroundings: Mapping[str, str]) -> dict[str, Backend]:
    """All back-ends, by the name of their cluster."""
    slots = settings.jedi.slots or workers_allowed()
    found: dict[str, Backend] = {LOCAL: LocalPool(slots, settings.workdir / "log")}
    if settings.clusters:  # loaded by name: a machine without a cluster does not pay for it
        batch = importlib.import_module("deft.jedi.backends.batch")
        for name, cluster in settings.clusters.items():
            found[name] = batch.opened(name, cluster, settings.workdir, clock, surroundings)
    return found
