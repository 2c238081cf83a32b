"""A WfFormat document that looks like Montage, a mosaic of the sky: of any size, the same each time.

Each image is projected, neighbours are compared (mDiffFit), the fits are gathered and solved, each image is
corrected by the solution, and all of them become one mosaic.

    python -m tests.support.montage 1000 > montage.json
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

_AFTER = 6  # mConcatFit, mBgModel, mImgtbl, mAdd, mShrink, mViewer
_MB = 1_000_000


def instance(tasks: int, *, version: str = "1.5") -> dict[str, Any]:
    """A document of exactly that many tasks (10 or more), of one band of the sky."""
    made = _Making(tasks)
    made.all_steps()
    return made.split(version) if version in ("1.5", "1.6") else made.flat(version)


class _Making:
    def __init__(self, tasks: int) -> None:
        # Of n images n are projected and n corrected; the rest are comparisons.
        self.images = max(2, (tasks - _AFTER) // 5)
        self.pairs = tasks - _AFTER - 2 * self.images
        self.random = random.Random(tasks)
        self.tasks: list[dict[str, Any]] = []
        self.sizes: dict[str, int] = {}

    def all_steps(self) -> None:
        images = range(self.images)
        for n in images:
            self._add("mProject", [f"raw_{n}.fits", "region.hdr"], [f"p_{n}.fits", f"p_{n}_area.fits"])
        fits = []
        for n in range(self.pairs):
            one, other = n % self.images, (n + 1 + n // self.images) % self.images
            fits.append(f"fit.{n:06d}.txt")
            read = [name for k in (one, other) for name in (f"p_{k}.fits", f"p_{k}_area.fits")]
            self._add("mDiffFit", [*read, "region.hdr"], [fits[-1]])
        self._add("mConcatFit", [*fits, "stat.tbl"], ["fits.tbl"])
        self._add("mBgModel", ["fits.tbl", "images.tbl"], ["corrections.tbl"])
        for n in images:
            read = [f"p_{n}.fits", f"p_{n}_area.fits", "corrections.tbl"]
            self._add("mBackground", read, [f"c_{n}.fits", f"c_{n}_area.fits"])
        self._add("mImgtbl", ["cimages.tbl", *(f"c_{n}.fits" for n in images)], ["new.tbl"])
        areas = [name for n in images for name in (f"c_{n}.fits", f"c_{n}_area.fits")]
        self._add("mAdd", ["new.tbl", "region.hdr", *areas], ["mosaic.fits", "mosaic_area.fits"])
        self._add("mShrink", ["mosaic.fits"], ["small.fits"])
        self._add("mViewer", ["small.fits"], ["mosaic.jpg"])

    def _add(self, program: str, read: list[str], written: list[str]) -> None:
        number = len(self.tasks) + 1
        for name in (*read, *written):
            self.sizes.setdefault(name, self.random.randrange(300, 4 * _MB))
        self.tasks.append(
            {
                "name": f"{program}_ID{number:07d}",
                "id": f"ID{number:07d}",
                "category": program,
                "read": read,
                "written": written,
                "runtimeInSeconds": round(self.random.uniform(0.1, 20), 3),
                "avgCPU": round(self.random.uniform(5, 100), 4),
                "memoryInBytes": self.random.randrange(2 * _MB, 20 * _MB),
                "priority": 20,
                "command": {"program": program, "arguments": [*read, *written][:8]},
            }
        )

    def _kin(self, key: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Parents and children of every task, by its name or id."""
        maker = {file: task[key] for task in self.tasks for file in task["written"]}
        parents = {
            task[key]: list(dict.fromkeys(maker[file] for file in task["read"] if file in maker))
            for task in self.tasks
        }
        children: dict[str, list[str]] = {task[key]: [] for task in self.tasks}
        for child, found in parents.items():
            for parent in found:
                children[parent].append(child)
        return parents, children

    def flat(self, version: str) -> dict[str, Any]:
        """All of a task in one object, as in WfFormat 1.3 and 1.4."""
        parents, children = self._kin("name")
        tasks = []
        for task in self.tasks:
            files = [
                {"link": link, "name": name, "sizeInBytes": self.sizes[name]}
                for link, key in (("input", "read"), ("output", "written"))
                for name in task[key]
            ]
            rest = {key: value for key, value in task.items() if key not in ("read", "written")}
            name = task["name"]
            tasks.append({**rest, "type": "compute", "parents": parents[name], "children": children[name],
                          "files": files, "machine": "node1", "cores": 1})  # fmt: skip
        body = {"makespanInSeconds": 437, "executedAt": "2020-01-01T00:00:00Z", "tasks": tasks,
                "machines": [{"nodeName": "node1", "cpu": {"count": 48}}]}  # fmt: skip
        return {
            **_HEAD,
            "schemaVersion": version,
            "wms": {"name": "Pegasus", "version": "5.0"},
            "workflow": body,
        }

    def split(self, version: str) -> dict[str, Any]:
        """Specification and execution, as in WfFormat 1.5 and 1.6."""
        parents, children = self._kin("name")
        measured = ("runtimeInSeconds", "avgCPU", "memoryInBytes", "priority", "command")
        specification = [
            {"name": task["category"], "id": task["name"], "parents": parents[task["name"]],
             "children": children[task["name"]], "inputFiles": task["read"], "outputFiles": task["written"]}
            for task in self.tasks
        ]  # fmt: skip
        execution = [
            {"id": task["name"], **{key: task[key] for key in measured}, "coreCount": 1,
             "machines": ["node1"]}
            for task in self.tasks
        ]  # fmt: skip
        files = [{"id": name, "sizeInBytes": size} for name, size in self.sizes.items()]
        body = {
            "specification": {"tasks": specification, "files": files},
            "execution": {"makespanInSeconds": 437, "executedAt": "2020-01-01T00:00:00Z", "tasks": execution,
                          "machines": [{"nodeName": "node1", "cpu": {"coreCount": 48}}]},
        }  # fmt: skip
        return {**_HEAD, "schemaVersion": version, "runtimeSystem": _SYSTEM, "workflow": body}


_SYSTEM = {"name": "Pegasus", "version": "5.0"}
_HEAD = {
    "name": "montage",
    "description": "A mosaic that nobody made",
    "createdAt": "2020-01-01T00:00:00Z",
    "author": {"name": "DEFT", "email": "deft@example.org"},
}

if __name__ == "__main__":
    json.dump(instance(int(sys.argv[1]), version=(sys.argv[2:] or ["1.5"])[0]), sys.stdout, indent=1)
