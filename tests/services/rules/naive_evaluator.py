"""What each form of rule says, written apart from the product: sides are letters of packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True)
class Case:
    """A rule: its form, the letters of each side (a `+` in front is `every`), and its count."""

    form: str
    sides: Sequence[str]
    count: int = 1

    def __str__(self) -> str:
        return f"{self.form} {self.count} of {','.join(self.sides)}"


def is_on(side: str, held: set[str]) -> bool:
    letters = set(side.strip("+"))
    return letters <= held if side.startswith("+") else bool(letters & held)


def conflicts(case: Case, held: set[str]) -> set[frozenset[str]]:
    """The sets of packages that make a conflict of what one person holds."""
    sides = [set(side.strip("+")) for side in case.sides]
    if case.form == "requires":
        when, needs = case.sides
        return (
            {frozenset(sides[0] & held)} if is_on(when, held) and not is_on(needs, held) else set()
        )
    allowed = {"between": 1, "allOf": len(sides) - 1}.get(case.form, case.count)
    if allowed == 1 and not any(len(side) > 2 for side in case.sides if side[0] == "+"):
        pairs = (
            (one, other)
            for left, right in combinations(sides, 2)
            for one in left & held
            for other in right & held
        )
        return {frozenset(pair) for pair in pairs}
    met = [side for side, text in zip(sides, case.sides, strict=True) if is_on(text, held)]
    return {frozenset(set[str]().union(*met) & held)} if len(met) > allowed else set()
