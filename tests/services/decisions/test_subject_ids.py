"""A subject may be given by its object id, or by its id in entitlement management."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from entra_sod.bootstrap.make_engine import make_engine
from entra_sod.bootstrap.make_records import make_records
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import Forbidden
from entra_sod.core.request_meter import metered
from entra_sod.domain.callers.identify import CallerSettings
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.rules.language import GroupSelector, Mode, PackageSelector, Rule, Side
from entra_sod.services.callers.admission import Admission
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.settings import read_settings
from functions.http.decisions import decide, decide_many
from local.memory.sender import MemorySender
from local.memory.storage import MemoryStorage
from tests.adapters.graph.fixtures import Connect
from tests.adapters.graph.tenant import (
    ADMIN_CLIENT,
    APP_CLIENT,
    APPROVE,
    CAS,
    EVE,
    PAY,
    PAYERS,
    object_id,
)
from tests.adapters.graph.tenant import ANN as ANN_SUBJECT
from tests.app import RulesInMemory, body_of, install_parts
from tests.builders import at_most, guid, package, rule
from tests.services.decisions.test_decisions import ANN, CROWD, MakeApp, ask, holds, make, post
from tests.services.sweeps.test_sweeps import sweep

UNKNOWN = guid("9")
SUBJECT = guid("5")


def pay_and_approve() -> Rule:
    sides = [Side(packages=[PackageSelector(id=UUID(each))]) for each in (PAY, APPROVE)]
    return rule("pay", *sides)


def by_id(object_id: str | None) -> Assignment:
    return Assignment(id="b-5", subject=Subject(id=SUBJECT, object_id=object_id), state="delivered")


@pytest.mark.parametrize("whole_tenant", [True, False])
async def test_the_id_in_entitlement_management_finds_the_same(
    make_app: MakeApp,
    whole_tenant: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Both ids are denied for the same assignment."""
    make(make_app, {"b": [by_id(ANN)]}, whole_tenant=whole_tenant)
    for asked in (ANN, SUBJECT):
        answer = await ask("a", asked)
        assert (answer["decision"], answer["subject"]) == ("deny", asked)
        assert answer["conflicts"][0]["assignmentId"] == "b-5"


@pytest.mark.parametrize("whole_tenant", [True, False])
async def test_a_subject_without_an_object_id_is_reviewed(
    make_app: MakeApp,
    whole_tenant: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Graph lists by object id; before there is one, nothing is known and nothing allowed."""
    make(make_app, {"b": [by_id(None)]}, whole_tenant=whole_tenant)
    answer = await ask("a", SUBJECT)
    assert answer["decision"] == "review"
    assert SUBJECT in answer["coverage"]["skipped"][0]["what"]


async def test_an_id_that_graph_does_not_tell_of_is_reviewed(make_app: MakeApp) -> None:
    """A subject that holds nothing by this object id may hold something by the other id."""
    app = make(make_app, {"b": [holds("b", ANN)]})

    async def refuse(ids: list[str]) -> dict[str, Forbidden]:
        return {each: Forbidden("not for you", status=403) for each in ids}

    app.graph.subjects = refuse  # type: ignore[method-assign,assignment]
    # A subject that may not be looked up is not an unknown one.
    app.configure(DECISION_ON_UNKNOWN_SUBJECT="allow")
    assert (await ask("a"))["decision"] == "deny"
    for wanted in ("a", "c"):
        answer = await ask(wanted, UNKNOWN)
        assert (answer["decision"], answer["subjectKnown"]) == ("review", None)
        assert "not for you" in answer["reasons"][0]


async def test_an_id_of_another_system_is_no_subject(make_app: MakeApp) -> None:
    """A ServiceNow sys_id is 32 hex digits: taken for a GUID it would allow everybody."""
    make(make_app, {"b": [holds("b", ANN)]})
    sys_id, wanted = ANN.replace("-", ""), guid("a").replace("-", "")
    each = {"subject": sys_id, "accessPackageId": wanted, "accessPackageIds": [wanted]}
    fields = ["/subject", "/accessPackageId", "/accessPackageIds/0"]
    one, many = await post(each, decide), await post({"requests": [each]}, decide_many)
    assert (one.status_code, many.status_code) == (422, 422)
    problems = body_of(one)["errors"]
    assert [problem["pointer"] for problem in problems] == fields
    assert "with its hyphens" in problems[0]["detail"]
    pointers = [problem["pointer"] for problem in body_of(many)["errors"]]
    assert pointers == [f"/requests/0{field}" for field in fields]


@pytest.mark.parametrize("whole_tenant", [True, False])
@pytest.mark.parametrize("subject", [UNKNOWN, guid("0"), guid("a"), guid("c")])
@pytest.mark.parametrize("wanted", ["a", "c"])
async def test_b1_an_unknown_subject_is_reviewed(
    make_app: MakeApp,
    subject: str,
    wanted: str,
    whole_tenant: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Also where no rule names the package, and where a field was mapped wrong: to a package."""
    make(make_app, {"b": [by_id(ANN)]}, whole_tenant=whole_tenant)
    answer = await ask(wanted, subject)
    assert (answer["decision"], answer["subjectKnown"]) == ("review", False)
    assert answer["coverage"]["skipped"] == []
    [reason] = answer["reasons"]
    assert f"subject {subject} is not known: entitlement management has no" in reason
    assert "no directory permission" in reason
    for known in (SUBJECT, ANN, CROWD[0]):
        answer = await ask("c", known)
        assert (answer["decision"], answer["subjectKnown"]) == ("allow", True)
        assert "not known" not in str(answer)


async def test_b1_a_setting_allows_an_unknown_subject(make_app: MakeApp) -> None:
    """The answer still says that no source knows the subject; a rule and a gap still count."""
    app = make(make_app, {})
    app.configure(DECISION_ON_UNKNOWN_SUBJECT="allow", DECISION_ON_GAPS="deny")
    answer = await ask("a", UNKNOWN)
    assert (answer["decision"], answer["subjectKnown"]) == ("allow", False)
    assert "is not known" in answer["reasons"][0]
    assert (await ask("ab", UNKNOWN))["decision"] == "deny"


async def test_b1_the_directory_vouches_where_it_may_be_read(make_app: MakeApp) -> None:
    """A new subject is allowed. If the directory does not know it either, both are said."""
    app = make(make_app, {})
    app.graph.directory = {UNKNOWN}
    answer = await ask("a", UNKNOWN)
    assert (answer["decision"], answer["subjectKnown"]) == ("allow", True)
    assert {"what": f"who {UNKNOWN} is", "how": "directory"} in answer["coverage"]["checked"]
    app.graph.directory = set()
    answer = await ask("a", UNKNOWN)
    assert (answer["decision"], answer["subjectKnown"]) == ("review", False)
    assert "the directory has no such person" in answer["reasons"][0]


async def test_b2_the_last_sweep_vouches_where_graph_does_not_tell(make_app: MakeApp) -> None:
    """However old its index is; a package of another catalog is then no reason for a review."""
    app = make(make_app, {"b": [by_id(ANN)]}, [at_most("one", 1, "abcdef", mode=Mode.WARN)])
    app.configure()
    await sweep(app)
    app.clock.advance(3600 * 24)
    app.graph._packages[guid("e7")] = package("e7")

    async def refuse(ids: list[str]) -> dict[str, Forbidden]:
        return {each: Forbidden("not for you", status=403) for each in ids}

    app.graph.subjects = refuse  # type: ignore[method-assign,assignment]
    for known in (ANN, SUBJECT):
        body = {"subject": known, "accessPackageId": guid("e7")}
        answer = body_of(await post(body, decide))
        assert (answer["decision"], answer["subjectKnown"]) == ("allow", True)
        assert answer["coverage"]["checked"][-1]["how"].startswith("index of sweep")


@pytest.mark.parametrize(
    ("client", "subject", "decision", "requests"),
    [
        (ADMIN_CLIENT, lambda: object_id(ANN_SUBJECT), "deny", 3),
        (ADMIN_CLIENT, lambda: UNKNOWN, "review", 6),
        (ADMIN_CLIENT, lambda: object_id(EVE), "allow", 4),
        (ADMIN_CLIENT, lambda: ANN_SUBJECT, "deny", 6),
        (ADMIN_CLIENT, lambda: EVE, "allow", 6),
        (APP_CLIENT, lambda: ANN_SUBJECT, "deny", 7),
    ],
)
async def test_few_requests_settle_it(
    connect: Connect, client: str, subject: Callable[[], str], decision: str, requests: int
) -> None:
    """One finds assignments; a second one who holds none; the other id takes two more.

    Two tell once in ten minutes what the packages of the rule grant.
    """
    install(connect, client, pay_and_approve())
    with metered() as meter:
        answer = body_of(await post({"subject": subject(), "accessPackageId": PAY}, decide))
    install_parts()
    assert (answer["decision"], meter.requests) == (decision, requests)


async def test_what_a_package_grants_takes_one_request_once(connect: Connect) -> None:
    """Pay makes people payers, whom a rule keeps from what Cas holds; then it is known."""
    payers = GroupSelector(id=UUID(PAYERS))
    sides = [Side(packages=[PackageSelector(id=UUID(APPROVE))]), Side(groups=[payers])]
    install(connect, ADMIN_CLIENT, rule("paid", *sides))
    counted = list[tuple[str, int]]()
    for _ in range(2):
        with metered() as meter:
            wish = {"subject": object_id(CAS), "accessPackageId": PAY}
            answer = body_of(await post(wish, decide))
        counted.append((answer["decision"], meter.requests))
    install_parts()
    # The first of them also reads the list of packages, as no rule names Pay by itself, and what
    # the package that the rule names grants.
    assert counted == [("deny", 4), ("deny", 1)]


def install(connect: Connect, client: str, *rules: Rule) -> None:
    """The app, on the simulated Graph."""
    records = make_records(MemoryStorage(), SystemClock())
    graph = connect(AZURE_CLIENT_ID=client)
    book = RulesProvider(RulesInMemory(rules), graph, records.clock)
    engine = make_engine(records, graph, book, read_settings({}), MemorySender())
    install_parts(records, engine, admission=Admission(CallerSettings(is_open=True), records.clock))
