"""Classes that lead in a circle. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from entra_sod.domain.rules.language import Side

MAX_SHOWN_CLASSES = 10


def find_class_cycles(classes: Mapping[str, Side]) -> Iterator[tuple[str, str]]:
    """Each way from a class back to itself, once, told at the class that closes it."""
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
                yield name, _told([*way[places[name] :], name])
            elif name in classes and name not in done:
                places[name] = len(way)
                way.append(name)
                turns.append(iter(classes[name].classes))


def _told(circle: list[str]) -> str:
    if (more := len(circle) - 1 - MAX_SHOWN_CLASSES) > 0:
        circle = [*circle[:MAX_SHOWN_CLASSES], f"{more} more", circle[-1]]
    return f"lead in a circle: {' → '.join(circle)}"
