"""How large a document from outside may be: sections `[graphml]` and `[upload]` of the settings."""

from __future__ import annotations

from dataclasses import dataclass

KIB, MIB, GIB = 2**10, 2**20, 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """`[graphml]`: caps on one document; sizes in bytes, texts in characters.

    `ratio`: how many times larger a gzip stream may become, once it gave `ratio_from` bytes. `element`: one
    node, edge or key with all it holds. `token`: one tag, comment or piece of text. `values`: data elements.
    `fragments`: pieces of other tools, which are only kept.
    """

    bytes: int = GIB
    ratio: int = 200
    ratio_from: int = 16 * MIB
    element: int = 4 * MIB
    token: int = 2 * MIB
    text: int = MIB
    depth: int = 64
    attributes: int = 64
    keys: int = 1000
    values: int = 40_000_000
    fragments: int = 20_000_000
    nodes: int = 2_000_000
    edges: int = 8_000_000
    id: int = 255


@dataclass(frozen=True, slots=True)
class Upload(Limits):
    """`[upload]`: the same for a document that comes over HTTP: one that means harm costs two seconds."""

    bytes: int = 64 * MIB
    ratio_from: int = 4 * MIB
    element: int = MIB
    token: int = MIB
    values: int = 600_000
    fragments: int = 100_000
    nodes: int = 100_000
    edges: int = 200_000
