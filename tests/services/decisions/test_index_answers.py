"""Decisions by the index of the last sweep: fresh, whole for what is asked, and said so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from entra_sod.bootstrap.make_engine import make_engine
from entra_sod.bootstrap.make_records import make_records
from entra_sod.core.clock import SystemClock, timestamp
from entra_sod.core.errors import Forbidden
from entra_sod.core.request_meter import metered
from entra_sod.domain.callers.identify import CallerSettings
from entra_sod.domain.decisions.strategy import (
    MAX_LISTED_PACKAGES,
    MAX_LIVE_SUBJECTS,
    is_index_fresh,
    prefers_index,
    prefers_lists,
)
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.rules.language import Mode
from entra_sod.ports.storage import Storage
from entra_sod.services.callers.admission import Admission
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.settings import read_settings
from functions.http.decisions import decide_many
from functions.queues.process import process_message
from local.memory.sender import MemorySender
from local.memory.storage import MemoryStorage
from tests.adapters.graph.fixtures import Connect, Simulator
from tests.adapters.graph.tenant import ADMIN_CLIENT, APPROVE, ORDER, PAY, object_id
from tests.adapters.graph.tenant import ANN as ANN_SUBJECT
from tests.app import App, RulesInMemory, body_of, install_parts, wrapped
from tests.builders import at_most, guid, rule, side
from tests.services.decisions.test_decisions import CROWD, MakeApp, ask, holds, make, post
from tests.services.sweeps.test_sweeps import sweep

ANN, BOB = guid("1"), guid("2")
# Many pairs of few packages: a sweep indexes them.
DENSE = [at_most("one", 1, "abcdef", mode=Mode.WARN)]


async def swept(
    make_app: MakeApp,
    held: Mapping[str, Sequence[Assignment]],
    *,
    minutes: int = 15,
    whole_tenant: bool = True,
    **settings: str,
) -> App:
    """An app that has swept just now."""
    app = make(make_app, held, DENSE, whole_tenant=whole_tenant)
    app.configure(DECISION_INDEX_MINUTES=str(minutes), **settings)
    await sweep(app)
    return app


async def ask_many(wanted: str, subjects: Sequence[str]) -> list[dict[str, Any]]:
    each = {"accessPackageIds": [guid(name) for name in wanted]}
    body = {"requests": [{"subject": subject, **each} for subject in subjects]}
    answers: list[dict[str, Any]] = body_of(await post(body, decide_many))["decisions"]
    return answers


def how(answer: dict[str, Any]) -> str:
    """How it was found out what the subject holds; who it is, is another matter."""
    checked = answer["coverage"]["checked"]
    return "; ".join(each["how"] for each in checked if each["what"].startswith("what "))


def grant(app: App, assignment: Assignment) -> None:
    """Grant package b without the app's knowledge."""
    app.graph._assignments.setdefault(guid("b"), []).append(assignment)


def no_graph(app: App) -> None:
    """From here on, asking Graph for a subject's assignments fails the test."""

    async def fail(asked: Collection[object]) -> Any:
        assert not asked, "Graph was asked"
        return
        yield

    app.graph.assignments_of_subjects = fail  # type: ignore[method-assign,assignment]
    app.graph.assignments_of_subjects_in = fail  # type: ignore[method-assign,assignment]


async def test_a_batch_is_answered_from_a_fresh_index_and_says_so(make_app: MakeApp) -> None:
    """A hundred subjects without one request; the answer is as old as the sweep's beginning."""
    app = await swept(make_app, {"b": [holds("b", CROWD[3])]})
    began = (await app.records.sweeps.latest()).started_at  # type: ignore[union-attr]
    app.clock.advance(60)
    no_graph(app)
    answers = await ask_many("a", CROWD)
    assert [each["decision"] for each in answers] == [
        "deny" if subject == CROWD[3] else "allow" for subject in CROWD
    ]
    [conflict] = answers[3]["conflicts"]
    assert conflict["assignmentId"] == f"b-{CROWD[3]}"
    assert {each["asOf"] for each in answers} == {timestamp(began)}
    sweep_id = (await app.records.sweeps.latest()).id  # type: ignore[union-attr]
    assert how(answers[0]) == f"index of sweep {sweep_id}, as of {timestamp(began)}"


async def test_a_single_subject_is_asked_live(make_app: MakeApp) -> None:
    """What was granted since the sweep is seen, although the index is fresh."""
    app = await swept(make_app, {})
    grant(app, holds("b", ANN))
    answer = await ask("a")
    assert (answer["decision"], how(answer)) == ("deny", "assignments of the subject")
    assert answer["asOf"] == timestamp(app.clock.now())


@pytest.mark.parametrize(("minutes", "age"), [(0, 0), (15, 15 * 60 + 1)])
async def test_an_index_that_is_too_old_is_not_asked(
    make_app: MakeApp, minutes: int, age: float
) -> None:
    """Past its minutes, or with 0, Graph is asked, and sees what is new."""
    app = await swept(make_app, {}, minutes=minutes)
    grant(app, holds("b", CROWD[0]))
    app.clock.advance(age)
    answers = await ask_many("a", CROWD[:20])
    assert answers[0]["decision"] == "deny"
    assert {how(each) for each in answers} == {"assignments of the packages"}


async def test_rights_on_catalogs_are_answered_from_the_index(make_app: MakeApp) -> None:
    """Where Graph refuses a subject's list, the index says it, and the refusal is remembered."""
    app = await swept(make_app, {"b": [holds("b", ANN)]}, whole_tenant=False)
    first = await ask("a")
    no_graph(app)
    again = await ask("a", BOB)
    assert (first["decision"], again["decision"]) == ("deny", "allow")
    assert all(how(each).startswith("index of sweep ") for each in (first, again))


async def test_without_a_fresh_index_rights_on_catalogs_ask_package_by_package(
    make_app: MakeApp,
) -> None:
    """As ever, and in one answer only one way is named."""
    app = await swept(make_app, {"b": [holds("b", ANN)]}, whole_tenant=False)
    app.clock.advance(3600)
    answer = await ask("a")
    assert (answer["decision"], how(answer)) == ("deny", "assignments of the subject, by package")


async def test_a_package_that_the_sweep_could_not_read_is_a_gap(make_app: MakeApp) -> None:
    """It is named with the sweep's reason, and no subject is allowed by it."""
    app = make(make_app, {}, DENSE, whole_tenant=False)
    app.graph.unreadable.add(guid("b"))
    await sweep(app)
    [answer, *_] = await ask_many("a", CROWD)
    assert answer["decision"] == "review"
    [gap] = answer["coverage"]["skipped"]
    assert guid("b") in gap["what"]
    assert "could not read it" in gap["why"]


async def test_an_error_while_paging_is_a_gap_of_the_index(make_app: MakeApp) -> None:
    """A package that was read in part says nothing of any subject."""
    app = make(make_app, {"b": [holds("b", CROWD[0])]}, DENSE)
    read = app.graph.assignments_of

    async def cut_short(package_ids: Any) -> Any:
        async for package, page in read(package_ids):
            yield package, page
            if package == guid("b"):
                yield package, Forbidden("no more", status=403)

    app.graph.assignments_of = cut_short  # type: ignore[method-assign]
    await sweep(app)
    answers = await ask_many("a", CROWD)
    assert answers[0]["decision"] == "deny"
    assert {each["decision"] for each in answers[1:]} == {"review"}


async def test_what_the_sweep_never_looked_at_is_asked_of_graph(make_app: MakeApp) -> None:
    """A sweep that asks pair by pair leaves no index: silence is no all-clear."""
    app = make(make_app, {"b": [holds("b", CROWD[0])]}, [rule("pay", side("a"), side("b"))])
    await sweep(app)
    answers = await ask_many("a", CROWD)
    assert [each["decision"] for each in answers] == ["deny", *["allow"] * 99]
    assert {how(each) for each in answers} == {"assignments of the packages"}


async def test_an_index_that_is_gone_is_no_index(make_app: MakeApp) -> None:
    """An operator deleted the index from the container, so the app asks Graph."""
    app = await swept(make_app, {})
    app.storage.blobs._blobs = {  # type: ignore[attr-defined]
        key: data
        for key, data in app.storage.blobs._blobs.items()  # type: ignore[attr-defined]
        if "/index-" not in key[1]
    }
    answers = await ask_many("a", CROWD)
    assert {how(each) for each in answers} == {"assignments of the packages"}


@pytest.mark.parametrize("whole_tenant", [True, False])
async def test_long_lists_are_not_read_for_a_batch(
    make_app: MakeApp,
    whole_tenant: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Past ten pages each subject is asked for by itself, and nothing is missed or said twice."""
    crowd = [holds("b", guid(f"{number:08x}")) for number in range(1, 1001)]
    held = {"b": [*crowd, holds("b", CROWD[0])]}
    make(make_app, held, [rule("pay", side("a"), side("b"))], whole_tenant=whole_tenant)
    answers = await ask_many("a", CROWD)
    assert [each["decision"] for each in answers] == ["deny", *["allow"] * 99]
    assert len(answers[0]["conflicts"]) == 1
    assert how(answers[1]).startswith("assignments of the subject")


async def test_a_list_that_may_not_be_read_is_a_gap(make_app: MakeApp) -> None:
    """Every subject is reviewed, with Graph's reason."""
    app = make(make_app, {}, [rule("pay", side("a"), side("b"))], whole_tenant=False)
    app.graph.unreadable.add(guid("b"))
    answers = await ask_many("a", CROWD)
    assert {each["decision"] for each in answers} == {"review"}
    assert "may not read" in answers[0]["coverage"]["skipped"][0]["why"]


async def test_lists_know_both_ids_and_count_for_what_they_stand_against(
    make_app: MakeApp,
) -> None:
    """Each subject by the id it was asked by; what stands against another package is not named."""
    subject = Subject(id=guid("5"), object_id=ANN)
    held = [Assignment(id="held", subject=subject, state="delivered")]
    rules = [rule("pay", side("a"), side("b")), rule("see", side("c"), side("d"))]
    make(make_app, {"b": held, "d": [holds("d", BOB)]}, rules)
    asked = [{"subject": each, "accessPackageId": guid("a")} for each in (ANN, guid("5"), BOB)]
    more = [{"subject": each, "accessPackageId": guid("c")} for each in (BOB, *CROWD[:3])]
    answers = body_of(await post({"requests": [*asked, *more]}, decide_many))["decisions"]
    assert [each["decision"] for each in answers] == [
        "deny",
        "deny",
        "allow",
        "deny",
        *["allow"] * 3,
    ]


async def test_the_index_knows_dates(make_app: MakeApp) -> None:
    """A conflict that ends before the wanted access begins is reviewed, to the second."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    app = await swept(make_app, {"b": [holds("b", ANN, end=noon)]}, whole_tenant=False)
    before = await ask("a", **{"from": "2026-03-01T11:59:59Z"})
    after = await ask("a", **{"from": "2026-03-01T12:00:00Z"})
    assert (before["decision"], after["decision"]) == ("deny", "review")
    assert after["conflicts"][0]["until"] == "2026-03-01T12:00:00Z"
    assert "before the wanted access begins" in after["reasons"][0]
    assert how(after).startswith("index of sweep ")
    assert app.clock.now() < noon


async def test_the_index_knows_both_ids(make_app: MakeApp) -> None:
    """By object id also what Graph lists without one, as long as it is on its way."""
    subject = Subject(id=guid("5"), object_id=ANN)
    known = Assignment(id="known", subject=subject, state="delivered")
    late = Assignment(id="late", subject=replace(subject, object_id=None), state="delivering")
    await swept(make_app, {"b": [late], "c": [known]}, whole_tenant=False)
    for asked in (ANN, guid("5")):
        answer = await ask("a", asked)
        assert answer["decision"] == "deny"
        assert {each["assignmentId"] for each in answer["conflicts"]} == {"known", "late"}
    assert (await ask("a", guid("6")))["decision"] == "allow"


async def test_a_hundred_subjects_take_few_requests(simulator: Simulator, connect: Connect) -> None:
    """None for what they hold, and for those whom nothing shows two each to learn who they are.

    Counted by the meter and by Graph itself, each request in a batch for one.
    """
    records = make_records(MemoryStorage(), SystemClock())
    graph = connect(AZURE_CLIENT_ID=ADMIN_CLIENT)
    names = [each[:2] for each in (PAY, APPROVE, ORDER)]
    book = RulesProvider(
        RulesInMemory([at_most("two", 2, names, mode=Mode.WARN)]), graph, records.clock
    )
    engine = make_engine(records, graph, book, read_settings({}), MemorySender())
    install_parts(records, engine, admission=Admission(CallerSettings(is_open=True), records.clock))
    await records.sweep_starter.start(traceparent="00-0-0-01")
    await _work_off(records.storage)
    before = len([each for each in simulator.control.requests() if "batch" not in each["target"]])
    subjects = [object_id(ANN_SUBJECT), ANN_SUBJECT, *CROWD[:98]]
    body = {"requests": [{"subject": each, "accessPackageId": ORDER} for each in subjects]}
    with metered() as meter:
        answers = body_of(await post(body, decide_many))["decisions"]
    install_parts()
    assert [each["decision"] for each in answers] == ["deny", "deny", *["review"] * 98]
    assert [each["subjectKnown"] for each in answers] == [True, True, *[False] * 98]
    # And one to hear that the directory is not for this app, and one for what the package grants.
    assert meter.requests == 2 * 98 + 2
    in_batches = [each for each in simulator.control.requests() if "batch" not in each["target"]]
    assert len(in_batches) - before <= 2 * 98 + 2


async def _work_off(storage: Storage) -> None:
    assert isinstance(storage, MemoryStorage)
    while storage.sent:
        message = storage.sent.pop(0)
        await process_message(message.queue, wrapped(message.body))


@pytest.mark.parametrize(
    ("subjects", "may_list", "index"),
    [
        (1, True, False),
        (MAX_LIVE_SUBJECTS, True, False),
        (MAX_LIVE_SUBJECTS + 1, True, True),
        (1, False, True),
    ],
)
def test_graph_goes_first_where_it_takes_few_requests(
    subjects: int,
    may_list: bool,  # noqa: FBT001 - a parameter of the test
    index: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The index goes first for many subjects, and where Graph lists package by package only."""
    assert prefers_index(subjects, may_list=may_list) is index


@pytest.mark.parametrize(("age", "oldest", "fresh"), [(0, 0, False), (60, 1, True), (61, 1, False)])
def test_an_index_is_fresh_up_to_its_minutes(age: int, oldest: int, fresh: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The minute itself still counts; no minutes at all count for nothing."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert is_index_fresh(now - timedelta(seconds=age), now, timedelta(minutes=oldest)) is fresh


@pytest.mark.parametrize(
    ("subjects", "packages", "lists"),
    [
        (MAX_LIVE_SUBJECTS, 1, False),
        (MAX_LIVE_SUBJECTS + 1, MAX_LISTED_PACKAGES, True),
        (100, MAX_LISTED_PACKAGES + 1, False),
    ],
)
def test_packages_are_listed_for_many_subjects_and_few_packages(
    subjects: int,
    packages: int,
    lists: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A request for each package is then fewer than one or two for each subject."""
    assert prefers_lists(subjects, packages) is lists
