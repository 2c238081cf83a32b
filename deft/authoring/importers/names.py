"""Legal names of tasks for whatever other programs call theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import TypeVar

from deft.authoring import slugs
from deft.authoring.graphml import assemble
from deft.model.keys import Value
from deft.model.tasks import is_name

Id = TypeVar("Id", bound=Hashable)
LONGEST, DIGITS = 64, 10


def tasks(called: Mapping[Id, str]) -> dict[Id, str]:
    """A name for each id, made of what it is called; of those called the same, also of the id."""
    times = Counter(called.values())
    texts = {id: text if times[text] == 1 else f"{text} {id}" for id, text in called.items()}
    named = slugs.labels(texts.values(), is_plain, LONGEST, make=assemble.slug, digits=DIGITS)
    return {id: named[text] for id, text in texts.items()}


def is_plain(text: str) -> bool:
    """True for a name of a task that no expansion has made."""
    return is_name(text) and "--" not in text


def literal(value: Value) -> str:
    """A text as it must be written so that nothing in it is taken for a parameter."""
    return str(value).replace("${", "$${")
