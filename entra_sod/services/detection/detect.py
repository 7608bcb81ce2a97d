"""Who holds both packages of a pair, and by which way that was found out.

Two ways: Graph's `additionalAccess`, or both packages' assignments intersected here. Whether an
app may use the first is documented both ways, so it is tried, and a refusal is remembered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from entra_sod.core.clock import Clock
from entra_sod.core.errors import Forbidden, Rejected
from entra_sod.domain.detection.holders import holders_of_both, one_each
from entra_sod.domain.entra import Assignment
from entra_sod.domain.results.coverage import DetectionMethod
from entra_sod.ports.graph import AssignmentPage, Graph

REMEMBER_REFUSAL = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """An assignment of the first package for each subject that also holds the second."""

    holders: Sequence[Assignment]
    way: DetectionMethod


class Detector:
    """Finds the holders of both packages of a pair; remembers what this app may not use."""

    def __init__(self, graph: Graph, clock: Clock) -> None:
        self._graph, self._clock = graph, clock
        self._refused_until: datetime | None = None

    async def detect(self, package_id: str, incompatible_package_id: str) -> Detection:
        """Look at one pair, whose packages are known to be readable.

        Raises:
            GraphError: something needed could not be read; then nothing is known of the pair.
        """
        if self._refused_until is None or self._clock.now() >= self._refused_until:
            pages = self._graph.additional_access(package_id, incompatible_package_id)
            try:
                holders = one_each(await _held(pages))
                return Detection(holders=holders, way=DetectionMethod.ADDITIONAL_ACCESS)
            except (Forbidden, Rejected):
                # Either the app may never use it, or it may not read these two: the assignment
                # lists tell, because they fail as well in the second case.
                detection = await self._by_assignments(package_id, incompatible_package_id)
                self._refused_until = self._clock.now() + REMEMBER_REFUSAL
                return detection
        return await self._by_assignments(package_id, incompatible_package_id)

    async def _by_assignments(self, package_id: str, other_id: str) -> Detection:
        others = await _held(self._graph.assignments(other_id))
        both = holders_of_both(await _held(self._graph.assignments(package_id)), others)
        return Detection(holders=both, way=DetectionMethod.ASSIGNMENTS)


async def may_ask(graph: Graph, pair: tuple[str, str]) -> bool:
    """Try whether Graph lets this app ask for a pair; one request.

    Raises:
        GraphError: it is not known.
    """
    try:
        await anext(graph.additional_access(*pair), None)
    except (Forbidden, Rejected):
        return False
    return True


async def _held(pages: AsyncIterator[AssignmentPage]) -> Sequence[Assignment]:
    """All pages, less what is no longer held."""
    return [each async for page in pages for each in page if each.is_held]
