"""Who holds both packages, by which of the two ways, and what is remembered of a refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.core.errors import Forbidden, GraphError, Throttled, Unavailable
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.results.coverage import DetectionMethod
from entra_sod.ports.graph import AssignmentPage
from entra_sod.services.detection.detect import REMEMBER_REFUSAL, Detector
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from tests.adapters.graph.fixtures import Simulator
from tests.adapters.graph.tenant import (
    ANN,
    APPROVE,
    BOB,
    DORA,
    ORDER,
    PAY,
    RELEASE,
    UNKNOWN,
    assignment,
)
from tests.builders import guid, held, package

A, B = guid("a"), guid("b")
HOUR = 3600
BOTH = (assignment(PAY, ANN), assignment(PAY, BOB))
REFUSALS = ["forbidden", "bad-request"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def detector(client: GraphClient, clock: ManualClock) -> Detector:
    """Detection over HTTP, against the simulator."""
    return Detector(client, clock)


def tries(simulator: Simulator) -> int:
    """How often additionalAccess was asked."""
    return sum("additionalAccess" in target for target in simulator.targets())


def two_packages(a: list[Assignment], b: list[Assignment]) -> MemoryGraph:
    return MemoryGraph([package("a"), package("b")], {A: a, B: b}, page_size=3)


def one(name: str, person: str, state: str | None, object_id: str | None = "") -> Assignment:
    own = f"o-{person}" if object_id == "" else object_id
    subject = Subject(id=person, object_id=own)
    return Assignment(id=f"{name}-{person}", subject=subject, state=state)


async def test_additional_access_is_the_first_way(detector: Detector, simulator: Simulator) -> None:
    """Where Graph lets the app use additionalAccess, one request answers, and says its way."""
    found = await detector.detect(PAY, APPROVE)
    assert (found.holders, found.way) == (BOTH, DetectionMethod.ADDITIONAL_ACCESS)
    assert len(simulator.requests()) == 1


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refusal_leads_to_both_packages_filtered_lists(
    detector: Detector, simulator: Simulator, refusal: str
) -> None:
    """Refused by 403 or by 400, the same people are found in the lists of both packages."""
    simulator.control.behave(additional_access=refusal, page_size=2)
    found = await detector.detect(PAY, APPROVE)
    assert (found.holders, found.way) == (BOTH, DetectionMethod.ASSIGNMENTS)
    lists = [target for target in simulator.targets() if "additionalAccess" not in target]
    assert all("/assignments?" in target for target in lists)
    for package_id in (PAY, APPROVE):
        assert any(f"accessPackage/id%20eq%20'{package_id}'" in target for target in lists)
    assert all("accessPackage/id%20eq%20'" in target for target in lists)


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refusal_is_remembered(
    detector: Detector, simulator: Simulator, clock: ManualClock, refusal: str
) -> None:
    """For six hours additionalAccess is not tried again, not even for another pair."""
    simulator.control.behave(additional_access=refusal)
    await detector.detect(PAY, APPROVE)
    clock.advance(REMEMBER_REFUSAL.total_seconds() - 1)
    for pair in ((PAY, APPROVE), (APPROVE, ORDER)):
        assert (await detector.detect(*pair)).way is DetectionMethod.ASSIGNMENTS
    assert tries(simulator) == 1


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refusal_is_forgotten_in_time(
    detector: Detector, simulator: Simulator, clock: ManualClock, refusal: str
) -> None:
    """After six hours it is tried again: an administrator may have granted the permission."""
    simulator.control.behave(additional_access=refusal)
    await detector.detect(PAY, APPROVE)
    simulator.control.behave(additional_access="supported")
    clock.advance(REMEMBER_REFUSAL.total_seconds())
    assert (await detector.detect(PAY, APPROVE)).way is DetectionMethod.ADDITIONAL_ACCESS
    assert tries(simulator) == 2


@pytest.mark.parametrize("unreadable", [RELEASE, UNKNOWN], ids=["unreadable", "unknown"])
@pytest.mark.parametrize("first", [True, False], ids=["as first", "as second"])
async def test_a_package_that_may_not_be_read_is_no_refusal_of_the_way(
    detector: Detector, simulator: Simulator, unreadable: str, *, first: bool
) -> None:
    """403 because of a package raises, and additionalAccess is tried again for the next pair."""
    pair = (unreadable, PAY) if first else (PAY, unreadable)
    with pytest.raises(Forbidden):
        await detector.detect(*pair)
    assert (await detector.detect(PAY, APPROVE)).way is DetectionMethod.ADDITIONAL_ACCESS
    assert tries(simulator) == 2


async def test_a_refusal_on_a_later_page_leads_to_the_lists_too(
    detector: Detector, simulator: Simulator
) -> None:
    """What came before the refusal is not mixed with what the lists give."""
    simulator.control.behave(page_size=1)
    simulator.control.add_faults(
        {"kind": "status", "status": 403, "match": {"path_contains": "skiptoken"}}
    )
    found = await detector.detect(PAY, APPROVE)
    assert (found.holders, found.way) == (BOTH, DetectionMethod.ASSIGNMENTS)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 500}, Unavailable),
        ({"kind": "truncate-json"}, Unavailable),
    ],
    ids=["500", "truncated"],
)
async def test_an_unlucky_moment_is_no_refusal(
    detector: Detector, simulator: Simulator, fault: dict[str, object], error: type[GraphError]
) -> None:
    """A service that is away is not a reason for the second way, nor is it remembered."""
    simulator.control.add_faults(fault)
    with pytest.raises(error):
        await detector.detect(PAY, APPROVE)
    assert (await detector.detect(PAY, APPROVE)).way is DetectionMethod.ADDITIONAL_ACCESS


async def test_being_throttled_is_no_refusal(clock: ManualClock) -> None:
    """Silence that Graph asks for is no reason for the second way, nor is it remembered."""

    class Throttling(MemoryGraph):
        waits: ClassVar = [Throttled("slow down", retry_after=60.0)]

        async def additional_access(
            self, package_id: str, incompatible_package_id: str
        ) -> AsyncIterator[AssignmentPage]:
            if self.waits:
                raise self.waits.pop()
            async for page in super().additional_access(package_id, incompatible_package_id):
                yield page

    detector = Detector(Throttling([package("a"), package("b")], {A: held("a", "x")}), clock)
    with pytest.raises(Throttled):
        await detector.detect(A, B)
    assert (await detector.detect(A, B)).way is DetectionMethod.ADDITIONAL_ACCESS


@pytest.mark.parametrize("refusal", ["supported", *REFUSALS])
async def test_half_an_answer_is_no_answer(
    detector: Detector, simulator: Simulator, refusal: str
) -> None:
    """By either way, a page that cannot be read raises: nothing is known of the pair then."""
    simulator.control.behave(page_size=1, additional_access=refusal)
    simulator.control.add_faults(
        {"kind": "status", "status": 500, "match": {"path_contains": "skiptoken"}}
    )
    with pytest.raises(Unavailable):
        await detector.detect(PAY, APPROVE)


@pytest.mark.parametrize("refusal", ["supported", *REFUSALS])
@pytest.mark.parametrize("case", ["camel", "pascal"])
async def test_states_count_in_any_case(
    detector: Detector, simulator: Simulator, refusal: str, case: str
) -> None:
    """By either way and in either case: delivered and partly delivered count, expired does not."""
    simulator.control.behave(state_case=case, additional_access=refusal)
    found = await detector.detect(PAY, APPROVE)
    assert {each.subject.id for each in found.holders} == {ANN, BOB}


async def test_expired_assignments_that_graph_lists_are_left_out(
    detector: Detector, simulator: Simulator
) -> None:
    """Which states additionalAccess lists is undocumented: of the first package, expired are out.

    What expired of the second package does not show in its answer: Dora's did.
    """
    simulator.control.behave(additional_access_states="all", state_case="pascal")
    found = await detector.detect(PAY, APPROVE)
    assert {each.subject.id for each in found.holders} == {ANN, BOB, DORA}


@pytest.mark.parametrize("refusal", ["supported", *REFUSALS])
async def test_people_on_their_way_are_found_without_an_object_id(
    detector: Detector, simulator: Simulator, refusal: str
) -> None:
    """While an assignment is delivered, nothing but `target.id` says who gets it."""
    simulator.control.behave(additional_access=refusal)
    (found,) = (await detector.detect(PAY, ORDER)).holders
    assert found.subject == Subject(id=guid("e5"))
    assert found.state == "delivering"


@pytest.mark.parametrize("refusal", ["supported", *REFUSALS])
async def test_a_missing_state_counts_as_held(
    detector: Detector, simulator: Simulator, refusal: str
) -> None:
    """If Graph leaves the state out, each listed subject counts."""
    simulator.control.behave(missing_state=True, additional_access=refusal)
    found = {each.subject.id for each in (await detector.detect(PAY, APPROVE)).holders}
    assert found >= {ANN, BOB}


@pytest.mark.parametrize("refusal", ["supported", *REFUSALS])
async def test_ids_in_upper_case_are_the_same_people(
    detector: Detector, simulator: Simulator, refusal: str
) -> None:
    """Ids compare in lower case, in whatever case Graph writes them on either list."""
    simulator.control.behave(additional_access=refusal)
    tenant = simulator.control.tenant()
    for each in tenant["assignments"]:
        if each["accessPackageId"] == PAY:
            each["targetId"] = each["targetId"].upper()
            each["id"] = each["id"].upper()
    tenant["subjects"] = []
    simulator.control.replace_tenant(tenant)
    found = await detector.detect(PAY, APPROVE)
    assert {each.subject.id for each in found.holders} == {ANN, BOB}
    assert [each.id for each in found.holders] == [each.id for each in BOTH]


@pytest.mark.parametrize(
    ("state", "is_held"),
    [
        ("delivered", True),
        ("Delivered", True),
        ("PartiallyDelivered", True),
        ("partiallyDelivered", True),
        ("delivering", True),
        ("Delivering", True),
        ("deliveryFailed", True),
        ("unknownFutureValue", True),
        ("", True),
        (None, True),
        ("expired", False),
        ("Expired", False),
        ("EXPIRED", False),
    ],
)
@pytest.mark.parametrize("refuses", [False, True], ids=["additionalAccess", "assignments"])
async def test_only_what_expired_is_not_held(
    clock: ManualClock, state: str | None, *, is_held: bool, refuses: bool
) -> None:
    """A wrong conflict is looked at by a person, so only an expired assignment is left out."""
    graph = two_packages([one("a", "p", state)], [*held("b", "x"), one("b", "p", "delivered")])
    graph.refuses_additional_access = refuses
    found = await Detector(graph, clock).detect(A, B)
    assert [each.subject.id for each in found.holders] == (["p"] if is_held else [])


async def test_an_expired_assignment_of_the_second_package_holds_nothing(
    clock: ManualClock,
) -> None:
    """By the lists, expiry counts on either side."""
    graph = two_packages([one("a", "p", "delivered")], [one("b", "p", "Expired")])
    graph.refuses_additional_access = True
    assert (await Detector(graph, clock).detect(A, B)).holders == ()


async def test_people_are_compared_by_both_of_their_ids(clock: ManualClock) -> None:
    """Equal object ids are one person, whose other id has changed; unknown ones say nothing."""
    graph = two_packages(
        [one("a", "p", "delivered", None), one("a", "q", "delivered", "x")],
        [one("b", "r", "delivered", None), one("b", "s", "delivered", "x")],
    )
    graph.refuses_additional_access = True
    [found] = (await Detector(graph, clock).detect(A, B)).holders
    assert found.subject.id == "q"


@pytest.mark.parametrize("refuses", [False, True], ids=["additionalAccess", "assignments"])
async def test_a12_two_assignments_of_one_person_are_one_holder(
    clock: ManualClock, *, refuses: bool
) -> None:
    """In both orders of the pair; a subject without an object id counts by the other id."""
    twice = [
        Assignment(id=f"a-{each}", subject=Subject(id="p", object_id="x"), state="delivered")
        for each in "12"
    ]
    nameless = [one("a", "q", state, None) for state in ("delivered", "delivering")]
    graph = two_packages(
        [*twice, *nameless], [one("b", "p", "delivered", "x"), one("b", "q", "delivered", None)]
    )
    graph.refuses_additional_access = refuses
    for pair in ((A, B), (B, A)):
        found = (await Detector(graph, clock).detect(*pair)).holders
        assert [each.subject.id for each in found] == ["p", "q"]


async def test_an_assignment_that_two_pages_repeat_counts_once(clock: ManualClock) -> None:
    """Pages that overlap do not make two holders of one."""
    graph = two_packages(
        [one("a", "p", "delivered") for _ in range(7)], [one("b", "p", "delivered")]
    )
    for refuses in (False, True):
        graph.refuses_additional_access = refuses
        assert len((await Detector(graph, clock).detect(A, B)).holders) == 1


STATES = st.sampled_from(["delivered", "Delivering", "partiallyDelivered", "expired", None])
HOLDINGS = st.dictionaries(st.sampled_from("pqrstu"), STATES)


@given(a=HOLDINGS, b=HOLDINGS)
async def test_both_ways_find_the_same_people(
    a: dict[str, str | None], b: dict[str, str | None]
) -> None:
    """The lists find the same subjects as additionalAccess, in any tenant."""
    graph = two_packages(
        [one("a", person, state) for person, state in a.items()],
        [one("b", person, state) for person, state in b.items()],
    )
    first = await Detector(graph, ManualClock()).detect(A, B)
    graph.refuses_additional_access = True
    second = await Detector(graph, ManualClock()).detect(A, B)
    assert (first.way, second.way) == (
        DetectionMethod.ADDITIONAL_ACCESS,
        DetectionMethod.ASSIGNMENTS,
    )
    assert first.holders == second.holders
    expected = {person for person in a.keys() & b.keys() if "expired" not in (a[person], b[person])}
    assert {each.subject.id for each in first.holders} == expected
