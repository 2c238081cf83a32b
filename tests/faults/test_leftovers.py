"""A payload whose wrapper died is killed with all that it started, even what it starts while it is killed."""

from __future__ import annotations

import os
import secrets
import subprocess

import pytest

from deft.jedi import claims
from tests.faults.scenario import kill, until

pytestmark = pytest.mark.faults


def test_who_starts_others_while_it_is_killed_leaves_nobody() -> None:
    token = secrets.token_hex(12)
    busy = "while :; do sleep 60 & done"
    payload = subprocess.Popen(
        ["/bin/sh", "-c", busy], env={**os.environ, "DEFT_ATTEMPT": token}, start_new_session=True
    )
    until(lambda: len(_marked(token)) > 20, "it has started others")
    claims.kill_payload(None, token)
    left = _marked(token)
    kill(*left)
    payload.wait()
    assert left == []


def _marked(token: str) -> list[int]:
    mark = f"DEFT_ATTEMPT={token}".encode()
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/environ", "rb") as environ:
                if mark in environ.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            continue
    return found
