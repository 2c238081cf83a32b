"""Large documents that mean harm are refused at the limit they pass, before they cost anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deft.authoring.graphml import reader
from deft.base.errors import BadInput
from deft.base.limits import KIB, MIB, Limits, Upload
from tests.support.hostile import HOSTILE, Hostile

SMALL = Limits(
    bytes=8 * MIB, ratio=50, ratio_from=MIB, element=256 * KIB, token=128 * KIB, text=64 * KIB, keys=50,
    values=20_000, fragments=5_000, nodes=2_000, edges=4_000,
)  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE, ids=[one.name for one in HOSTILE])
def test_a_hostile_document_is_refused_by_its_code(hostile: Hostile, tmp_path: Path) -> None:
    path = tmp_path / "hostile.graphml"
    hostile.write(path, SMALL)
    with pytest.raises(BadInput) as caught:
        reader.read(path, limits=SMALL)
    codes = [finding.code for finding in caught.value.findings]
    assert hostile.code in codes
    assert set(codes) <= {hostile.code, "too-many-faults"}
    assert len(codes) <= 101


# Reads a document under the limits of uploads, and says its peak in KiB, which begins anew with each program.
READ = """
import sys
from pathlib import Path
from deft.authoring.graphml import reader
from deft.base.errors import BadInput
from deft.base.limits import Upload
try:
    reader.read(Path(sys.argv[1]), limits=Upload())
except BadInput as fault:
    print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("hostile", HOSTILE, ids=[one.name for one in HOSTILE])
def test_a_hostile_upload_costs_little_memory(hostile: Hostile, tmp_path: Path) -> None:
    path = tmp_path / "hostile.graphml"
    hostile.write(path, Upload())
    said = subprocess.run([sys.executable, "-c", READ, str(path)], check=True, capture_output=True, text=True)
    assert int(said.stdout) < 200 * KIB
