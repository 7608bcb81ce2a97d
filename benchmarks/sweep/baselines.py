"""What users would write instead: for each pair a call, or for each pair both lists.

Requests are computed from the tenant, which says how many pages each list has. A sample of pairs is
run against the simulator, unthrottled, for the processor time and to hold the count against.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.children.looped import Looped
from benchmarks.processes import answer
from benchmarks.sweep.tenants import (
    conflicts,
    held,
    intersection_requests,
    loop_requests,
    package_ids,
    pages,
    pairs,
)
from benchmarks.sweep.traffic import traffic
from benchmarks.sweep.world import tenant_option
from local.graph.scale import Scale
from local.world import World

_STRIDE = 7919  # prime, so that no pair comes twice, and teams and places alike are all met


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to look at a pair.

    Attributes:
        requests: of all pairs, by the size of a page.
        requests_of: those of one pair, by its number, its packages and the size of a page.
        sample: pairs that are run.
    """

    name: str
    title: str
    requests: Callable[[Scale, int], int]
    requests_of: Callable[[Scale, int, tuple[int, int], int], int]
    sample: int


def _of_a_call(scale: Scale, number: int, _pair: tuple[int, int], page_size: int) -> int:
    return pages(conflicts(scale)[number], page_size)


def _of_both_lists(scale: Scale, _number: int, pair: tuple[int, int], page_size: int) -> int:
    return sum(pages(len(held(scale)[package]), page_size) for package in pair)


WAYS = (
    Way(
        name="additionalAccess",
        title="a typed call for each pair",
        requests=loop_requests,
        requests_of=_of_a_call,
        sample=50,
    ),
    Way(
        name="intersection",
        title="both typed lists for each pair",
        requests=intersection_requests,
        requests_of=_of_both_lists,
        sample=2,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """What the pairs of a sample took."""

    pairs: int
    requests: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One way through all pairs of a tenant; its requests are computed."""

    way: Way
    scale: Scale
    page_size: int
    requests: int
    sampled: Sampled | None

    @property
    def cpu_seconds(self) -> float | None:
        """Of all requests, at what one of the sample took."""
        if self.sampled is None:
            return None
        return self.sampled.cpu_seconds / self.sampled.requests * self.requests


def baselines(scale: Scale, page_size: int, *, most: int = 0) -> Sequence[Baseline]:
    """Compute the requests of each way, and run a sample of at most so many pairs.

    Raises:
        AssertionError: the sample took other requests than were computed, or found others.
    """
    return [
        Baseline(
            way=way,
            scale=scale,
            page_size=page_size,
            requests=way.requests(scale, page_size),
            sampled=_sampled(scale, page_size, way, most) if most else None,
        )
        for way in WAYS
    ]


def _sampled(scale: Scale, page_size: int, way: Way, most: int) -> Sampled:
    all_pairs, sample = list(pairs(scale)), _sample(scale, min(way.sample, most))
    requests = [way.requests_of(scale, each, all_pairs[each], page_size) for each in sample]
    arguments = [",".join(package_ids(all_pairs[each])) for each in sample]
    # The storage is not used, because no host is started.
    with World(tenant=tenant_option(scale), storage="unused") as world:
        world.graph.behave(page_size=page_size)
        looped = answer(Looped, "loop_sdk", way.name, *arguments, environment=world.environment)
        seen = traffic(world.graph.timeline())
    assert seen.counted == sum(requests), f"{way.name}: {seen.counted} requests"
    assert looped.conflicts == sum(conflicts(scale)[each] for each in sample), way.name
    return Sampled(
        pairs=len(sample) - 1, requests=sum(requests[1:]), cpu_seconds=looped.cpu_seconds
    )


def _sample(scale: Scale, most: int) -> Sequence[int]:
    """Numbers of pairs: one with conflicts to warm up, and so many from all over the tenant."""
    with_conflicts = scale.requesters * scale.approvers  # the first of the second team
    return [with_conflicts, *(place * _STRIDE % scale.pairs for place in range(1, most + 1))]
