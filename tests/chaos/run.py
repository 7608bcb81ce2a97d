"""One run of chaos, from a schedule to its verdict."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec

from entra_sod.domain.sweeps.parts import SweepPlan
from local.graph.tenant import Tenant
from local.world import World
from tests.chaos.disturb import Chaos
from tests.chaos.found import (
    Aftermath,
    Evidence,
    Found,
    Parts,
    Refusals,
    RolledBack,
    read_check,
    read_finding,
    read_letter,
    read_parts,
    read_references,
    read_sweep,
)
from tests.chaos.hosts import Hosts
from tests.chaos.roll_back import roll_back
from tests.chaos.schedule import HOSTS, Schedule
from tests.chaos.stored import Watcher, blob, blobs, ledger_of, newest_planned, proof_of, rows
from tests.chaos.traits import Trait
from tests.chaos.truth import Truth, Wanted, find_truth, references_of
from tests.chaos.verdict import verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run that has ended: what was done and found, and all that is wrong with it."""

    seed: int
    done: str
    wrong: tuple[str, ...]
    seconds: float


def run(schedule: Schedule, folder: Path) -> Outcome:
    """Carry a schedule out; files, data and logs of the run go into the folder."""
    started = time.monotonic()
    truth = find_truth(schedule.books.tenant, schedule.books.rules)
    found, tally = _found_after(schedule, folder)
    return Outcome(
        seed=schedule.seed,
        done=f"{_kind(schedule)}{_asked_for(truth)}; {_told(tally)}; {_found(found)}",
        wrong=verdict(truth, found),
        seconds=time.monotonic() - started,
    )


def _found_after(schedule: Schedule, folder: Path) -> tuple[Found, Counter[str]]:
    started_at = datetime.now(UTC)
    with ExitStack() as ending:
        world = ending.enter_context(_world(schedule, folder))
        hosts = Hosts(world, HOSTS, rate=schedule.rate, budget=schedule.budget)
        hosts.wait_running()
        hosts.warm_up()
        world.graph.behave(**dict(schedule.weather), throttle=schedule.throttle)
        watcher = ending.enter_context(Watcher(world.storage))
        chaos = Chaos(world, hosts, watcher, schedule.throttle)
        chaos.disturb(schedule)
        chaos.come_to_rest()
        for duplicate in schedule.afterwards:
            chaos.duplicate(duplicate)
        chaos.wait_settled()
        requests = world.graph.requests()
        chaos.tally["faults"] = sum(each["fault"] is not None for each in requests)
        found = _gather(world, hosts, watcher, chaos)
        refusals = None if schedule.rate is None else _refusals(requests)
        found = replace(
            found,
            blocked=schedule.blocked,
            last_tries=frozenset(chaos.last_tries),
            refusals=refusals,
            answers_for_pairs=schedule.answers_for_pairs,
            budget=schedule.budget,
            is_held_back=schedule.budget is not None or Trait.FROZEN in schedule.traits,
            aftermath=_aftermath(world, chaos) if Trait.FROZEN in schedule.traits else None,
        )
        return replace(
            found, rolled_back=_rolled_back(world, chaos, schedule, started_at)
        ), chaos.tally


def _rolled_back(
    world: World, chaos: Chaos, schedule: Schedule, started_at: datetime
) -> RolledBack:
    """Take back all that was written; seeds that freeze do so while writing is frozen again."""
    is_frozen = Trait.FROZEN in schedule.traits
    if is_frozen:
        chaos.freeze()
    before = _references(world)
    ended = roll_back(world, since=started_at, while_frozen=is_frozen, rate=schedule.rate)
    return RolledBack(
        code=ended.code,
        said=ended.said,
        before=before,
        after=_references(world),
        ledger=frozenset(_ledger(world)),
        breaks=_evidence(world).breaks,
    )


def _aftermath(world: World, chaos: Chaos) -> Aftermath:
    chaos.unfreeze()
    answer = chaos.sweep_in_peace()
    return Aftermath(
        references=_references(world),
        told=read_references(answer.json()["references"]) if answer else None,
    )


def _references(world: World) -> Mapping[Wanted, int]:
    return references_of(msgspec.convert(world.graph.tenant(), Tenant))


def _refusals(requests: Sequence[Mapping[str, Any]]) -> Refusals:
    refused = sum(
        each["status"] == httpx.codes.TOO_MANY_REQUESTS and each["fault"] is None
        for each in requests
    )
    return Refusals(refused=refused, requests=len(requests))


def _world(schedule: Schedule, folder: Path) -> World:
    tenant, rules, data, logs = (folder / name for name in ("tenant.json", "rules", "data", "logs"))
    for each in (rules, data, logs):
        each.mkdir(parents=True)
    tenant.write_bytes(schedule.books.tenant)
    # JSON is YAML.
    (rules / "rules.yaml").write_bytes(schedule.books.rules)
    return World(tenant=tenant, storage_folder=data, logs=logs, RULES=str(rules))


def _gather(world: World, hosts: Hosts, watcher: Watcher, chaos: Chaos) -> Found:
    sweep = hosts.ask("GET", "/api/sweeps/latest")
    checks = [hosts.ask("GET", f"/api/checks/{each}") if each else None for each in chaos.check_ids]
    planned = newest_planned(world.storage)
    plan = msgspec.json.decode(planned.plan, type=SweepPlan) if planned else None
    return Found(
        sweep=_ended(sweep, read_sweep),
        checks=tuple(_ended(check, read_check) for check in checks),
        references=_references(world),
        ledger=_ledger(world),
        queues=watcher.counts(),
        letters=tuple(read_letter(each, plan) for each in blobs(world.storage, "poison")),
        parts=_parts(world, sweep),
        findings=tuple(read_finding(row) for row in rows(world.storage, "findings")),
        evidence=_evidence(world),
    )


def _ledger(world: World) -> Mapping[Wanted, str]:
    return {
        Wanted(each.reference.on, str(each.reference.kind), each.reference.target): each.state
        for each in asyncio.run(ledger_of(world.storage))
    }


def _evidence(world: World) -> Evidence:
    proof = asyncio.run(proof_of(world.storage))
    unsealed = (f"{folder}: its run has ended and did not seal it" for folder in proof.unsealed)
    return Evidence(packs=proof.packs, breaks=(*map(str, proof.breaks), *unsealed))


def _ended[T](answer: httpx.Response | None, read: Callable[[dict[str, Any]], T]) -> T | None:
    """The result that an answer holds; None where there is none, or work goes on."""
    if answer is None or answer.status_code != httpx.codes.OK:
        return None
    return read(answer.json())


def _parts(world: World, sweep: httpx.Response | None) -> Parts:
    if sweep is None or not sweep.is_success:
        return Parts()
    return read_parts(
        rows(world.storage, "sweeps", sweep.json()["id"]), partial(blob, world.storage, "sweeps")
    )


def _kind(schedule: Schedule) -> str:
    traits = [str(each) for each in Trait if each in schedule.traits]
    return f"({', '.join(traits)}) " if traits else ""


def _asked_for(truth: Truth) -> str:
    new = len(truth.desired - truth.present)
    unreadable = len(truth.unreadable)
    return f"{len(truth.conflicts)} pairs, {new} references, {unreadable} unreadable"


def _told(tally: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(tally.items()))


def _found(found: Found) -> str:
    status = found.sweep.status if found.sweep else "without an answer"
    letters = f"{len(found.letters)} dead letters, {len(found.findings)} findings"
    refusals = found.refusals
    refused = f", {refusals.refused} of {refusals.requests} refused" if refusals else ""
    return f"sweep {status}, {letters}{refused}, {_taken_back(found)}"


def _taken_back(found: Found) -> str:
    done = found.rolled_back
    return f"{len(done.removed)} references rolled back" if done else "no rollback"
