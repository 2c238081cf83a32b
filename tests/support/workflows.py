"""Whether this Python has PyUtilib, for the tests that use it."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from tests.support.needs import need


def need_pyutilib() -> None:
    """Skip where the library is missing (in a full run: fail), and where no version of it works."""
    if sys.version_info >= (3, 12):
        pytest.skip("PyUtilib needs Python below 3.12")
    need("PyUtilib", importlib.util.find_spec("pyutilib"), "pip install 'deft[pyutilib]'")
