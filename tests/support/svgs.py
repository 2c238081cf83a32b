"""What stands in an SVG: its texts and titles, where they are, how well colours differ."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from deft.observe.pictures import lettering

NS = "{http://www.w3.org/2000/svg}"


def root(content: bytes) -> etree._Element:
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))


def texts(content: bytes) -> list[str]:
    """All that is written in it, in order."""
    return ["".join(map(str, one.itertext())) for one in root(content).iter(f"{NS}text")]


def titles(content: bytes) -> list[str]:
    """What is said of each box and tag."""
    return [one.text or "" for one in root(content).iter(f"{NS}title")]


def extents(group: etree._Element) -> Iterator[tuple[float, float, str, str]]:
    """Where each text of a box begins and ends, at most; its line, and what it says."""
    for text in group.iter(f"{NS}text"):
        size = float(text.get("font-size", "10"))
        wide = lettering.width(text.text or "", size, bold=text.get("font-weight") == "bold")
        before = {"middle": 0.5, "end": 1.0}.get(text.get("text-anchor", ""), 0.0)
        begin = float(text.get("x", "0")) - wide * before
        yield begin, begin + wide, text.get("y", ""), text.text or ""


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
