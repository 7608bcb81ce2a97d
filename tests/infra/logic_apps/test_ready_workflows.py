"""The workflows for callers: polling, callback, and the summary of the night."""

from __future__ import annotations

from typing import Any

import pytest

from local.logic_apps.definitions import definition
from local.logic_apps.evaluate import CALLBACK_URL, RUN
from local.logic_apps.walk import Reply, Run, Sent
from tests.infra.logic_apps.check import all_names

APP, TEAMS = "https://app.test", "https://teams.test/hook"
OWN = {"appUrl": APP, "appAudience": "api://app"}
ASKED = {"accessPackageId": "A1", "incompatibleAccessPackageId": "B2", "reference": "CHG-1"}
RESULT: dict[str, Any] = {
    "id": "check-1",
    "status": "completed",
    "outcome": "conflict",
    "pair": {"accessPackageId": "a1", "incompatibleAccessPackageId": "b2"},
}
UNKNOWN = {"status": "failed", "outcome": "unknown", "run": RUN}
SWEEP: dict[str, Any] = {
    "id": "sweep-1",
    "status": "completed",
    "pairs": {"total": 12, "conflict": 2, "clear": 10, "unknown": 0},
    "findings": 7,
    "excepted": 1,
    "drift": [{"kind": "missing"}],
    "coverage": {"checked": [], "skipped": []},
    "endedAt": "2026-11-22T02:10:00Z",
    "rulesHash": "sha256:abc",
}


def polled(*replies: Reply) -> Run:
    given = list(replies)
    return Run(
        definition("poll-a-check"),
        lambda _sent: given.pop(0),
        parameters=OWN,
        trigger_body=ASKED,
    )


def accepted() -> Reply:
    return Reply(status=202, headers={"Location": f"{APP}/api/checks/check-1"})


def test_polling_follows_the_location_until_the_result() -> None:
    """202 twice, then 200: the caller gets the result, and every poll shows who asks."""
    run = polled(accepted(), accepted(), Reply(body=RESULT))
    assert [each.method for each in run.sent] == ["POST", "GET", "GET"]
    assert {each.audience for each in run.sent} == {"api://app"}
    assert run.sent[0].body == ASKED
    assert run.responses[0]["body"] == RESULT
    assert (run.responses[0]["statusCode"], run.status) == (200, "Succeeded")


def test_a_retried_question_is_the_same_check() -> None:
    """The run's name is the idempotency key, and the reference where the caller gives none."""
    run = Run(
        definition("poll-a-check"),
        lambda _sent: Reply(body=RESULT),
        parameters=OWN,
        trigger_body={**ASKED, "reference": None},
    )
    assert run.sent[0].headers["Idempotency-Key"] == RUN
    assert run.sent[0].body["reference"] == RUN


@pytest.mark.parametrize("status", [401, 403, 410, 422, 500])
def test_a_check_without_a_result_is_unknown(status: int) -> None:
    """Never clear on an error: 502, and `unknown`."""
    run = polled(Reply(status=status, body={"outcome": "clear"}))
    assert (run.responses[0]["statusCode"], run.responses[0]["body"]) == (502, UNKNOWN)


def called_back(callback: Any, result: Reply, subscribed: int = 202) -> Run:
    def outside(sent: Sent) -> Reply:
        return Reply(status=subscribed) if sent.method == "POST" else result

    return Run(
        definition("webhook-callback"),
        outside,
        parameters=OWN,
        trigger_body=ASKED,
        callback=callback,
    )


@pytest.mark.parametrize("callback", [RESULT, {"id": "event-9", "data": {"id": "check-1"}}])
def test_a_callback_rings_and_the_result_is_read_from_the_app(callback: dict[str, Any]) -> None:
    """Bare results and CloudEvents alike name the check; what is answered comes from the app."""
    run = called_back(callback, Reply(body=RESULT))
    subscribed, read = run.sent
    assert subscribed.body == {**ASKED, "callbackUrl": CALLBACK_URL}
    assert (read.method, read.uri) == ("GET", f"{APP}/api/checks/check-1")
    assert (run.responses[0]["body"], run.status) == (RESULT, "Succeeded")


@pytest.mark.parametrize(
    ("callback", "result", "subscribed"),
    [
        ({}, Reply(body=RESULT), 202),
        (RESULT, Reply(status=404), 202),
        (RESULT, Reply(body={**RESULT, "pair": {"accessPackageId": "x"}}), 202),
        (RESULT, Reply(body={**RESULT, "pair": None}), 202),
        (RESULT, Reply(body=RESULT), 422),
    ],
    ids=["names no check", "cannot be read", "another pair", "no pair", "not subscribed"],
)
def test_a_callback_that_brings_nothing_is_unknown(
    callback: Any, result: Reply, subscribed: int
) -> None:
    """What is not the result of the pair that was asked for is no answer, and the run fails."""
    run = called_back(callback, result, subscribed)
    assert [each["body"] for each in run.responses] == [UNKNOWN]
    assert run.status == "Failed"


def test_no_callback_in_a_day_is_unknown() -> None:
    """The run ends by itself where the app never calls."""
    run = Run(
        definition("webhook-callback"),
        lambda _sent: Reply(status=202),
        parameters=OWN,
        trigger_body=ASKED,
    )
    assert ([each["body"] for each in run.responses], run.status) == ([UNKNOWN], "Failed")


def morning(sweep: Reply, posted: int = 202) -> Run:
    def outside(sent: Sent) -> Reply:
        return sweep if sent.method == "GET" else Reply(status=posted)

    parameters = {**OWN, "teamsUrl": TEAMS}
    return Run(definition("nightly-summary"), outside, parameters=parameters)


def card(run: Run) -> list[dict[str, Any]]:
    (posted,) = run.sent_to(TEAMS)
    content: list[dict[str, Any]] = posted.body["attachments"][0]["content"]["body"]
    return content


def test_the_summary_has_the_figures_of_the_sweep() -> None:
    """Conflicts with those permitted, pairs by outcome, drift, when, and which rules."""
    run = morning(Reply(body=SWEEP))
    headline, facts, coverage = card(run)
    assert headline["text"] == "There are conflicts"
    assert {each["title"]: each["value"] for each in facts["facts"]} == {
        "Conflicts": "7 (1 permitted by exceptions)",
        "Pairs": "12: 2 in conflict, 10 clear, 0 unknown",
        "Drift": "1 references",
        "Ended": "2026-11-22T02:10:00Z",
        "Rules": "sha256:abc",
    }
    assert coverage["inlines"][0]["text"] == "Everything in the rules was checked."
    assert run.status == "Succeeded"


@pytest.mark.parametrize(
    ("change", "headline"),
    [
        ({"findings": 0}, "No conflict found"),
        ({"findings": 0, "status": "completed-with-gaps"}, "Not everything could be checked"),
        ({"findings": 0, "status": "failed"}, "The nightly sweep failed: nothing is known"),
        ({"findings": 0, "endedAt": "2026-11-20T02:10:00Z"}, "No sweep since 2026-11-20T02:10:00Z"),
    ],
)
def test_no_summary_sounds_better_than_it_is(change: dict[str, Any], headline: str) -> None:
    """Gaps, failure and age come before "no conflict"."""
    assert card(morning(Reply(body={**SWEEP, **change})))[0]["text"].startswith(headline)


def test_the_summary_names_the_first_gaps() -> None:
    """Five of them, each with its reason."""
    skipped = [{"what": f"package {number}", "why": "no role"} for number in range(9)]
    text = card(morning(Reply(body={**SWEEP, "coverage": {"skipped": skipped}})))[2]["inlines"][0][
        "text"
    ]
    assert "package 0: no role; package 1" in text
    assert ("package 4" in text, "package 5" in text) == (True, False)


@pytest.mark.parametrize("sweep", [Reply(status=404), Reply(status=500), Reply(body={})])
def test_a_morning_without_a_sweep_is_told(sweep: Reply) -> None:
    """The channel reads that nothing is known, and the run fails."""
    run = morning(sweep)
    assert "nothing is known" in card(run)[0]["text"]
    assert (run.status, (run.error or {}).get("code")) == ("Failed", "NoSummary")


def test_a_channel_that_takes_no_card_fails_the_run() -> None:
    """A summary that was not posted does not end as a success."""
    assert morning(Reply(body=SWEEP), posted=400).status == "Failed"


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("poll-a-check", [polled(Reply(body=RESULT)), polled(Reply(status=500))]),
        (
            "webhook-callback",
            [called_back(RESULT, Reply(body=RESULT)), called_back(RESULT, Reply(status=500))],
        ),
        ("nightly-summary", [morning(Reply(body=SWEEP)), morning(Reply(status=500))]),
    ],
)
def test_every_action_runs_in_some_run(name: str, runs: list[Run]) -> None:
    """Nothing stands in a definition that no answer leads to."""
    assert set[str]().union(*(each.started for each in runs)) == all_names(definition(name))
