"""Looks at pairs: are both packages readable, who holds both, what do the rules want written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from functions.checks.result import Checked, Coverage, Outcome, Skipped
from functions.detection.detect import Detection, Detector
from functions.enforcement.desired import DesiredReference, desired_by_duty
from functions.entra import AccessPackage
from functions.errors import (
    PERMANENT,
    GraphError,
    Throttled,
    Unavailable,
)
from functions.graph.port import Graph
from functions.rules.ruleset import Duty, RuleSet


@dataclass(slots=True)
class CoverageNotes:
    """Coverage while it grows."""

    checked: list[Checked] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def skip(self, what: str, why: object) -> None:
        self.skipped.append(Skipped(what=what, why=str(why)))

    def as_coverage(self) -> Coverage:
        return Coverage(checked=list(self.checked), skipped=list(self.skipped))


type Packages = Mapping[str, AccessPackage | GraphError]


async def read_packages(graph: Graph, package_ids: Collection[str]) -> Packages:
    """Read packages one by one where they are few, in batches where they are many.

    Raises:
        Throttled, Unavailable: worth coming back for.
    """
    if len(package_ids) > 2:  # noqa: PLR2004 - a pair is read as Graph's documentation reads it
        found = await graph.packages_by_id(package_ids)
    else:
        found = {package_id: await _package(graph, package_id) for package_id in package_ids}
    for each in found.values():
        if isinstance(each, (Throttled, Unavailable)):
            raise each
    return found


async def _package(graph: Graph, package_id: str) -> AccessPackage | GraphError:
    try:
        return await graph.package(package_id)
    except PERMANENT as error:
        return error


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What is known of a pair; without a detection, nothing is."""

    detection: Detection | None
    desired: tuple[DesiredReference, ...]

    @property
    def outcome(self) -> Outcome:
        if self.detection is None:
            return Outcome.UNKNOWN
        return Outcome.CONFLICT if self.detection.holders else Outcome.CLEAR


async def examine(
    detector: Detector,
    *,
    first: str,
    second: str,
    packages: Packages,
    duty: Duty | None,
    notes: CoverageNotes,
) -> Examination:
    """Look at one ordered pair; whatever could not be read is put into the notes.

    Raises:
        Throttled, Unavailable: worth coming back for.
    """
    readable = {key: each for key, each in packages.items() if isinstance(each, AccessPackage)}
    for package_id in (first, second):
        if package_id not in readable:
            notes.skip(f"access package {package_id}", packages[package_id])
    if first not in readable or second not in readable:
        return Examination(detection=None, desired=())
    return Examination(
        detection=await _detect(detector, first, second, notes),
        desired=desired_by_duty(duty, readable) if duty else (),
    )


async def _detect(
    detector: Detector, first: str, second: str, notes: CoverageNotes
) -> Detection | None:
    what = f"assignments of {first} whose holders also hold {second}"
    try:
        detection = await detector.detect(first, second)
    except PERMANENT as error:
        notes.skip(what, error)
        return None
    notes.checked.append(Checked(what=what, how=detection.way))
    return detection


class Notes(Protocol):
    """Whatever takes down what was not looked at."""

    def skip(self, what: str, why: object) -> None: ...


def note_refused(rules: RuleSet, notes: Notes) -> None:
    """Say that the newest rules files have a mistake, and older rules were used."""
    if rules.refused:
        notes.skip("the newest version of the rules", rules.refused)


def note_groups(groups: Collection[str], notes: Notes) -> None:
    """Say of the groups that rules name that nobody looked up who is in them."""
    for group in sorted(groups):
        notes.skip(
            f"members of group {group}",
            "group memberships are not read; Entra itself refuses members where the reference is "
            "written",
        )
