"""Which kind of run a seed is: dealt out by its number, so that a few seeds have many. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Trait(StrEnum):
    """Something that a run has, beside what chance gives to every run."""

    PAIRS = "few pairs"
    REFUSED = "additionalAccess refused"
    COUNTS = "counted sets"
    LIMIT = "a limit that bites"
    WORN_OUT = "a part worn out"
    POISONED = "a part poisoned"
    NEEDLESS = "given up while worked on"
    AHEAD = "turns far ahead"
    WAITED_OUT = "leases waited out"
    FROZEN = "writing frozen"
    BUDGET = "a small budget"


@dataclass(frozen=True, slots=True)
class _Deal:
    """The seeds that leave this remainder have the trait."""

    trait: Trait
    every: int
    remainder: int

    def has(self, seed: int) -> bool:
        return seed % self.every == self.remainder


# Numbers without a common divisor make the traits meet in every way.
_DEALS = (
    _Deal(Trait.PAIRS, 3, 2),
    _Deal(Trait.REFUSED, 6, 2),
    _Deal(Trait.COUNTS, 4, 0),
    _Deal(Trait.COUNTS, 4, 1),
    _Deal(Trait.LIMIT, 7, 4),
    _Deal(Trait.WORN_OUT, 10, 3),
    _Deal(Trait.POISONED, 10, 8),
    _Deal(Trait.NEEDLESS, 5, 1),
    # It waits as long as the clock jumps, so it is seldom, and never together with a limit.
    _Deal(Trait.AHEAD, 10, 7),
    # The run waits for the lease of a host that dies while closing: a minute or two.
    _Deal(Trait.WAITED_OUT, 10, 9),
    _Deal(Trait.FROZEN, 6, 4),
    _Deal(Trait.BUDGET, 7, 0),
)


def traits_of(seed: int) -> frozenset[Trait]:
    return frozenset(deal.trait for deal in _DEALS if deal.has(seed))
