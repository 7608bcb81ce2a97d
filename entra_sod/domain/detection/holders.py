"""Who holds both packages of a pair, each subject once. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from entra_sod.domain.entra import Assignment


def holders_of_both(
    held: Iterable[Assignment], others: Iterable[Assignment]
) -> tuple[Assignment, ...]:
    """The holders of one package who also hold another, known by either of their ids."""
    known = {each for other in others for each in other.subject.ids}
    return one_each(each for each in held if not known.isdisjoint(each.subject.ids))


def one_each(held: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """The first assignment of each subject, who may hold a package by two policies."""
    found: dict[str, Assignment] = {}
    for each in held:
        if each.is_held:
            found.setdefault(each.subject.key, each)
    return tuple(found.values())
