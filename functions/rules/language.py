"""The rule language, first form: what a rules file may say.

version: 1
rules:
  - id: pay-and-approve
    title: Nobody both pays and approves invoices
    severity: critical
    owner: finance-controls@contoso.com
    mode: enforce
    between:
      - packages: [{id: 2506aef1-3929-4d24-a61e-7c8b83d95e6f}]
      - packages: [{id: d5d99728-8c0b-4ede-83d2-cf9b0e8dabfb}]
        groups: [{id: c0a74b4d-2694-4d5d-a964-1bee4ff0aaf2}]
    references: both
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec

type Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Mode(StrEnum):
    """From lenient to strict; of two rules for one pair the stricter mode wins."""

    RECORD = "record"  # find only
    WARN = "warn"  # find and notify
    ENFORCE = "enforce"  # find, notify and write references

    @property
    def strictness(self) -> int:
        return list(Mode).index(self)


class References(StrEnum):
    """Which of Entra's two kinds of reference a rule asks for."""

    GROUPS = "groups"
    PACKAGES = "packages"
    BOTH = "both"

    @property
    def wants_groups(self) -> bool:
        return self is not References.PACKAGES

    @property
    def wants_packages(self) -> bool:
        return self is not References.GROUPS

    def widened(self, other: References) -> References:
        return self if self is other else References.BOTH


class Selector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One package or group, by its id."""

    id: UUID


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One duty: the packages that give it, and the groups whose members have it."""

    packages: list[Selector] = []
    groups: list[Selector] = []


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Duties that must be kept apart: any holder of one side against every other side."""

    id: Text
    title: Text
    severity: Severity
    owner: Text
    mode: Mode
    between: list[Side]
    references: References = References.BOTH
    control: Text | None = None
    advice: Text | None = None


class RulesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    rules: list[Rule] = []
