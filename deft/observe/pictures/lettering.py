"""How wide text is, at most, and text that is made to fit.

Widths are those of DejaVu Sans, the widest of the fonts that a viewer is likely to take: what fits there fits
everywhere. They come from its metrics, in thousandths of the size of the letters.
"""

from __future__ import annotations

import unicodedata

FAMILY = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_FIRST = " "
_PLAIN = (
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636,
    636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295,
    295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838,
    500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521,
    392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
)  # fmt: skip
_BOLD = (
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696,
    696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372,
    372, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838,
    500, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595,
    478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
)  # fmt: skip
_OTHER, _WIDE = 800, 1000
_ELLIPSIS = "…"
_WIDTHS = tuple(
    {chr(ord(_FIRST) + n): width for n, width in enumerate(table)} | {_ELLIPSIS: _WIDE, "·": 380}
    for table in (_PLAIN, _BOLD)
)


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is at most, in the unit of `size`."""
    known = _WIDTHS[bold]
    return sum(known.get(c) or _unknown(c) for c in text) * size / 1000


def _unknown(character: str) -> int:
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER


def shortened(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, or its beginning and its end around an ellipsis, so that it fits into `room`.

    Names of copies differ at their end, so more is left of that.
    """
    if width(text, size, bold=bold) <= room:
        return text
    low, high = 1, len(text) - 1
    while low < high:  # the most characters that fit
        middle = (low + high + 1) // 2
        if width(_cut(text, middle), size, bold=bold) <= room:
            low = middle
        else:
            high = middle - 1
    return _cut(text, low)


def _cut(text: str, kept: int) -> str:
    head = max(1, kept * 2 // 5)
    tail = kept - head
    return text[:head] + _ELLIPSIS + (text[-tail:] if tail else "")


def short(number: int) -> str:
    """A number in five characters: 12345, 1.23M."""
    if abs(number) < 100_000:
        return str(number)
    for unit in "kMGT":
        number_of = number / 1000 ** ("kMGT".index(unit) + 1)
        if abs(number_of) < 999.5:
            return f"{number_of:.3g}{unit}"
    return f"{number:.2g}"


def plain(text: str) -> str:
    """The text without characters that control, reorder or break lines."""
    if text.isprintable():
        return text
    return "".join(c if unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for c in text)
