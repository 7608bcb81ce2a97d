"""Reads a pair: whether both packages are readable, who holds both, what the rules require."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from entra_sod.core.errors import PERMANENT, GraphError
from entra_sod.domain.enforcement.desired import DesiredReference, desired_by_constraint
from entra_sod.domain.entra import AccessPackage, Assignment
from entra_sod.domain.results.coverage import Checked, Coverage, Outcome
from entra_sod.domain.rules.ruleset import PairConstraint
from entra_sod.ports.graph import Graph
from entra_sod.services.detection.detect import Detection, Detector

type ReadPackages = Mapping[str, AccessPackage | GraphError]


async def read_package(graph: Graph, package_id: str) -> AccessPackage | GraphError:
    """Read a package, or why it may not be read.

    Raises:
        Throttled, Unavailable: worth coming back for.
    """
    try:
        return await graph.package(package_id)
    except PERMANENT as error:
        return error


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReading:
    """What is known of a pair; without a detection, nothing is."""

    detection: Detection | None
    desired: tuple[DesiredReference, ...]

    @property
    def holders(self) -> Sequence[Assignment]:
        """Who holds both, as far as that is known."""
        return self.detection.holders if self.detection else ()

    @property
    def outcome(self) -> Outcome:
        if self.holders:
            return Outcome.CONFLICT
        return Outcome.CLEAR if self.is_whole else Outcome.UNKNOWN

    @property
    def is_whole(self) -> bool:
        """Whether all holders are known."""
        return self.detection is not None and not self.detection.gaps


async def read_check(
    detector: Detector,
    *,
    first: str,
    second: str,
    packages: ReadPackages,
    constraint: PairConstraint | None,
    notes: Coverage,
) -> CheckReading:
    """Read one ordered pair; what could not be read is noted as a gap.

    Raises:
        Throttled, Unavailable: worth coming back for.
    """
    readable = {key: each for key, each in packages.items() if isinstance(each, AccessPackage)}
    for package_id in (first, second):
        if package_id not in readable:
            notes.skip(f"access package {package_id}", packages[package_id])
    if first not in readable or second not in readable:
        return CheckReading(detection=None, desired=())
    return CheckReading(
        detection=await _detect(detector, first, second, notes),
        desired=desired_by_constraint(constraint, readable) if constraint else (),
    )


async def _detect(detector: Detector, first: str, second: str, notes: Coverage) -> Detection | None:
    what = f"assignments of {first} whose holders also hold {second}"
    try:
        detection = await detector.detect(first, second)
    except PERMANENT as error:
        notes.skip(what, error)
        return None
    notes.checked.append(Checked(what=what, how=detection.way))
    for gap in detection.gaps:
        notes.skip(what, gap)
    return detection
