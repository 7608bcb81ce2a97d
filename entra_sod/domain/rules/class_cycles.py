"""Classes that lead in a circle. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.domain.rules.language import Side

SHOWN_OF_A_CIRCLE = 10


@dataclass(frozen=True, slots=True)
class Circle:
    """Classes that lead from one back to itself.

    Attributes:
        name: of the class that closes the circle.
        way: from it, as far as it is shown.
        length: the number of classes.
    """

    name: str
    way: Sequence[str]
    length: int

    def __str__(self) -> str:
        more = self.length - len(self.way)
        way = [*self.way, *([f"{more} more"] if more else []), self.name]
        return f"lead in a circle: {' → '.join(way)}"


def find_circles(classes: Mapping[str, Side]) -> Iterator[Circle]:
    """Each way from a class back to itself, once; every class is looked at once."""
    done: set[str] = set()
    for start in classes:
        way: list[str] = []
        places: dict[str, int] = {}
        turns = [] if start in done else [iter((start,))]
        while turns:
            name = next(turns[-1], None)
            if name is None:
                turns.pop()
                if way:
                    done.add(way[-1])
                    del places[way.pop()]
            elif name in places:
                first = places[name]
                shown = way[first : first + SHOWN_OF_A_CIRCLE]
                yield Circle(name, shown, len(way) - first)
            elif name in classes and name not in done:
                places[name] = len(way)
                way.append(name)
                turns.append(iter(classes[name].classes))
