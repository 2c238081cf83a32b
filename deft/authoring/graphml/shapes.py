"""Elements of one shape: the same keys in the same order, as whole files have them.

A shape is worked out once; then the data of an element is a few look-ups, and its values a tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter

from deft.authoring.graphml.declarations import Column
from deft.model.keys import Value

OWN = {"node": ("task", "metatask", "kind"), "edge": ()}  # settings that are not kept among the settings
_MOST = 100_000  # data elements in all shapes that are remembered

Names = tuple[str, ...]


class Shape:
    """The columns of some elements.

    `settings` picks the values that are called `names`, `foreign` the texts, at `places`, of `slots`.
    """

    __slots__ = (
        "foreign",
        "kind",
        "metatask",
        "names",
        "places",
        "settings",
        "slots",
        "starts",
        "task",
        "typed",
    )

    def __init__(self, holder: str, starts: list[list[str]], columns: Sequence[Column]) -> None:
        known = {column.name: at for at, column in enumerate(columns) if column.key is not None}
        own = OWN[holder]
        settings = {name: at for name, at in known.items() if name not in own}
        self.starts = starts
        self.task, self.metatask, self.kind = (known.get(name, -1) for name in OWN["node"])
        self.names: Names = tuple(settings)
        self.settings = _picker(tuple(settings.values()))
        # (place, texts that were parsed already, column) of each value that is no free text
        self.typed = tuple(
            (at, column.exact, column)
            for at, column in enumerate(columns)
            if column.key is not None and (not column.free or column.is_filled_in)
        )
        kept = {at: f"={one.id}" for at, one in enumerate(columns) if one.key is None and not one.dropped}
        self.slots: Names = tuple(kept.values())
        self.places = tuple(kept)
        self.foreign = _picker(self.places)

    def is_filled(self, row: list[Value]) -> bool:
        """Put values where texts are; False where one is not spelled as its type has it."""
        bent = []
        for at, exact, column in self.typed:
            text: str = row[at]  # type: ignore[assignment]
            value = exact.get(text)
            if value is None:
                value = column.bent.get(text)
                if value is not None:
                    bent.append(column)
                elif (value := column.plain(text)) is None:
                    return False
            row[at] = value
        for column in bent:
            column.again += 1
        return True


class Shapes:
    """The shapes of one kind of element; `last` is the one that came last, and most likely comes next."""

    def __init__(self, holder: str, table: dict[str, Column]) -> None:
        self._holder = holder
        self._table = table
        self._room = _MOST
        self._known: dict[tuple[str, ...], Shape] = {}
        self.last = Shape(holder, [], [])

    def find(self, starts: list[list[str]]) -> Shape | None:
        """The shape of data whose XML attributes are these; None where it is not plain."""
        keys = tuple(chain.from_iterable(starts))
        if len(keys) != 2 * len(starts):
            return None
        shape = self._known.get(keys) or self._learned(starts, keys)
        self.last = shape or self.last
        return shape

    def _learned(self, starts: list[list[str]], keys: tuple[str, ...]) -> Shape | None:
        if any(name != "key" for name in keys[::2]):
            return None
        found = [self._table[id] for id in keys[1::2] if id in self._table]
        names = [column.name for column in found if column.name]  # what is foreign may come twice
        if len(found) < len(starts) or len(set(names)) < len(names) or self._room < len(found):
            return None
        self._room -= len(found) + 1
        for column in found:
            column.used = not column.dropped
        shape = self._known[keys] = Shape(self._holder, starts, found)
        return shape


def _picker(places: tuple[int, ...]) -> Callable[[Sequence[Value]], tuple[Value, ...]]:
    """Picks several places of a row."""
    if len(places) > 1:
        return itemgetter(*places)
    if places:
        only = places[0]
        return lambda row: (row[only],)
    return lambda row: ()
