"""What a scale says of its tenant without a request: its rules, pairs, conflicts, pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

from entra_sod.adapters.rate_limit.gcra import MAX_IN_BATCH
from local.graph.scale import Scale, an_id, is_expired


def pairs(scale: Scale) -> Iterator[tuple[int, int]]:
    """Each pair of package numbers that the rules keep apart."""
    for team in range(scale.teams):
        requester, approver = scale.first_of(team)
        for first in range(requester, requester + scale.requesters):
            for second in range(approver, approver + scale.approvers):
                yield first, second


def package_ids(pair: tuple[int, int]) -> tuple[str, str]:
    return an_id("package", pair[0]), an_id("package", pair[1])


@lru_cache(maxsize=1)
def held(scale: Scale) -> Sequence[frozenset[int]]:
    """Who holds each package now, expired assignments left out."""
    found, number = [], 0
    for package, size in enumerate(scale.sizes()):
        people = scale.holders(package, size)
        found.append(
            frozenset(one for place, one in enumerate(people, number) if not is_expired(place))
        )
        number += size
    return found


@lru_cache(maxsize=32)
def conflicts(scale: Scale) -> Sequence[int]:
    """How many hold both packages of each pair, in the order of `pairs`."""
    holders = held(scale)
    return [len(holders[first] & holders[second]) for first, second in pairs(scale)]


def pages(items: int, page_size: int) -> int:
    """Requests that a list costs: one even where it is empty."""
    return max(math.ceil(items / page_size), 1)


def loop_requests(scale: Scale, page_size: int) -> int:
    """`additionalAccess` for each pair: a call per pair page."""
    return sum(pages(found, page_size) for found in conflicts(scale))


@lru_cache(maxsize=32)
def intersection_requests(scale: Scale, page_size: int) -> int:
    """Both lists of each pair, with the documented filter for what is delivered."""
    of_package = [pages(len(people), page_size) for people in held(scale)]
    return sum(of_package[first] + of_package[second] for first, second in pairs(scale))


def index_requests(scale: Scale, page_size: int) -> int:
    """Each list of a package in some pair once."""
    in_pairs = scale.teams * (scale.requesters + scale.approvers)
    return sum(pages(size, page_size) for size in scale.sizes()[:in_pairs])


def whole_requests(scale: Scale, page_size: int) -> int:
    """All assignments as one list, whosesoever they are."""
    return pages(scale.assignments, page_size)


def fewest_counted(scale: Scale, page_size: int) -> int:
    """What the cheapest way that we know of takes, as throttling counts."""
    ways = (index_requests, loop_requests, whole_requests)
    return min(way(scale, page_size) for way in ways)


def fewest_round_trips(scale: Scale, page_size: int) -> int:
    """The same as HTTP, were every batch full; pages of one list follow each other."""
    in_batches = min(index_requests(scale, page_size), loop_requests(scale, page_size))
    return min(math.ceil(in_batches / MAX_IN_BATCH), whole_requests(scale, page_size))


def rules_file(scale: Scale, mode: str) -> str:
    """A rule for each team, by patterns, as an engineer would write it."""
    return "version: 1\nrules:\n" + "".join(_rule(team, mode) for team in range(scale.teams))


def _rule(team: int, mode: str) -> str:
    return f"""\
  - id: team-{team}
    title: Requesters do not approve their own requests
    severity: high
    owner: controls@contoso.com
    mode: {mode}
    between:
      - packages: [{{catalog: Team {team}, name: "Requester *"}}]
      - packages: [{{catalog: Team {team}, name: "Approver *"}}]
"""
