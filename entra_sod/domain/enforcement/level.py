"""How far the app goes with what the rules want written."""

from __future__ import annotations

from enum import IntEnum


class Enforcement(IntEnum):
    """How far the app goes with a pair; the order is the order of daring."""

    OFF = 0
    PLAN = 1
    APPLY = 2

    @property
    def word(self) -> str:
        return self.name.lower()
