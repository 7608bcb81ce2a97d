"""What looking at one pair found, and by which way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from entra_sod.domain.entra import Assignment


class Way(StrEnum):
    ADDITIONAL_ACCESS = "additionalAccess"
    ASSIGNMENTS = "assignments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """The assignments of the first package whose holders also hold the second."""

    holders: tuple[Assignment, ...]
    way: Way
