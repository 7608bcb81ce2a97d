"""May a subject get a package? Answered at once, and never with an all-clear on a guess."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import azure.functions as func
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from entra_sod.core.errors import Throttled, Unavailable
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.rules.language import Mode, Rule
from entra_sod.domain.rules.toxic import selected_enough
from entra_sod.domain.rules.verdict import is_violated
from entra_sod.services.decisions.request import MAX_BATCH_BYTES, MAX_PACKAGES, MAX_SUBJECTS
from functions.http.decisions import decide, decide_many
from tests.app import App, body_of, call, install_parts
from tests.builders import at_most, exception, guid, package, rule, side

NAMES = "abcdef"
PACKAGES = [package(name) for name in NAMES]
ANN, BOB = guid("1"), guid("2")
# A hundred, without 5, which is an id of another kind.
CROWD = [guid(f"{number:x}") for number in range(0x10, 0x10 + 101) if number != 0x55]
# Entitlement management knows them, whether they hold anything or not.
KNOWN = [Subject(id=f"s-{who}", object_id=who) for who in (ANN, BOB, *CROWD)]
RULES = [msgspec.structs.replace(rule("pay", side("a"), side("b")), advice="Keep one of them.")]

type MakeApp = type[App]


def holds(
    name: str, who: str, *, start: datetime | None = None, end: datetime | None = None
) -> Assignment:
    subject = Subject(id=f"s-{who}", object_id=who)
    return Assignment(id=f"{name}-{who}", subject=subject, state="delivered", start=start, end=end)


def make(
    make_app: MakeApp,
    held: Mapping[str, Sequence[Assignment]],
    rules: Sequence[Rule] = RULES,
    *,
    whole_tenant: bool = True,
) -> App:
    app = make_app(PACKAGES, held, rules)
    app.graph.whole_tenant = whole_tenant
    app.graph.newcomers = list(KNOWN)
    return app


async def post(body: object, function: Any = decide) -> func.HttpResponse:
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    url = "https://app/api/decisions"
    return await call(function, func.HttpRequest("POST", url, headers=headers, body=data))


async def ask(wanted: str, subject: str = ANN, **more: object) -> dict[str, Any]:
    body = {"subject": subject, "accessPackageIds": [guid(name) for name in wanted], **more}
    response = await post(body)
    assert response.status_code == 200, response.get_body()
    return body_of(response)


@pytest.mark.parametrize("whole_tenant", [True, False])
async def test_a_conflict_is_denied_with_its_reason(make_app: MakeApp, whole_tenant: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The rule, the assignment that stands against it, advice and severity are in the answer."""
    make(make_app, {"b": [holds("b", ANN)]}, whole_tenant=whole_tenant)
    answer = await ask("a", reference="CHG-7")
    assert (answer["decision"], answer["severity"], answer["reference"]) == (
        "deny",
        "high",
        "CHG-7",
    )
    [conflict] = answer["conflicts"]
    assert (conflict["accessPackageId"], conflict["assignmentId"]) == (guid("b"), f"b-{ANN}")
    assert (conflict["rule"], conflict["until"]) == ("pay", None)
    assert answer["advice"] == "Keep one of them."
    assert answer["reasons"] == ["rule pay: Rule pay"]
    assert answer["coverage"]["skipped"] == []


@pytest.mark.parametrize("whole_tenant", [True, False])
async def test_without_a_conflict_it_is_allowed(make_app: MakeApp, whole_tenant: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Another person's access, expired access, and the same package are no conflict."""
    gone = replace(holds("b", ANN), state="expired")
    held = {"b": [holds("b", BOB), gone], "a": [holds("a", ANN)]}
    make(make_app, held, whole_tenant=whole_tenant)
    answer = await ask("a")
    assert (answer["decision"], answer["conflicts"], answer["reasons"]) == ("allow", [], [])
    assert answer["coverage"]["checked"] != []


async def test_two_wanted_packages_may_stand_against_each_other(make_app: MakeApp) -> None:
    """Asked for together, they are held together: there is no assignment to name."""
    make(make_app, {})
    answer = await ask("ab")
    assert answer["decision"] == "deny"
    assert [each["assignmentId"] for each in answer["conflicts"]] == [None]


async def test_more_than_allowed_of_a_set_is_denied(make_app: MakeApp) -> None:
    """A third where two are allowed."""
    rules = [at_most("two", 2, "abc", mode=Mode.WARN)]
    make(make_app, {"a": [holds("a", ANN)], "b": [holds("b", ANN)]}, rules)
    assert (await ask("c"))["decision"] == "deny"
    assert (await ask("c", BOB))["decision"] == "allow"


async def test_a_rule_that_only_records_asks_for_a_review(make_app: MakeApp) -> None:
    """It is met, and said, and denies nothing."""
    make(make_app, {"b": [holds("b", ANN)]}, [rule("r", side("a"), side("b"), mode=Mode.RECORD)])
    answer = await ask("a")
    assert answer["decision"] == "review"
    assert "only records" in answer["reasons"][0]


async def test_an_exception_makes_it_a_review(make_app: MakeApp) -> None:
    """An excepted subject is not denied; the exception and its end are named."""
    app = make(make_app, {"b": [holds("b", ANN)]})
    entry = exception("pay", "1", start=date(2025, 12, 1), end=date(2026, 1, 31))
    app.rules.write(RULES, [entry])
    answer = await ask("a")
    assert answer["decision"] == "review"
    assert answer["exceptions"] == [{"id": "EX-pay-1", "rule": "pay", "until": "2026-01-31"}]


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("begins", "decision"),
    [("2026-03-01T11:59:59Z", "deny"), ("2026-03-01T12:00:00Z", "review")],
)
async def test_access_that_ends_before_asks_for_a_review(
    make_app: MakeApp, begins: str, decision: str
) -> None:
    """To the second: what has ended by then is no conflict then, and the reason says so."""
    make(make_app, {"b": [holds("b", ANN, end=NOON)]})
    answer = await ask("a", **{"from": begins})
    assert answer["decision"] == decision
    assert answer["conflicts"][0]["until"] == "2026-03-01T12:00:00Z"
    assert ("before the wanted access begins" in answer["reasons"][0]) == (decision == "review")


async def test_access_that_begins_after_asks_for_a_review(make_app: MakeApp) -> None:
    """What begins when the wanted access is over does not meet it."""
    make(make_app, {"b": [holds("b", ANN, start=NOON)]})
    answer = await ask("a", until="2026-03-01T12:00:00Z")
    assert answer["decision"] == "review"
    assert "begins after" in answer["reasons"][0]


async def test_what_could_not_be_read_is_never_allowed(make_app: MakeApp) -> None:
    """A package that may not be read might be held."""
    app = make(make_app, {}, whole_tenant=False)
    app.graph.unreadable.add(guid("b"))
    answer = await ask("a")
    assert answer["decision"] == "review"
    assert "not known" in answer["reasons"][0]


@pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.RECORD])
async def test_what_could_not_be_read_can_be_denied(make_app: MakeApp, mode: Mode) -> None:
    """With DECISION_ON_GAPS=deny it is, also beside a rule that only records; it says why."""
    rules = [rule("pay", side("a"), side("b")), rule("r", side("a"), side("c"), mode=mode)]
    app = make(make_app, {"c": [holds("c", ANN)]}, rules, whole_tenant=False)
    app.configure(DECISION_ON_GAPS="deny")
    app.graph.unreadable.add(guid("b"))
    for subject in (ANN, BOB):
        answer = await ask("a", subject)
        assert answer["decision"] == "deny"
    assert "not known" in answer["reasons"][0]


async def test_what_is_known_is_decided_the_same_where_gaps_are_denied(make_app: MakeApp) -> None:
    """The setting changes nothing where all was read: allow, and review of what is over."""
    app = make(make_app, {"b": [holds("b", ANN, end=NOON)]})
    app.configure(DECISION_ON_GAPS="deny")
    assert (await ask("a", BOB))["decision"] == "allow"
    assert (await ask("a", **{"from": "2026-03-01T12:00:00Z"}))["decision"] == "review"


async def test_members_of_groups_are_not_known(make_app: MakeApp) -> None:
    """A rule against members of a group cannot be answered here, so it is never an all-clear."""
    make(make_app, {}, [rule("r", side("a"), side("", ["9"]))])
    answer = await ask("a")
    assert answer["decision"] == "review"
    assert guid("9") in answer["coverage"]["skipped"][0]["what"]


async def test_an_unknown_package_is_not_allowed(make_app: MakeApp) -> None:
    """A mistyped id would otherwise be clear of every rule."""
    make(make_app, {})
    assert (await ask("e"))["decision"] == "allow"
    answer = await ask("9")
    assert answer["decision"] == "review"
    assert "does not show" in str(answer["coverage"]["skipped"])


@pytest.mark.parametrize("error", [Throttled("wait", retry_after=7.0), Unavailable("503")])
async def test_while_graph_is_away_nothing_is_decided(make_app: MakeApp, error: Exception) -> None:
    """503 with Retry-After: the caller asks again, and was told nothing."""
    app = make(make_app, {})

    async def fail(_ids: object) -> Any:
        raise error
        yield

    app.graph.assignments_of_subjects = fail  # type: ignore[method-assign,assignment]
    response = await post({"subject": ANN, "accessPackageId": guid("a")})
    assert response.status_code == 503
    assert response.headers["Retry-After"] in ("5", "7")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"subject": "ann", "accessPackageId": 1}, ["/subject", "/accessPackageId"]),
        ({"subject": ANN}, ["/accessPackageId"]),
        (
            {"subject": ANN, "accessPackageId": guid("a"), "from": "2026-03-01T12:00:00"},
            ["/from"],
        ),
        (
            {
                "subject": ANN,
                "accessPackageId": guid("a"),
                "from": "2026-03-02T00:00:00Z",
                "until": "2026-03-01T00:00:00Z",
            },
            ["/until"],
        ),
    ],
)
async def test_every_wrong_field_is_named(
    make_app: MakeApp, body: object, pointers: list[str]
) -> None:
    """422 with a JSON pointer for each."""
    make(make_app, {})
    response = await post(body)
    assert response.status_code == 422
    assert [each["pointer"] for each in body_of(response)["errors"]] == pointers


async def test_many_are_decided_in_their_order(make_app: MakeApp) -> None:
    """One answer for each request; a mistake in one is named with its place."""
    make(make_app, {"b": [holds("b", ANN)]})
    wanted = {"accessPackageId": guid("a")}
    body = {"requests": [{"subject": BOB, **wanted}, {"subject": ANN, **wanted}]}
    answers = body_of(await post(body, decide_many))["decisions"]
    assert [(each["subject"], each["decision"]) for each in answers] == [
        (BOB, "allow"),
        (ANN, "deny"),
    ]
    response = await post({"requests": [{"subject": BOB}]}, decide_many)
    assert body_of(response)["errors"][0]["pointer"] == "/requests/0/accessPackageId"


async def test_the_largest_batch_that_is_promised_is_read(make_app: MakeApp) -> None:
    """A hundred subjects with twenty packages each, every field full, escaped and indented."""
    make(make_app, {})
    moments = {"from": "2026-03-01T12:00:00.000000+01:00", "until": "2026-04-01T12:00:00.000+01:00"}
    wanted = [guid(f"{number:x}") for number in range(0x10, 0x10 + MAX_PACKAGES)]
    each = {"subject": ANN, "accessPackageIds": wanted, "reference": "\N{DESERT}" * 200, **moments}
    data = json.dumps({"requests": [each] * MAX_SUBJECTS}, indent=2).encode()
    assert len(data) <= MAX_BATCH_BYTES
    headers = {"Content-Type": "application/json"}
    url = "https://app/api/decisions/batch"
    request = func.HttpRequest("POST", url, headers=headers, body=data)
    response = await call(decide_many, request)
    assert (response.status_code, len(body_of(response)["decisions"])) == (200, MAX_SUBJECTS)
    too_large = data.ljust(MAX_BATCH_BYTES + 1)
    request = func.HttpRequest("POST", url, headers=headers, body=too_large)
    assert (await call(decide_many, request)).status_code == 413


some_rules = st.lists(
    st.one_of(
        st.builds(
            lambda name, one, other, mode: rule(name, side(one), side(other), mode=mode),
            st.sampled_from(["r", "s"]),
            st.sampled_from(["a", "ab", "cd"]),
            st.sampled_from(["b", "e", "bcd"]),
            st.sampled_from(Mode),
        ),
        st.builds(
            at_most, st.just("n"), st.integers(1, 3), st.just("abcd"), mode=st.sampled_from(Mode)
        ),
    ),
    max_size=3,
    unique_by=lambda made: made.id,
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(some_rules, st.sets(st.sampled_from(NAMES)), st.sampled_from(NAMES), st.booleans())
async def test_decisions_follow_the_rules(
    rules: list[Rule],
    held: set[str],
    wanted: str,
    whole_tenant: bool,  # noqa: FBT001 - drawn
) -> None:
    """Deny, review or allow exactly as the rules have it, whichever way the tenant was read."""
    app = make(App, {name: [holds(name, ANN)] for name in held}, rules, whole_tenant=whole_tenant)
    answer = await ask(wanted)
    current = await app.engine.rules.current()
    install_parts()
    person = {guid(name) for name in held}
    violated = [each for each in current.rules if _is_violated(each, person, guid(wanted))]
    modes = {each.rule.mode for each in violated}
    expected = "deny" if modes - {Mode.RECORD} else "review" if modes else "allow"
    assert answer["decision"] == expected
    assert sorted(each["id"] for each in answer["rules"]) == sorted(each.id for each in violated)


def _is_violated(resolved: Any, held: set[str], wanted: str) -> bool:
    from entra_sod.domain.rules.verdict import SubjectAccess

    is_alone = wanted in selected_enough(resolved)
    return is_alone or is_violated(resolved, SubjectAccess(frozenset(held)), wanted)
