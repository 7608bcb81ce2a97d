"""Exceptions for a user principal name: bound to an id, and to no other one later."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.core.errors import Unavailable
from entra_sod.domain.results.coverage import Reason, rule_gaps
from entra_sod.domain.rules.exception_subjects import BoundException, SubjectProblem, bind
from entra_sod.domain.rules.language import ExceptionEntry
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.rules.exception_subjects import BoundExceptions, ExceptionSubjects
from entra_sod.services.rules.provider import LIST_LIFETIME, RulesProvider
from entra_sod.services.subjects.resolve import SubjectResolver
from entra_sod.stores.exception_subjects import ExceptionSubjectStore
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryStorage
from tests.app import RulesInMemory
from tests.builders import exception, guid, package, rule, rule_set, side

ADA, BOB, EVE = guid("a"), guid("b"), guid("e")
ADAS, BOBS = "ada@contoso.example", "bob@contoso.example"


def entry(subject: str = ADAS, **changes: Any) -> ExceptionEntry:
    made = exception("pay", "a", start=date(2026, 1, 1), end=date(2026, 12, 31))
    return msgspec.structs.replace(made, id="EX-1", subject=subject, **changes)


def directory(names: dict[str, str] | None) -> MemoryGraph:
    graph = MemoryGraph([package("1"), package("2")], {})
    graph.names = names
    return graph


class World:
    """A directory whose names may change, and what the app remembers."""

    def __init__(self, names: dict[str, str] | None) -> None:
        self.graph, self.clock = directory(names), ManualClock()
        self.store = ExceptionSubjectStore(MemoryStorage(), self.clock)

    async def bind(self, *exceptions: ExceptionEntry, remembers: bool = True) -> BoundExceptions:
        subjects = ExceptionSubjects(
            SubjectResolver(users=self.graph), self.store, remembers=remembers
        )
        return await subjects.bind(exceptions)


def kinds(bound: BoundExceptions) -> list[SubjectProblem]:
    return [each.kind for each in bound.problems]


async def test_a_name_is_bound_to_its_id_and_shown_beside_it() -> None:
    """The subject is an id from then on, as findings and evidence have it."""
    bound = await World({ADAS: ADA}).bind(entry(ADAS.upper()))
    [found] = bound.entries
    assert (found.subject, found.upn) == (ADA, ADAS.upper())
    assert found.named_subject == f"{ADA} ({ADAS.upper()})"
    assert kinds(bound) == []


@pytest.mark.parametrize("names", [None, {}, {BOBS: BOB}])
async def test_a_name_that_is_not_resolved_excuses_no_one(names: dict[str, str] | None) -> None:
    """Neither where the directory may not be read nor where it has no such user."""
    bound = await World(names).bind(entry())
    assert (bound.entries, kinds(bound)) == ([], [SubjectProblem.UNRESOLVED])
    rules = bound.into(lambda *given, **more: RuleSet(rule_set(pay()).rules, *given, **more))
    assert rules.exceptions_for(["pay"], [ADA, ADAS]) == ()
    [gap] = rule_gaps(rules)
    assert (gap.what, gap.reason) == ("exception EX-1 of rule pay", Reason.SUBJECT_UNKNOWN)
    assert gap.hides
    assert not gap.hides_conflicts
    assert "excuses no one" in gap.why


async def test_a_name_that_is_another_ones_by_now_excuses_neither() -> None:
    """Whatever spelling it has; a new exception is for whom the name is now."""
    world = World({ADAS: ADA})
    assert [each.subject for each in (await world.bind(entry())).entries] == [ADA]
    world.graph.names = {ADAS: BOB}
    for spelling in (ADAS, ADAS.upper()):
        bound = await world.bind(entry(spelling))
        assert (bound.entries, kinds(bound)) == ([], [SubjectProblem.REUSED])
        assert ADA in bound.problems[0].why
        assert BOB in bound.problems[0].why
    renewed = msgspec.structs.replace(entry(), id="EX-2")
    assert [each.subject for each in (await world.bind(renewed)).entries] == [BOB]


@pytest.mark.parametrize("names", [None, {}])
async def test_who_is_renamed_stays_excused_and_it_is_told(names: dict[str, str] | None) -> None:
    """The id decides, once it is remembered."""
    world = World({ADAS: ADA})
    await world.bind(entry())
    world.graph.names = names
    bound = await world.bind(entry())
    assert [each.subject for each in bound.entries] == [ADA]
    assert kinds(bound) == [SubjectProblem.RENAMED]


async def test_only_the_app_remembers() -> None:
    """A command that reads changes nothing."""
    world = World({ADAS: ADA})
    await world.bind(entry(), remembers=False)
    assert (await world.store.read()).of("EX-1", ADAS) is None


async def test_an_id_decides_whatever_name_stands_beside_it() -> None:
    """That the name is another one's is told; without a directory there is nothing to tell."""
    for names, told in (({ADAS: BOB}, [SubjectProblem.RENAMED]), ({ADAS: ADA}, []), (None, [])):
        bound = await World(names).bind(entry(ADA.upper(), upn=ADAS))
        assert [each.subject for each in bound.entries] == [ADA]
        assert kinds(bound) == told


@pytest.mark.parametrize(
    ("subject", "requested_by", "approved_by"),
    [
        (ADA, "eve@contoso.example", ADAS),
        (ADAS, "eve@contoso.example", ADA),
        (ADAS, "eve@contoso.example", f"{{{ADA.upper()}}}"),
        (EVE, ADA, ADAS),
        (EVE, ADAS, ADA),
    ],
)
async def test_four_eyes_compare_people(subject: str, requested_by: str, approved_by: str) -> None:
    """An id and a name of one person are one person."""
    world = World({ADAS: ADA, BOBS: BOB})
    bound = await world.bind(entry(subject, requested_by=requested_by, approved_by=approved_by))
    assert (bound.entries, kinds(bound)) == ([], [SubjectProblem.SAME_PERSON])
    bound = await world.bind(entry(subject, requested_by=requested_by, approved_by=BOBS))
    assert len(bound.entries) == 1


async def test_rules_without_names_ask_no_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read of the directory for them."""
    world = World({})

    async def never(names: object) -> None:
        raise AssertionError(names)

    monkeypatch.setattr(world.graph, "users_by_name", never)
    by_id = entry(ADA, requested_by="The team", approved_by="Controls")
    assert len((await world.bind(by_id)).entries) == 1


async def test_an_approver_who_cannot_be_looked_up_is_compared_by_spelling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no reason to hold up the rules."""
    world = World({})

    async def away(names: object) -> None:
        raise Unavailable(str(names))

    monkeypatch.setattr(world.graph, "users_by_name", away)
    assert len((await world.bind(entry(ADA, approved_by=BOBS))).entries) == 1
    with pytest.raises(Unavailable):
        await world.bind(entry(ADAS))


ids = st.sampled_from([ADA, BOB, EVE])


@given(st.none() | ids, st.none() | ids)
def test_an_exception_for_a_name_excuses_whom_it_was_for_at_first(
    now: str | None, before: str | None
) -> None:
    """Never one whom the name came to later; and it is told whenever anything is not as it was."""
    bound: BoundException = bind(entry(), {ADAS: now}, {ADAS: "it has no user"}, before)
    if bound.entry is not None:
        assert bound.entry.subject == (before or now)
        assert now in {None, bound.entry.subject}
    assert (bound.problem is None) == (now is not None and before in {None, now})
    assert bound.is_new == (before is None and now is not None)


def pay() -> Any:
    return rule("pay", side("1"), side("2"))


async def test_rules_in_force_have_bound_exceptions_and_the_hash_of_what_is_written() -> None:
    """The hash does not depend on whether the directory answers; names are asked again later."""
    files = RulesInMemory([])
    files.write([pay()], [entry()])
    graph, clock = directory({ADAS: ADA}), ManualClock()
    clock.advance(300 * 86_400)
    provider = RulesProvider(files, graph, clock)
    rules = await provider.current()
    assert [each.id for each in rules.exceptions_for(["pay"], [ADA])] == ["EX-1"]
    graph.names = None
    assert (await provider.current()).exception_problems == ()
    clock.advance(LIST_LIFETIME.total_seconds() + 61)
    later = await provider.current()
    assert later.exceptions == ()
    assert [each.kind for each in later.exception_problems] == [SubjectProblem.UNRESOLVED]
    assert later.hash == rules.hash
