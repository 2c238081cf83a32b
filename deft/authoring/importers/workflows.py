"""The importer of PyUtilib workflows: a source is MODULE:FACTORY, no file."""

from __future__ import annotations

from pathlib import Path

from deft.authoring.graphml.reader import Reading
from deft.authoring.importers.registry import Importer, Options
from deft.authoring.pyutilib import convert


def read(source: str, options: Options) -> Reading:
    """The Meta-Task of MODULE:FACTORY. Raises NotFound, BadInput with all that no Meta-Task can say."""
    return Reading(convert.read(source, Path.cwd()), ())


IMPORTER = Importer("a PyUtilib workflow, by MODULE:FACTORY", read)
