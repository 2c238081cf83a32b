"""Large documents that mean harm, made as they are needed: each passes a limit, or is as bad as limits allow."""

# ruff: noqa: E501  each document is a row

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, permutations, repeat
from pathlib import Path

from deft.base.limits import Limits

NS = "http://graphml.graphdrawing.org/xmlns"
KEYS = "".join(
    f'<key id="{id}" for="{scope}" attr.name="{name}" attr.type="string"/>\n'
    for id, scope, name in (
        ("c", "node", "command"), ("n", "node", "resources.cores"), ("x", "node", "x"), ("t", "edge", "type")
    )
)  # fmt: skip
_PIECES = 2000  # that are joined into one write


@dataclass(frozen=True, slots=True)
class Hostile:
    """One of them: what it is, the code it is refused with, and its text under some limits."""

    name: str
    code: str
    text: Callable[[Limits], Iterator[str]]
    pack: Callable[[Iterable[bytes], Path], None] | None = None

    def write(self, path: Path, limits: Limits) -> None:
        """Make the file, no longer than the limits make sense of."""
        content = _cut(_bytes(self.text(limits)), limits.bytes + 2 * _PIECES)
        if self.pack is not None:
            self.pack(content, path)
            return
        with path.open("wb") as file:
            file.writelines(content)


def _bytes(pieces: Iterator[str]) -> Iterator[bytes]:
    batch: list[str] = []
    for piece in pieces:
        batch.append(piece)
        if len(batch) >= _PIECES:
            yield "".join(batch).encode()
            batch.clear()
    yield "".join(batch).encode()


def _cut(content: Iterator[bytes], most: int) -> Iterator[bytes]:
    for piece in content:
        yield piece[:most]
        most -= len(piece)
        if most <= 0:
            return


def _gzip(content: Iterable[bytes], path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.writelines(content)


def _crumbs(content: Iterable[bytes], path: Path) -> None:
    """A gzip stream of members with a byte each."""
    crumb = gzip.compress(b" ")
    with path.open("wb") as file:
        file.write(gzip.compress(b"".join(content)))
        for _ in range(100):
            file.write(crumb * 1000)


def _document(*parts: Iterable[str], keys: str = KEYS, end: str = "</graph></graphml>") -> Iterator[str]:
    yield f'<graphml xmlns="{NS}">\n{keys}<graph edgedefault="directed">\n'
    yield from chain.from_iterable(parts)
    yield end


def _nodes(number: int, data: Callable[[int], str] = lambda n: "") -> Iterator[str]:
    return (f'<node id="t{n}">{data(n)}</node>\n' for n in range(number))


def _edges(number: int, nodes: int, data: str = "") -> Iterator[str]:
    """Edges from earlier nodes to later ones."""
    draw = random.Random(1)
    for n in range(number):
        end = 1 + n % (nodes - 1)
        yield f'<edge id="e{n}" source="t{draw.randrange(end)}" target="t{end}">{data}</edge>\n'


def _blanks(limits: Limits) -> Iterator[str]:
    return repeat(" " * 1000, limits.element // 1000 + 400)


def _round(limits: Limits, data: Callable[[int], str] = lambda n: "") -> Iterator[str]:
    """As many nodes as may be, and edges that run in a circle: all of it must be read."""
    nodes = min(limits.nodes, 100_000)
    edges = min(limits.edges, 2 * nodes)
    back = f'<edge source="t{nodes - 1}" target="t0"/>\n'
    return _document(_nodes(nodes, data), _edges(edges - nodes, nodes), _chain(nodes), [back])


def _everything(limits: Limits) -> Iterator[str]:
    """Nearly as much of everything as may be, and a circle at the end."""
    nodes = min(limits.nodes, 100_000)
    values, drawn = limits.values // limits.nodes - 1, limits.fragments // limits.nodes
    data = '<data key="x">1</data>' * values + '<y:S xmlns:y="u:y"/>' * drawn
    edges = min(limits.edges, 2 * nodes) - 2
    back = f'<edge source="t{nodes - 1}" target="t0"/>\n'
    return _document(_nodes(nodes, lambda n: data), _edges(edges - nodes, nodes), _chain(nodes), [back])


def _chain(nodes: int) -> Iterator[str]:
    return (f'<edge source="t{n}" target="t{n + 1}"/>\n' for n in range(nodes - 1))


def _shuffled(n: int) -> str:
    """The same keys in ever other orders."""
    return _ORDERS[n % len(_ORDERS)]


_ORDERS = ["".join(one) for one in permutations(f'<data key="{key}">1</data>' for key in "cnx")]

HOSTILE: tuple[Hostile, ...] = (
    Hostile("nodes", "too-many-nodes", lambda limits: _document(f'<node id="t{n}"/>' for n in count())),
    Hostile("edges", "too-many-edges",
            lambda limits: _document(_nodes(2), (f'<edge id="e{n}" source="t0" target="t1"/>' for n in count()))),
    Hostile("strangers", "too-many-nodes",
            lambda limits: _document(f'<edge source="a{n}" target="b{n}"/>' for n in count())),
    Hostile("values", "too-many-values",
            lambda limits: _document(_nodes(limits.nodes, lambda n: '<data key="x">1</data>' * 30))),
    Hostile("empty values", "too-many-values",
            lambda limits: _document(_nodes(limits.nodes, lambda n: '<data key="x"/>' * 30))),
    Hostile("fragments", "element-too-large", lambda limits: _document(repeat("<x/>"))),
    Hostile("fragments in nodes", "too-many-fragments",
            lambda limits: _document(_nodes(limits.nodes, lambda n: '<y:S xmlns:y="u:y"><y:G x="1"/></y:S>' * 9))),
    Hostile("keys", "too-many-keys",
            lambda limits: _document(keys="".join(f'<key id="k{n}" for="node"/>' for n in range(limits.keys + 1)))),
    Hostile("groups", "too-many-graphs",
            lambda limits: _document(f'<node id="g{n}"><graph/></node>' for n in count())),
    Hostile("bytes", "too-large",
            lambda limits: _document(_nodes(limits.nodes, lambda n: f'<data key="c">{"x" * (limits.text // 2)}</data>'))),
    Hostile("blanks at the end", "element-too-large",
            lambda limits: _document(_nodes(2), end="</graph></graphml>" + "".join(_blanks(limits)))),
    Hostile("one node", "element-too-large",
            lambda limits: _document(['<node id="a">'], repeat('<data key="x">1</data>'))),
    Hostile("a comment", "token-too-large",
            lambda limits: _document(["<!--"], repeat("a" * 1000, limits.token // 1000 + 400), ["-->"])),
    Hostile("an attribute", "token-too-large",
            lambda limits: _document(['<node id="'], repeat("a" * 1000, limits.token // 1000 + 400), ['"/>'])),
    Hostile("a text", "text-too-long",
            lambda limits: _document(['<node id="a"><data key="c">'], repeat("a" * 1000, limits.text // 1000 + 1),
                                     ["</data></node>"])),
    Hostile("a pit", "too-deep", lambda limits: _document(repeat("<x>", limits.depth + 1), repeat("</x>", limits.depth + 1))),
    Hostile("many attributes", "too-many-attributes",
            lambda limits: _document(["<node "], (f'a{n}="" ' for n in range(limits.attributes)), ['id="a"/>'])),
    Hostile("gzip", "gzip-bomb", lambda limits: _document(" " * 5000 + node for node in _nodes(limits.nodes)), _gzip),
    Hostile("gzip of crumbs", "bad-gzip", lambda limits: _document(_nodes(2)), _crumbs),
    Hostile("a circle", "cycle", lambda limits: _round(limits, lambda n: f'<data key="c">{n}</data>')),
    Hostile("a circle, keys shuffled", "cycle", lambda limits: _round(limits, _shuffled)),
    Hostile("a circle, drawn", "cycle",
            lambda limits: _round(limits, lambda n: '<data key="x"><y:S xmlns:y="u:y"/></data>' if n % 5 == 0 else "")),
    Hostile("a circle, all at once", "cycle", _everything),
    Hostile("one id for all", "duplicate-node",
            lambda limits: _document(repeat('<node id="a"/>\n', limits.nodes))),
    Hostile("one edge for all", "duplicate-edge",
            lambda limits: _document(_nodes(2), repeat('<edge id="e" source="t0" target="t1"/>', limits.edges))),
    Hostile("edges to nowhere", "dangling-edge",
            lambda limits: _document(_nodes(2), repeat('<edge source="t0" target="gone"/>', limits.edges))),
    Hostile("edges to themselves", "self-loop",
            lambda limits: _document(_nodes(2), repeat('<edge source="t0" target="t0"/>', limits.edges))),
    Hostile("wrong values", "bad-value",
            lambda limits: _document(_nodes(limits.nodes, lambda n: '<data key="n">many</data>'))),
)  # fmt: skip
