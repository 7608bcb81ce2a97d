"""Classes that lead in a circle. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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
                circle = told_circle([*way[places[name] :], name])
                yield name, f"lead in a circle: {circle}"
            elif name in classes and name not in done:
                places[name] = len(way)
                way.append(name)
                turns.append(iter(classes[name].classes))


def told_circle(circle: Sequence[str]) -> str:
    """Write a circle of names, which ends with its first; of a long one the start."""
    if (more := len(circle) - 1 - MAX_SHOWN_CLASSES) > 0:
        circle = [*circle[:MAX_SHOWN_CLASSES], f"{more} more", circle[-1]]
    return " → ".join(circle)
