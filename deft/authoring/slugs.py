"""Names made of any text: plain where it can be, with a short hash where two would be called the same."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable


def slug(text: str) -> str:
    """Letters, digits, _ and single - that look like the text; empty where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9_-]+", "-", plain)).strip("-_")


def labels(
    texts: Iterable[str],
    is_legal: Callable[[str], bool],
    longest: int,
    *,
    make: Callable[[str], str] = slug,
    digits: int = 6,
) -> dict[str, str]:
    """A name for each text, no two the same: itself where that is legal, else what `make` makes of it.

    A name that is too long, or made of several texts, ends in `digits` of a hash of its text. Empty where
    `make` is.
    """
    plain = {text: text if is_legal(text) else make(text) for text in texts}
    shared = Counter(plain.values())

    def unique(text: str, name: str) -> str:
        if not name or (len(name) <= longest and (text == name or shared[name] == 1)):
            return name
        told = hashlib.sha256(text.encode()).hexdigest()[:digits]
        return f"{name[: longest - digits - 1].rstrip('-')}-{told}"

    return {text: unique(text, name) for text, name in plain.items()}
