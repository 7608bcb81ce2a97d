from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from entra_sod.core import telemetry
from entra_sod.core.errors import ConcurrencyLimited, Throttled, Unavailable
from entra_sod.core.retry import MAX_THROTTLED_ATTEMPTS
from entra_sod.domain.rules.language import Mode, PackageSelector, Rule, Side
from entra_sod.domain.sweeps.parts import PART_SIZE
from entra_sod.stores.ledger import Ledger
from tests.app import App
from tests.builders import guid, held, package, rule, rule_set, side

PACKAGES = [package("a", "1"), package("b", "2"), package("c", "3")]
HELD = {"a": held("a", "vwxy"), "b": held("b", "xyz"), "c": held("c", "z")}
RULES = [rule("r1", side("a"), side("b")), rule("r2", side("b"), side("c"), mode=Mode.WARN)]

type MakeApp = type[App]


async def start(app: App) -> str:
    return (await app.records.sweep_starter.start(traceparent="00-0-0-01")).id


async def result(app: App, sweep_id: str) -> dict[str, Any]:
    record = await app.records.sweeps.get(sweep_id)
    assert record is not None
    data = await app.records.sweeps.result(record)
    assert data is not None
    answer: dict[str, Any] = json.loads(data)
    return answer


async def sweep(app: App) -> dict[str, Any]:
    sweep_id = await start(app)
    await app.work_off()
    return await result(app, sweep_id)


def skipped(answer: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = answer["coverage"]["skipped"]
    return found


def star(size: int) -> tuple[list[str], list[Rule]]:
    """One package against many: the names of the many, and a rule for each."""
    names = [f"{number:08x}" for number in range(1, size + 1)]
    spokes = [Side(packages=[PackageSelector(id=UUID(guid(name)))]) for name in names]
    return names, [
        rule(f"r{name}", side("a"), spoke) for name, spoke in zip(names, spokes, strict=True)
    ]


async def test_a_sweep_looks_at_every_pair_of_the_rules(make_app: MakeApp) -> None:
    """Counts, conflicts first, the strategy and the rules hash are in the result."""
    app = make_app(PACKAGES, HELD, RULES)
    answer = await sweep(app)
    assert answer["status"] == "completed"
    assert answer["pairs"] == {"total": 2, "conflict": 2, "clear": 0, "unknown": 0}
    assert answer["findings"] == 3
    assert answer["strategy"]["ways"] == {"additionalAccess": 2}
    assert answer["rulesHash"] == rule_set(*RULES).hash
    assert app.graph.writes == []


async def test_a_sweep_in_apply_writes_what_enforcing_rules_ask_for(make_app: MakeApp) -> None:
    """The pair under enforce gets its four references, the pair under warn none."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    answer = await sweep(app)
    assert len(answer["references"]["written"]) == 4
    assert {each.on for each in app.graph.writes} == {guid("a"), guid("b")}
    again = await sweep(app)
    assert (len(again["references"]["present"]), again["references"]["written"]) == (4, [])


async def test_the_whole_run_is_held_against_the_limit(make_app: MakeApp) -> None:
    """Parts that are each within the limit write nothing when the run as a whole is over it."""
    names, rules = star(PART_SIZE + 5)
    packages = [package("a"), *(package(name) for name in names)]
    app = make_app(packages, {}, rules, ENFORCEMENT="apply", MAX_REFERENCE_WRITES="49")
    answer = await sweep(app)
    assert len(answer["references"]["planned"]) == 50
    assert app.graph.writes == []
    assert "50 writes" in answer["coverage"]["skipped"][0]["why"]
    app.configure(ENFORCEMENT="apply", MAX_REFERENCE_WRITES="50")
    assert len((await sweep(app))["references"]["written"]) == 50


async def test_parts_have_at_most_twenty_pairs(make_app: MakeApp) -> None:
    """Forty-one pairs are three messages, each of them small."""
    names, rules = star(2 * PART_SIZE + 1)
    app = make_app([package("a"), *(package(name) for name in names)], {}, rules)
    await start(app)
    await app.work_one()
    assert len(app.storage.sent) == 3
    assert max(len(message.body) for message in app.storage.sent) < 4096


async def test_a_package_that_may_not_be_read_is_a_gap(make_app: MakeApp) -> None:
    """Its pairs are unknown, the others are looked at, and the sweep says that it has gaps."""
    app = make_app(PACKAGES, HELD, RULES)
    app.graph.unreadable.add(guid("c"))
    answer = await sweep(app)
    assert answer["status"] == "completed-with-gaps"
    assert answer["pairs"] == {"total": 2, "conflict": 1, "clear": 0, "unknown": 1}
    assert guid("c") in answer["coverage"]["skipped"][0]["what"]


async def test_a_sweep_that_is_started_again_is_joined(make_app: MakeApp) -> None:
    """A timer that fires twice gives one sweep, and parts done are not done again."""
    app = make_app(PACKAGES, HELD, RULES)
    first = await start(app)
    assert await start(app) == first
    await app.work_off()
    assert (await result(app, first))["pairs"]["total"] == 2
    assert await start(app) != first


async def test_rules_that_change_during_a_sweep_leave_a_gap(make_app: MakeApp) -> None:
    """What the rules came to name after the plan was made is unknown, and the next sweep looks."""
    app = make_app(PACKAGES, HELD, RULES[:1])
    first = await start(app)
    await app.work_one()
    app.rules.write(RULES)
    app.clock.advance(3600)
    await app.work_off()
    answer = await result(app, first)
    assert answer["status"] == "completed-with-gaps"
    assert answer["pairs"] == {"total": 2, "conflict": 1, "clear": 0, "unknown": 1}
    assert any("after the sweep was planned" in each["why"] for each in skipped(answer))
    assert (await sweep(app))["pairs"]["unknown"] == 0


async def test_a_part_that_is_delivered_twice_counts_once(make_app: MakeApp) -> None:
    """Duplicate messages change neither the counts nor the writes."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    sweep_id = await start(app)
    app.storage.sent.extend(app.storage.sent[:])
    await app.work_off()
    answer = await result(app, sweep_id)
    assert answer["pairs"]["total"] == 2
    assert len(app.graph.writes) == len(set(app.graph.writes)) == 4


async def test_a_part_that_is_given_up_leaves_a_gap_and_the_sweep_ends(make_app: MakeApp) -> None:
    """After its last attempt a part is poison: its pairs are unknown, with the reason."""
    app = make_app(PACKAGES, HELD, RULES)
    app.graph.errors += [Unavailable("Graph answers 503", status=503)] * 13
    answer = await sweep(app)
    assert answer["status"] == "completed-with-gaps"
    assert answer["pairs"]["unknown"] == 2
    assert "given up" in answer["coverage"]["skipped"][0]["why"]


async def test_throttling_delays_a_part_and_loses_nothing(make_app: MakeApp) -> None:
    """A throttled part comes again and the sweep is whole."""
    app = make_app(PACKAGES, HELD, RULES)
    app.graph.errors.append(Throttled("slow down", retry_after=30.0))
    answer = await sweep(app)
    assert (answer["status"], answer["pairs"]["conflict"]) == ("completed", 2)


async def test_waits_on_the_queue_are_in_the_throttled_time(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a part waits for Graph on the queue is counted once: in metric, progress and result."""
    measured: list[float] = []
    monkeypatch.setattr(telemetry, "count_throttled", measured.append)
    app = make_app(PACKAGES, HELD, RULES)
    sweep_id = await start(app)
    await app.work_one()
    app.graph.errors.append(Throttled("slow down", retry_after=60.0))
    await app.work_one()
    record = await app.records.sweeps.get(sweep_id)
    assert record is not None
    (tried,) = (await app.records.sweeps.parts(sweep_id)).attempt_costs
    assert tried["throttledMilliseconds"] == 60_000
    await app.work_off()
    assert (await result(app, sweep_id))["throttledSeconds"] == 60.0
    assert measured == [60.0]


async def test_a_part_that_finds_the_line_too_long_comes_back_as_it_was(make_app: MakeApp) -> None:
    """However often: nothing was read, nothing is counted, and no note says that it failed."""
    app = make_app(PACKAGES, HELD, RULES)
    sweep_id = await start(app)
    await app.work_one()
    full = ConcurrencyLimited("full", retry_after=7.0)
    app.graph.errors += [full] * (MAX_THROTTLED_ATTEMPTS + 1)
    (before,) = app.storage.sent
    await app.work_one()
    (after,) = app.storage.sent
    assert (after.body, after.delay_seconds) == (before.body, 7)
    parts = await app.records.sweeps.parts(sweep_id)
    assert (parts.attempt_costs, parts.notes) == ([], [])
    await app.work_off()
    assert (await result(app, sweep_id))["status"] == "completed"


async def test_groups_only_sides_guard_packages(make_app: MakeApp) -> None:
    """A rule with a side of groups only writes group references and mirrors nothing."""
    app = make_app(
        PACKAGES, HELD, [rule("r", side("a"), side("", ["9", "1"]))], ENFORCEMENT="apply"
    )
    answer = await sweep(app)
    assert [(each.on, each.kind, each.target) for each in app.graph.writes] == [
        (guid("a"), "group", guid("9"))
    ]
    assert {each["what"] for each in answer["coverage"]["skipped"]} == {
        f"members of group {guid('1')}",
        f"members of group {guid('9')}",
        "how many members groups of planned references have",
    }


async def test_a_sweep_of_no_rules_ends(make_app: MakeApp) -> None:
    """Nothing to look at is a completed sweep of no pairs."""
    assert (await sweep(make_app(PACKAGES, HELD, [])))["pairs"]["total"] == 0


PRUNING = {"ENFORCEMENT": "apply", "PRUNE": "true"}


async def written_then(app: App, rules: Sequence[Rule]) -> None:
    """Let a first sweep write, then change the rules."""
    await sweep(app)
    app.rules.write(rules)
    app.clock.advance(3600)


async def test_pruning_removes_what_no_rule_asks_for_any_more(make_app: MakeApp) -> None:
    """With PRUNE=true the ledger's stale references go; a person's stay."""
    app = make_app(PACKAGES, HELD, RULES[:1], **PRUNING)
    await written_then(app, RULES[1:])
    foreign = next(iter(app.graph.present))
    theirs = type(foreign)(foreign.on, foreign.kind, guid("f"))
    app.graph.present.add(theirs)
    answer = await sweep(app)
    assert len(answer["references"]["removed"]) == 4
    assert app.graph.present == {theirs}


async def test_without_prune_nothing_is_removed(make_app: MakeApp) -> None:
    """The default keeps references that no rule asks for any more."""
    app = make_app(PACKAGES, HELD, RULES[:1], ENFORCEMENT="apply")
    await written_then(app, RULES[1:])
    assert (await sweep(app))["references"]["removed"] == []
    assert len(app.graph.present) == 4


@pytest.mark.parametrize("lost", ["b", "c"])
async def test_a_gap_stops_pruning(make_app: MakeApp, lost: str) -> None:
    """What an unreadable package may still ask for is not known, so nothing is removed."""
    app = make_app(PACKAGES, HELD, RULES[:1], **PRUNING)
    await written_then(app, RULES[1:])
    app.graph.unreadable.add(guid(lost))
    answer = await sweep(app)
    assert answer["references"]["removed"] == []
    assert len(app.graph.present) == 4
    assert any("removing" in each["what"] for each in answer["coverage"]["skipped"])


async def test_pruning_counts_against_the_limit(make_app: MakeApp) -> None:
    """Removals are writes: over the limit none of them happens."""
    app = make_app(PACKAGES, HELD, RULES[:1], **PRUNING)
    await written_then(app, RULES[1:])
    app.configure(**PRUNING, MAX_REFERENCE_WRITES="3")
    assert (await sweep(app))["references"]["removed"] == []
    assert len(app.graph.present) == 4


def by_pattern(name: str) -> list[Rule]:
    """Package "a" against all whose name fits."""
    pattern = Side(packages=[PackageSelector(name=name)])
    return [replace(rule("r", side("a"), side("b")), between=[side("a"), pattern])]


@pytest.mark.parametrize("name", ["Package b", "Package ?"])
async def test_what_a_package_off_the_list_may_ask_for_is_not_pruned(
    make_app: MakeApp, name: str
) -> None:
    """A role that was revoked makes patterns fit less; no rule was retired, so nothing goes."""
    app = make_app(PACKAGES, HELD, by_pattern(name), **PRUNING)
    await sweep(app)
    before = set(app.graph.present)
    app.clock.advance(3600)
    app.graph.unreadable.add(guid("b"))
    answer = await sweep(app)
    assert (answer["references"]["removed"], app.graph.present) == ([], before)
    to_b = [each for each in answer["drift"] if guid("b") in each.values()]
    assert [each["kind"] for each in to_b if each["kind"] in ("extra", "foreign")] == []


async def test_a_package_off_the_list_that_only_a_reference_is_to_is_looked_for(
    make_app: MakeApp,
) -> None:
    """Nothing on it is ours; what is ours to it stays while it cannot be read."""
    app = make_app(PACKAGES, HELD, by_pattern("Package b"), **PRUNING)
    await sweep(app)
    ledger = Ledger(app.storage, app.clock)
    for entry in [each async for each in ledger.entries(guid("b"))]:
        await ledger.delete(entry.reference, entry.version)
    before = set(app.graph.present)
    app.clock.advance(3600)
    app.graph.unreadable.add(guid("b"))
    assert (await sweep(app))["references"]["removed"] == []
    assert app.graph.present == before


async def test_what_is_between_packages_that_were_read_is_pruned(make_app: MakeApp) -> None:
    """A package of the ledger alone that is not read keeps what it may ask for, and no more."""
    app = make_app(PACKAGES, HELD, [*RULES[:1], rule("s", side("a"), side("c"))], **PRUNING)
    await written_then(app, [])
    app.graph.unreadable.add(guid("b"))
    removed = (await sweep(app))["references"]["removed"]
    pairs = {(each["accessPackageId"], each["targetId"]) for each in removed}
    assert pairs == {(guid("a"), guid("c")), (guid("c"), guid("a"))}
