from __future__ import annotations

import pytest

from entra_sod.core.errors import Throttled, Unavailable
from entra_sod.domain.rules.language import Mode, Rule
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.ledger import Ledger
from tests.app import App, body_of, pair_body
from tests.builders import assignment, guid, held, package, rule, side

PACKAGES = [package("a", "1"), package("b", "2"), package("c", "3")]
HELD = {"a": held("a", "vwxy"), "b": held("b", "xyz"), "c": held("c", "z")}
RULES = [rule("r", side("a"), side("b"))]
BOTH_DIRECTIONS = {
    (guid("a"), "package", guid("b")),
    (guid("b"), "package", guid("a")),
    (guid("a"), "group", guid("2")),
    (guid("b"), "group", guid("1")),
}

type MakeApp = type[App]


def triples(views: list[dict[str, str]]) -> set[tuple[str, str, str]]:
    return {(view["accessPackageId"], view["kind"], view["targetId"]) for view in views}


async def test_a_conflict_names_its_holders_and_plans_both_directions(make_app: MakeApp) -> None:
    """By default a check finds the holders, plans the references and writes nothing."""
    app = make_app(PACKAGES, HELD, RULES)
    answer = await app.check("a", "b", reference="CHG-1")
    assert (answer["outcome"], answer["holderCount"], answer["enforcement"]) == (
        "conflict",
        2,
        "plan",
    )
    assert [holder["subjectId"] for holder in answer["holders"]] == ["subject-x", "subject-y"]
    assert triples(answer["references"]["planned"]) == BOTH_DIRECTIONS
    assert answer["references"]["written"] == []
    assert answer["reference"] == "CHG-1"
    assert answer["rules"][0]["id"] == "r"
    assert answer["rulesHash"].startswith("sha256:")
    assert app.graph.writes == []


async def test_apply_writes_both_directions_once(make_app: MakeApp) -> None:
    """With ENFORCEMENT=apply the references are written; a second check finds them present."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    first = await app.check("a", "b")
    assert triples(first["references"]["written"]) == BOTH_DIRECTIONS
    second = await app.check("a", "b")
    assert triples(second["references"]["present"]) == BOTH_DIRECTIONS
    assert second["references"]["planned"] == second["references"]["written"] == []
    assert len(app.graph.writes) == 4


async def test_holders_are_those_of_the_first_package(make_app: MakeApp) -> None:
    """The order of the request decides whose assignments are listed."""
    app = make_app(PACKAGES, HELD, RULES)
    answer = await app.check("b", "a")
    assert [holder["assignmentId"] for holder in answer["holders"]] == ["b-x", "b-y"]


async def test_a_pair_without_common_holders_is_clear(make_app: MakeApp) -> None:
    """Nobody holds both: clear, and the coverage says what was looked at."""
    app = make_app(PACKAGES, HELD, RULES)
    answer = await app.check("a", "c")
    assert (answer["outcome"], answer["holders"], answer["rules"]) == ("clear", [], [])
    assert [each["how"] for each in answer["coverage"]["checked"]] == ["additionalAccess"]
    assert answer["coverage"]["skipped"] == []


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [rule("r", side("a"), side("b"), mode=Mode.RECORD)],
        [rule("r", side("a"), side("b"), mode=Mode.WARN)],
    ],
)
async def test_without_an_enforcing_rule_nothing_is_planned_or_written(
    make_app: MakeApp, rules: list[Rule]
) -> None:
    """Even under ENFORCEMENT=apply a pair that no enforce rule names is never written."""
    app = make_app(PACKAGES, HELD, rules, ENFORCEMENT="apply")
    answer = await app.check("a", "b", enforcement="apply")
    assert answer["outcome"] == "conflict"
    assert answer["references"]["planned"] == answer["references"]["written"] == []
    assert app.graph.writes == []


@pytest.mark.parametrize(
    ("setting", "wish", "effective", "writes"),
    [
        ("apply", "plan", "plan", 0),
        ("apply", "off", "off", 0),
        ("plan", "apply", "plan", 0),
        ("off", "apply", "off", 0),
        ("apply", "apply", "apply", 4),
    ],
)
async def test_a_caller_may_ask_for_less_never_for_more(
    make_app: MakeApp, setting: str, wish: str, effective: str, writes: int
) -> None:
    """The app's setting is the most there is, and the answer says how far it went."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT=setting)
    answer = await app.check("a", "b", enforcement=wish)
    assert (answer["enforcement"], len(app.graph.writes)) == (effective, writes)


async def test_over_the_limit_nothing_is_written_and_both_numbers_are_said(
    make_app: MakeApp,
) -> None:
    """Four writes against a limit of three: none happens, and the coverage says why."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply", MAX_REFERENCE_WRITES="3")
    answer = await app.check("a", "b")
    assert triples(answer["references"]["planned"]) == BOTH_DIRECTIONS
    assert app.graph.writes == []
    (skipped,) = answer["coverage"]["skipped"]
    assert "4 writes" in skipped["why"]
    assert "allows 3" in skipped["why"]


@pytest.mark.parametrize("lost", ["a", "b"])
async def test_a_package_that_may_not_be_read_makes_the_outcome_unknown(
    make_app: MakeApp, lost: str
) -> None:
    """Never clear on an error: what could not be read is named with its reason."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    app.graph.unreadable.add(guid(lost))
    answer = await app.check("a", "b")
    assert (answer["status"], answer["outcome"]) == ("completed", "unknown")
    assert answer["coverage"]["skipped"][0]["what"] == f"access package {guid(lost)}"
    assert app.graph.writes == []


async def test_an_unknown_package_makes_the_outcome_unknown(make_app: MakeApp) -> None:
    """An id that is no package is named in the coverage."""
    app = make_app(PACKAGES, HELD, RULES)
    answer = await app.check("a", "d")
    assert answer["outcome"] == "unknown"
    assert guid("d") in answer["coverage"]["skipped"][0]["what"]


async def test_expired_assignments_are_no_conflict(make_app: MakeApp) -> None:
    """Who held both once and holds one now is not listed, by either way of detection."""
    assignments = {"a": held("a", "x"), "b": held("b", "x", "Expired")}
    app = make_app(PACKAGES, assignments, [])
    assert (await app.check("a", "b"))["outcome"] == "clear"
    app.graph.refuses_additional_access = True
    assert (await app.check("a", "b"))["outcome"] == "clear"


async def test_where_additional_access_is_refused_the_lists_are_intersected(
    make_app: MakeApp,
) -> None:
    """The result names the way that was used, and the holders are the same."""
    app = make_app(PACKAGES, HELD, RULES)
    app.graph.refuses_additional_access = True
    answer = await app.check("a", "b")
    assert [holder["subjectId"] for holder in answer["holders"]] == ["subject-x", "subject-y"]
    assert answer["coverage"]["checked"][0]["how"] == "assignments"


async def test_groups_that_a_rule_names_are_named_as_not_looked_up(make_app: MakeApp) -> None:
    """Who is in a group of a side is not known, and the coverage says so."""
    app = make_app(PACKAGES, HELD, [rule("r", side("a"), side("b", ["9"]))])
    answer = await app.check("a", "b")
    assert [each["what"] for each in answer["coverage"]["skipped"]] == [
        f"members of group {guid('9')}"
    ]
    assert (guid("a"), "group", guid("9")) in triples(answer["references"]["planned"])


async def test_many_holders_are_cut_in_the_answer_and_whole_in_the_evidence(
    make_app: MakeApp,
) -> None:
    """1,000 holders in the answer, the whole count beside them, all of them in the evidence."""
    people = [str(number) for number in range(1203)]
    app = make_app(
        PACKAGES,
        {name: [assignment(name, each) for each in people] for name in "ab"},
        RULES,
    )
    answer = await app.check("a", "b")
    assert (len(answer["holders"]), answer["holderCount"]) == (1000, 1203)
    names = [name async for name in app.storage.blobs.names("checks", answer["id"])]
    (evidence,) = [name for name in names if "evidence" in name]
    data = await app.storage.blobs.get("checks", evidence)
    assert data is not None
    assert data.count(b'"assignmentId"') == 1203


async def test_a_delivered_message_is_worked_once(make_app: MakeApp) -> None:
    """A second delivery leaves the answer as it is, though the tenant has changed since."""
    app = make_app(PACKAGES, HELD, RULES)
    answer = await app.post(pair_body("a", "b"))
    message = app.storage.sent[0]
    await app.work_off()
    before = await app.get(body_of(answer)["id"])
    app.graph.unreadable.add(guid("a"))
    app.clock.advance(60)
    app.storage.sent.append(message)
    await app.work_off()
    after = await app.get(body_of(answer)["id"])
    assert after.get_body() == before.get_body()


async def test_throttling_waits_on_the_queue_as_long_as_graph_says(make_app: MakeApp) -> None:
    """A 429 becomes a delayed copy of the message, and the status says why it waits."""
    app = make_app(PACKAGES, HELD, RULES)
    app.graph.errors.append(Throttled("slow down", retry_after=240.0))
    answer = body_of(await app.post(pair_body("a", "b")))
    await app.work_one()
    assert [each.delay_seconds for each in app.storage.sent] == [240.0]
    waiting = await app.get(answer["id"])
    assert waiting.status_code == 202
    assert "waits 240 s" in body_of(waiting)["note"]
    await app.work_off()
    assert body_of(await app.get(answer["id"]))["outcome"] == "conflict"


async def test_a_graph_that_stays_away_ends_the_check_as_failed(make_app: MakeApp) -> None:
    """After its last attempt a check fails with the reason, and the message is kept."""
    app = make_app(PACKAGES, HELD, RULES)
    app.graph.errors += [Unavailable("Graph answers 503", status=503)] * 100
    answer = await app.check("a", "b")
    assert (answer["status"], answer["outcome"]) == ("failed", "unknown")
    assert "given up after 13 attempts" in answer["coverage"]["skipped"][0]["why"]
    letters = [name async for name in app.storage.blobs.names("poison")]
    assert letters == ["conflict-checks/m1.json"]


async def test_a_check_that_fails_tells_what_it_has_written(make_app: MakeApp) -> None:
    """Graph takes one write and stays away: sealed evidence says so, and it can be taken back."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    app.graph.takes_one_write = True
    answer = await app.check("a", "b")
    [written] = app.graph.writes
    assert (answer["status"], answer["outcome"]) == ("failed", "unknown")
    told = {(written.on, str(written.kind), written.target)}
    assert triples(answer["references"]["written"]) == told
    ledger = Ledger(app.storage, app.clock)
    entries = [each async for each in ledger.entries() if each.reference == written]
    assert await EvidenceWrites(app.storage.blobs).proven(entries) == {written}


async def test_a_mistake_in_the_rules_fails_the_check_with_its_place(make_app: MakeApp) -> None:
    """Rules that cannot be read end the check at once, saying file, line and what to do."""
    app = make_app(PACKAGES, HELD, RULES)
    app.rules.text = app.rules.text.replace("enforce", "enfoce")
    answer = await app.check("a", "b")
    assert answer["status"] == "failed"
    why = answer["coverage"]["skipped"][0]["why"]
    assert "rules.yaml:" in why
    assert "did you mean enforce?" in why


async def test_a_broken_version_never_replaces_a_good_one(make_app: MakeApp) -> None:
    """The good rules stay in force, and the coverage says why the newest are not."""
    app = make_app(PACKAGES, HELD, RULES)
    assert (await app.check("a", "b"))["coverage"]["skipped"] == []
    app.rules.text = app.rules.text.replace("enforce", "enfoce")
    app.clock.advance(120)
    answer = await app.check("a", "b")
    assert (answer["outcome"], answer["rules"][0]["mode"]) == ("conflict", "enforce")
    (skipped,) = answer["coverage"]["skipped"]
    assert skipped["what"] == "the newest version of the rules"
    assert "did you mean enforce?" in skipped["why"]


async def test_an_unexpected_error_is_raised_for_the_queue_to_deliver_again(
    make_app: MakeApp,
) -> None:
    """A bug is no answer: the message stays with the queue, and the status says what happened."""
    app = make_app(PACKAGES, HELD, RULES)
    app.graph.errors.append(ZeroDivisionError("a bug"))
    answer = body_of(await app.post(pair_body("a", "b")))
    with pytest.raises(ZeroDivisionError):
        await app.work_one()
    assert "ZeroDivisionError" in body_of(await app.get(answer["id"]))["note"]
