"""Rules that would keep every package from every other one, which is hardly ever meant. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from entra_sod.core.validation import Mistake
from entra_sod.domain.rules.language import Mode, PackageSelector, Rule, Side

_DETAIL = "keeps every package from every other one: narrow a pattern, or say allPackages: true"


def find_all_packages(
    rules: Mapping[str, Rule],
    classes: Mapping[str, Side],
    fits_all: Callable[[PackageSelector], bool],
) -> Iterator[tuple[str, Mistake]]:
    """Each enforcing rule of which two sides, or the set, are all packages, unless it is meant.

    Args:
        rules: by their ids.
        classes: that they may lead to; one that is not there has no packages.
        fits_all: whether a selector fits every package.
    """
    whole = _whole_classes(classes, fits_all)

    def is_whole(packages: Sequence[PackageSelector], names: Sequence[str]) -> bool:
        return any(map(fits_all, packages)) or not whole.isdisjoint(names)

    for name, rule in rules.items():
        if rule.mode is not Mode.ENFORCE or rule.all_packages:
            continue
        set_of = rule.at_most
        if set_of and set_of.count == 1 and is_whole(set_of.of, set_of.classes):
            yield name, Mistake(("atMost",), _DETAIL)
        whole_sides = sum(is_whole(side.packages, side.classes) for side in rule.sides)
        if whole_sides > 1 and not rule.is_found_only:
            yield name, Mistake((rule.form.value,), _DETAIL)


def _whole_classes(
    classes: Mapping[str, Side], fits_all: Callable[[PackageSelector], bool]
) -> set[str]:
    """The classes that have every package, themselves or by a class that they lead to."""
    namers: dict[str, list[str]] = {}
    for name, side in classes.items():
        for inner in side.classes:
            namers.setdefault(inner, []).append(name)
    whole: set[str] = set()
    waiting = [name for name, side in classes.items() if any(map(fits_all, side.packages))]
    while waiting:
        name = waiting.pop()
        if name not in whole:
            whole.add(name)
            waiting += namers.get(name, ())
    return whole
