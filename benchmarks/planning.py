"""What `entra-sod plan` takes of the processor and of memory, from reading to the table."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Checkpoint, measure
from benchmarks.report import Report, Row, mebibytes
from benchmarks.sweep.cases import BUDGET, TINY
from benchmarks.sweep.tenants import rules_file
from benchmarks.sweep.world import tenant_option
from local.graph.scale import Scale, an_id
from local.world import World

MAX_SECONDS, MAX_BYTES = 5.0, 300 * 2**20
_PAGE = 999
_EXCLUSIVE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    scale: Scale = BUDGET
    exclusive: int = _EXCLUSIVE


FULL, QUICK = Size(), Size(scale=TINY, exclusive=6)


def run(*, quick: bool = False) -> Report:
    size = QUICK if quick else FULL
    scale = size.scale
    with World(tenant=tenant_option(scale), storage="unused") as world:
        world.graph.behave(page_size=_PAGE)
        teams = _planned(world, rules_file(scale, "enforce"))
        exclusive = _planned(world, _exclusive(size.exclusive))
    pairs = size.exclusive * (size.exclusive - 1) // 2
    return Report(
        title=f"`entra-sod plan` in a tenant of {scale.packages:,} packages and "
        f"{scale.assignments:,} assignments",
        rows=[
            *_rows(f"{scale.pairs:,} pairs", teams, has_budget=True),
            *_rows(f"{size.exclusive} exclusive packages, {pairs:,} pairs", exclusive),
        ],
    )


def _planned(world: World, rules: str) -> Checkpoint:
    # No storage: nothing is known to be ours, and nothing is to be removed.
    environment = {
        name: value for name, value in world.environment.items() if name != "AzureWebJobsStorage"
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rules.yaml").write_text(rules, encoding="utf-8")
        return measure("plan", folder, environment=environment)[-1]


def _rows(what: str, reached: Checkpoint, *, has_budget: bool = False) -> Iterator[Row]:
    seconds: float = reached.facts["seconds"]
    additions: int = reached.facts["additions"]
    yield Row(
        what=f"processor time of a plan of {what}",
        measured=f"{seconds:.1f} s",
        beside=f"{additions:,} references to add; the SDK's transport is in it, and the "
        "interpreter's start is not",
        budget=f"≤ {MAX_SECONDS:.0f} s" if has_budget else "",
        is_met=seconds <= MAX_SECONDS if has_budget else None,
    )
    yield Row(
        what=f"peak memory of a plan of {what}",
        measured=mebibytes(reached.peak),
        beside="of the whole process",
        budget="≤ 300 MiB" if has_budget else "",
        is_met=reached.peak <= MAX_BYTES if has_budget else None,
    )


def _exclusive(packages: int) -> str:
    """One rule: of so many packages a person may hold one."""
    ids = "".join(f"        - {{id: {an_id('package', each)}}}\n" for each in range(packages))
    return f"""\
version: 1
rules:
  - id: exclusive
    title: Nobody holds two of these
    severity: high
    owner: controls@contoso.com
    mode: enforce
    atMost:
      count: 1
      of:
{ids}"""
