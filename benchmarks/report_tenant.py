"""A tenant for reports, made by a seed: packages, rules, some nights of sweeps."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, batched, groupby
from uuid import UUID

import msgspec

from entra_sod.core.clock import timestamp
from entra_sod.domain.enforcement.desired import references_on
from entra_sod.domain.enforcement.plan import make_plan
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.enforcement.tally import ReferenceTally
from entra_sod.domain.entra import AccessPackage, Pair, Reference
from entra_sod.domain.findings.model import (
    Change,
    ChangeSource,
    Finding,
    FindingState,
    finding_id,
)
from entra_sod.domain.results.check import ReferencesView
from entra_sod.domain.results.coverage import Checked, Coverage, Skipped
from entra_sod.domain.results.rule_references import sweep_enforcement
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import (
    DriftView,
    ReferenceCounts,
    StrategyView,
    SweepEnforcement,
    SweepResult,
)
from entra_sod.domain.rules.language import (
    AtMost,
    ExceptionEntry,
    Mode,
    PackageSelector,
    Rule,
    Severity,
    Side,
)
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import resolve
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.sweeps.outcomes import ReadScope, evaluate_pairs, evaluate_sets
from entra_sod.ports.storage import MAX_BATCH_ROWS
from entra_sod.services.report.make import ReportMaker
from entra_sod.services.report.view import ReportView
from entra_sod.services.sweeps.summary import SweepSummary
from entra_sod.stores.findings import FindingStore, StoredFinding, partition_of
from entra_sod.stores.sweeps import SweepStore
from entra_sod.stores.write_controls import WriteControls
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryStorage

TENANT = "6f1d2c9a-4b7e-4a55-9d0e-0f4f5a6b7c8d"
NIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)
_AREAS = {
    "Finance": ("invoices", "payments", "journals", "ledgers", "budgets"),
    "Procurement": ("vendors", "orders", "contracts", "receipts", "bids"),
    "HR": ("hires", "salaries", "absences", "bonuses", "leavers"),
    "IT": ("accounts", "backups", "deployments", "keys", "firewalls"),
    "Sales": ("quotes", "discounts", "refunds", "credits", "commissions"),
    "Treasury": ("bank accounts", "transfers", "loans", "hedges", "cash"),
}
_DUTIES = (
    "Create",
    "Approve",
    "Release",
    "Audit",
    "Change",
    "Delete",
    "Export",
    "Post",
    "Void",
    "Run",
)
_KINDS = ("entry", "approval", "control")
_FIRST = (
    "Ada",
    "Ben",
    "Chloé",
    "Dara",
    "Emre",
    "Fatima",
    "Goran",
    "Hana",
    "Ines",
    "Jonas",
    "Kavya",
    "Lena",
    "Mateo",
    "Nadia",
    "Oskar",
    "Priya",
    "Quinn",
)
_LAST = (
    "Abebe",
    "Brandt",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanov",
    "Jansen",
    "Kimura",
    "Lopez",
    "Müller",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedConflict:
    """A person that holds both packages of a pair, and the exceptions that permit it."""

    rules: Sequence[str]
    access_package_ids: Sequence[str]
    subject_id: str
    object_id: str
    display_name: str
    exceptions: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large.

    Attributes:
        dense: whether one more rule keeps every two packages apart, so that every cell is filled.
        rules: how many rules keep two classes apart.
        violated: how many of them are violated; None for all.
        unread_rule: whether no package of the last rule's first side can be read.
    """

    packages: int = 300
    findings: int = 20_000
    sweeps: int = 14
    dense: bool = False
    gaps: int = 3
    rules: int = 18
    violated: int | None = None
    unread_rule: bool = False


class ReportTenant:
    """Everything that a report is made from, in memory storage."""

    def __init__(self, size: Size, seed: int = 1) -> None:
        self._size, self._random = size, random.Random(seed)  # noqa: S311 - a tenant, no secret
        self._people = self._make_people()
        self._packages = self._make_packages()
        self._unreadable = {each.id for each in self._random.sample(self._packages, size.gaps)}
        self.rules = self._make_rules()
        if size.unread_rule:
            self._unreadable.update(self._made[size.rules - 1].sides[0].packages)
        self._pairs = list(self.rules.constraints)
        self._present = self._some_references()
        self.clock = ManualClock(NIGHT - timedelta(days=size.sweeps - 1))
        self._store = SweepStore(MemoryStorage(), self.clock)
        self._nights: list[str] = []
        self._planted = self._lines(size.findings)
        self._random.shuffle(self._planted)

    async def view(self) -> ReportView:
        """Let all nights pass, and make the report of the morning after the last."""
        for night in range(self._size.sweeps):
            # Later nights find more: people gather access.
            await self._sweep(round(len(self._planted) * self._share(night)))
            self.clock.advance(24 * 3600)
        self.clock.advance(-18 * 3600)
        findings = FindingStore(MemoryStorage())
        await self._keep_findings(findings)
        graph = MemoryGraph(self._packages, {})
        graph.tenant = TENANT
        maker = ReportMaker(
            graph=graph,
            sweeps=self._store,
            findings=findings,
            controls=WriteControls(MemoryStorage(), self.clock),
            max_writes_per_day=200,
            clock=self.clock,
        )
        return await maker.make(self.rules)

    def _share(self, night: int) -> float:
        """How much of what is found in the end was there on a night."""
        return 0.6 + 0.4 * (night + 1) / self._size.sweeps

    async def _keep_findings(self, store: FindingStore) -> None:
        """The findings of the newest night, each seen for the first time in its own."""
        total = len(self._planted)
        ends = [round(total * self._share(night)) for night in range(self._size.sweeps)]
        found = [
            each
            for place, line in enumerate(self._planted)
            for each in self._found(line, bisect_right(ends, place))
        ]
        found.sort(key=lambda each: each.id)
        for _, near in groupby(found, lambda each: partition_of(each.id)):
            for some in batched(near, MAX_BATCH_ROWS, strict=False):
                await store.write([StoredFinding(each, "") for each in some])

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _make_people(self) -> list[tuple[str, str, str]]:
        names = [f"{first} {last}" for first in _FIRST for last in _LAST]
        return [
            (self._uuid(), self._uuid(), self._random.choice(names))
            for _ in range(self._size.findings // 4 + 5)
        ]

    def _make_packages(self) -> list[AccessPackage]:
        names = [
            (area, f"{constraint} {thing}")
            for area, things in _AREAS.items()
            for constraint in _DUTIES
            for thing in things
        ]
        return [
            AccessPackage(id=self._uuid(), display_name=name, catalog_name=area)
            for area, name in self._random.sample(names, self._size.packages)
        ]

    def _make_rules(self) -> RuleSet:
        classes = self._classes()
        rules = [self._rule(number, list(classes)) for number in range(self._size.rules)]
        some = [PackageSelector(id=UUID(each.id)) for each in self._packages[:9]]
        rules.append(_set_rule("keys-of-the-house", "No person has more than two keys", some, 2))
        if self._size.dense:
            every = [PackageSelector(id=UUID(each.id)) for each in self._packages]
            rules.append(_set_rule("one-each", "No person has two packages at all", every, 1))
        book = ParsedRules(classes=classes, rules={each.id: each for each in rules})
        day = NIGHT.date()
        found = RuleSet(resolve(book, None, day), list(self._exceptions(rules)))
        by_id = {each.id: each for each in found.rules}
        self._made = [by_id[each.id] for each in rules]
        return found

    def _classes(self) -> dict[str, Side]:
        """A class for each area and kind of duty."""
        found: dict[str, list[PackageSelector]] = {}
        for each in self._packages:
            constraint = each.display_name.split()[0]
            name = f"{each.catalog_name.lower()}-{_KINDS[_DUTIES.index(constraint) % len(_KINDS)]}"
            found.setdefault(name, []).append(PackageSelector(id=UUID(each.id)))
        return {name: Side(packages=members) for name, members in sorted(found.items())}

    def _rule(self, number: int, classes: list[str]) -> Rule:
        one, other = self._random.sample(classes, 2)
        return Rule(
            id=f"{one}-or-{other}",
            title=f"{_duty(one)} and {_duty(other)} are separate duties",
            severity=list(Severity)[min(3, number % 5)],
            owner=f"{one.split('-')[0]}-controls@contoso.com",
            mode=list(Mode)[number % 3],
            between=[Side(classes=[one]), Side(classes=[other])],
            control=f"SOX-{one[:3].upper()}-{number:02}",
            advice="Keep the approving duty; ask the team lead to take over the other one.",
        )

    def _exceptions(self, rules: Sequence[Rule]) -> list[ExceptionEntry]:
        return [
            ExceptionEntry(
                id=f"EX-2026-{number:03}",
                rule=self._random.choice(rules).id,
                subject=self._random.choice(self._people)[0],
                start=NIGHT.date(),
                until=NIGHT.date() + timedelta(days=self._random.choice((0, 5, 12, 30, 60, 200))),
                reason="Year-end closing, two people short",
                requested_by="team.lead@contoso.com",
                approved_by="controls@contoso.com",
            )
            for number in range(min(12, len(self._people)))
        ]

    async def _sweep(self, shown: int) -> None:
        sweep_id = self.clock.now().strftime("sweep-%Y%m%dT%H%M%SZ")
        record = await self._store.create(sweep_id)
        lines = self._planted[:shown]
        self._nights.append(sweep_id)
        result = self._result(sweep_id, lines)
        summary = SweepSummary(sweep_id=sweep_id, pages={}, index=[], as_of=record.started_at)
        await self._store.store_summary(sweep_id, msgspec.json.encode(summary))
        await self._store.end(record, SweepStatus(result.status), msgspec.json.encode(result))

    def _lines(self, findings: int) -> list[PlantedConflict]:
        """So many findings; a few pairs have most of them."""
        readable = self._readable()
        chosen = self._random.sample(readable, min(len(readable), findings // 9 + 2))
        weights = list(accumulate(1 / (1 + place) ** 0.6 for place in range(len(chosen))))
        lines: dict[tuple[Pair, str], PlantedConflict] = {}
        total = 0
        excepted = self._excepted(chosen)
        while total < findings:
            [pair] = self._random.choices(chosen, cum_weights=weights)
            person = self._random.choice(self._people)
            if excepted:
                pair, person = excepted.pop()
            if (pair, person[0]) in lines:
                continue
            line = self._line(list(self.rules.constraints[pair].rule_ids), list(pair), person)
            lines[pair, person[0]] = line
            total += len(line.rules)
        return list(lines.values())

    def _found(self, line: PlantedConflict, night: int) -> Iterator[Finding]:
        """The findings of a conflict that was found first on a night, counted from 0."""
        back = timedelta(days=self._size.sweeps - 1 - night)
        seen, first = timestamp(NIGHT), timestamp(NIGHT - back)
        rules = {each.id: each.rule for each in self.rules.rules}
        excuses = {each.rule: each for each in self.rules.exceptions if each.id in line.exceptions}
        packages = sorted(line.access_package_ids)
        for rule in line.rules:
            yield Finding(
                id=finding_id(rule, Pair.of(*packages), line.subject_id),
                rule=rule,
                severity=rules[rule].severity,
                owner=rules[rule].owner,
                packages=tuple(packages),
                subject_id=line.subject_id,
                object_id=line.object_id,
                display_name=line.display_name,
                state=FindingState.EXCEPTED if rule in excuses else FindingState.OPEN,
                since=first,
                first_seen=first,
                history=(self._change(first, night),),
                last_seen=seen,
                looked_at=seen,
                looked_by="",
                rules_hash=self.rules.hash,
                salt="",
                exception=excuses[rule].id if rule in excuses else "",
                exception_until=excuses[rule].end if rule in excuses else None,
            )

    def _change(self, at: str, night: int) -> Change:
        run = self._nights[night]
        return Change(
            at=at,
            was=None,
            now=FindingState.OPEN,
            by=ChangeSource.SWEEP,
            cause=run,
            why="found",
            run=run,
        )

    def _excepted(self, chosen: Sequence[Pair]) -> list[tuple[Pair, tuple[str, str, str]]]:
        """For each exception a conflict that it permits, if some pair is its rule's alone."""
        people = {each[0]: each for each in self._people}
        pairs = {self.rules.constraints[each].rule_ids: each for each in chosen}
        return [
            (pairs[each.rule,], people[str(each.subject)])
            for each in self.rules.exceptions
            if (each.rule,) in pairs
        ]

    def _readable(self) -> list[Pair]:
        """The pairs that can be read and whose rules are violated."""
        violated = {each.id for each in self._made[: self._size.violated]}
        if self._size.violated is None:
            violated |= {each.id for each in self.rules.rules}
        constraints = self.rules.constraints
        return [
            each
            for each in self._pairs
            if not self._unreadable.intersection(each)
            and violated.issuperset(constraints[each].rule_ids)
        ]

    def _some_references(self) -> frozenset[Reference]:
        """References that are in Entra: all that are wanted, but for those of a few packages."""
        packages = {each.id: each for each in self._packages}
        desired = (
            each.reference for on in packages for each in references_on(on, self.rules, packages)
        )
        left_out = {each.id for each in self._random.sample(self._packages, 3)}
        return frozenset(each for each in desired if each.on not in left_out)

    def _enforcement(self) -> SweepEnforcement:
        tally, packages = ReferenceTally(), {each.id: each for each in self._packages}
        for on in packages:
            desired = references_on(on, self.rules, packages)
            tally.add(desired, make_plan(desired, self._present))
        return sweep_enforcement(Enforcement.APPLY, self.rules, packages, tally)

    def _line(
        self, rules: list[str], packages: list[str], person: tuple[str, str, str]
    ) -> PlantedConflict:
        subject_id, object_id, name = person
        excuses = self.rules.exceptions_for(rules, (subject_id, object_id))
        return PlantedConflict(
            rules=rules,
            access_package_ids=packages,
            subject_id=subject_id,
            object_id=object_id,
            display_name=name,
            exceptions=[each.id for each in excuses],
        )

    def _result(self, sweep_id: str, lines: Sequence[PlantedConflict]) -> SweepResult:
        holders = Counter(Pair.of(*line.access_package_ids) for line in lines)
        indexed = {each.id for each in self._packages} - self._unreadable
        looked = ReadScope(asked=(), indexed=indexed, holders=holders, enforced=indexed)
        outcomes = evaluate_pairs(self.rules, looked)
        refused = "Graph answers 403: the identity lacks a role on the catalog"
        skipped = [
            Skipped(what=f"assignments of access package {each}", why=refused)
            for each in sorted(self._unreadable)
        ]
        status = SweepStatus.COMPLETED_WITH_GAPS if skipped else SweepStatus.COMPLETED
        return SweepResult(
            id=sweep_id,
            status=status,
            pairs=outcomes.as_counts(),
            findings=len(lines),
            excepted=sum(bool(each.exceptions) for each in lines),
            results=outcomes.summaries(),
            sets=evaluate_sets(self.rules, looked, {}),
            references=ReferencesView(),
            reference_counts=ReferenceCounts(),
            drift=self._drift(),
            rule_enforcement=self._enforcement(),
            coverage=Coverage(checked=_checked(len(indexed)), skipped=skipped),
            strategy=StrategyView(
                chosen="index", why="about 612 requests instead of 4,300 pair by pair", ways={}
            ),
            assignments=self._size.findings * 6,
            requests=612,
            round_trips=98,
            throttled=0,
            throttled_seconds=0.0,
            rate=96.0,
            started_at=timestamp(self.clock.now()),
            ended_at=timestamp(self.clock.now() + timedelta(minutes=9)),
            rules_hash=self.rules.hash,
        )

    def _drift(self) -> list[DriftView]:
        pairs = self._random.sample(self._pairs, min(5, len(self._pairs)))
        kinds = ("missing", "extra", "asymmetric", "orphaned", "foreign")
        return [
            DriftView(
                kind=kind, access_package_id=pair.low, reference_kind="package", target_id=pair.high
            )
            for kind, pair in zip(kinds, pairs, strict=False)
        ]


def _duty(name: str) -> str:
    """A class as people call it: `hr-entry` is `HR entry`."""
    area, kind = name.split("-")
    return f"{next(each for each in _AREAS if each.lower() == area)} {kind}"


def _checked(packages: int) -> list[Checked]:
    return [Checked(what=f"the assignments of {packages} access packages", how="index, once each")]


def _set_rule(rule_id: str, title: str, of: list[PackageSelector], count: int) -> Rule:
    return Rule(
        id=rule_id,
        title=title,
        severity=Severity.LOW,
        owner="security@contoso.com",
        mode=Mode.RECORD,
        at_most=AtMost(count=count, of=of),
    )
