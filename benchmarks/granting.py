"""Rules by what packages grant, in the largest tenant: requests, processor time and memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from benchmarks.processes import Checkpoint, Child
from benchmarks.report import Report, Row, mebibytes
from benchmarks.sweep.cases import MAX, TINY
from benchmarks.sweep.world import tenant_option
from local.graph.scale import Scale
from local.world import World

# No assignment is read here, but the simulator makes them all.
_FEW_ASSIGNMENTS = 1_000
_PAGE = 999


def run(*, quick: bool = False) -> Report:
    scale = TINY if quick else msgspec.structs.replace(MAX, assignments=_FEW_ASSIGNMENTS)
    option = tenant_option(scale)
    with World(tenant=option, storage="unused") as world:
        world.graph.behave(page_size=_PAGE)
        with Child("read_grants", option, environment=world.environment) as child:
            reached, requests = _followed(child, world)
    return Report(
        title=f"{scale.teams:,} rules by the groups that {scale.packages:,} packages grant",
        rows=[*_rows(scale, reached, requests)],
    )


def _followed(child: Child, world: World) -> tuple[dict[str, Checkpoint], dict[str, int]]:
    """What was held and how often Graph was asked for a package, until each checkpoint."""
    reached: dict[str, Checkpoint] = {}
    requests: dict[str, int] = {}
    for checkpoint in child.checkpoints():
        reached[checkpoint.name] = checkpoint
        requests[checkpoint.name] = _package_reads(world.graph.requests())
    return reached, requests


def _package_reads(requests: Sequence[dict[str, object]]) -> int:
    return sum("resourceRoleScopes" in str(each["target"]) for each in requests)


def _rows(scale: Scale, reached: dict[str, Checkpoint], requests: dict[str, int]) -> Iterator[Row]:
    for name, what in (("read", "read from Graph"), ("read-again", "again, from what was kept")):
        before, after = f"before-{name}", reached[name]
        asked = requests[name] - requests[before]
        wanted = scale.packages if name == "read" else 0
        seconds: float = after.facts["seconds"]
        pairs: int = after.facts["pairs"]
        assert pairs == scale.pairs
        yield Row(
            what=f"{what}: requests for packages",
            measured=f"{asked:,}",
            beside="in batches of 20",
            budget=f"{wanted:,}",
            is_met=asked == wanted,
        )
        yield Row(
            what=f"{what}: processor time, to {pairs:,} pairs",
            measured=f"{seconds:.1f} s",
            beside=f"peak memory beyond the list of packages: "
            f"{mebibytes(max(after.peak - reached[before].peak, 0))}",
        )
