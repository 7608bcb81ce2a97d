"""The workflow that Entra waits for, from the documented callout to the documented resume call."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from local.logic_apps.definitions import definition
from local.logic_apps.walk import Outside, Reply, Run, Sent
from tests.infra.logic_apps.check import all_names, walk
from tests.infra.logic_apps.files import documented

WORKFLOW = definition("launch-and-wait")
APP, TELL = "https://app.test", "https://tell.test/hook"
SOURCE = "Contoso.SodCheckProcess"
EVIDENCE = "https://app.test/evidence"
STAGE_INSTANCE = "957d0c50-466b-4840-bb5b-c92cea7141ff"
REQUEST = "0e60f18c-b2a0-4887-9da8-da2e30a39d99"
CALLOUT: dict[str, Any] = {
    "AccessPackageAssignmentRequestId": REQUEST,
    "CustomExtensionStageInstanceId": STAGE_INSTANCE,
    "Stage": "assignmentRequestCreated",
    "RequestType": "userAdd",
    "AccessPackage": {"Id": "package", "DisplayName": "Pay invoices"},
    "Assignment": {"Target": {"Id": "subject", "ObjectId": "person"}},
    "Requestor": {"Id": "other", "ObjectId": "another person"},
}
DECISION: dict[str, Any] = {
    "decision": "deny",
    "rules": [
        {
            "id": "pay-and-approve",
            "title": "Nobody both pays and approves",
            "severity": "critical",
            "owner": "finance@contoso.com",
            "advice": "Keep the approving duty.",
            "mode": "enforce",
        }
    ],
    "conflicts": [],
    "exceptions": [],
    "advice": "Keep the approving duty.",
    "coverage": {"checked": [], "skipped": []},
    "rulesHash": "sha256:abc",
    "asOf": "2026-11-22T05:00:00Z",
}


def decided(decision: str, **more: Any) -> dict[str, Any]:
    return {**DECISION, "decision": decision, **more}


def outside(answer: Reply | type[TimeoutError], resume: int = 204, tell: int = 202) -> Outside:
    """The world around a run: the app's answer, and the status that Graph and the address give."""

    def reply(sent: Sent) -> Reply:
        if sent.uri == f"{APP}/api/decisions":
            if isinstance(answer, Reply):
                return answer
            raise answer
        return Reply(status=tell if sent.uri == TELL else resume)

    return reply


def run(
    answer: Reply | type[TimeoutError], *, callout: Any = CALLOUT, resume: int = 204, **given: Any
) -> Run:
    tell = given.pop("tell", 202)
    parameters = {
        "appUrl": APP,
        "appAudience": "api://app",
        "source": SOURCE,
        "evidenceUrl": EVIDENCE,
        "tellUrl": TELL,
        **given,
    }
    world = outside(answer, resume, tell)
    return Run(WORKFLOW, world, parameters=parameters, trigger_body=callout)


def resumed(of: Run) -> Sent:
    (sent,) = of.sent_to("/resume")
    return sent


def assert_left_waiting(of: Run) -> None:
    """A person was told, once, and the run failed, which the alert sees."""
    assert len(of.sent_to(TELL)) == 1
    assert of.status == "Failed"
    assert of.error is not None
    assert of.error["code"] == "KeepsWaiting"


def _callout_of(example: dict[str, Any]) -> dict[str, Any]:
    """The documented callout, for the request and the stage that a documented resume answers."""
    body = example["request"]["body"]["data"]
    request = example["request"]["url"].split("/")[-2]
    return {
        **documented("20"),
        "AccessPackageAssignmentRequestId": request,
        "CustomExtensionStageInstanceId": body["customExtensionStageInstanceId"],
        "Stage": body["stage"],
    }


@pytest.mark.parametrize(("number", "decision"), [("21", "allow"), ("22", "deny")])
def test_the_resume_call_is_the_documented_one(number: str, decision: str) -> None:
    """Method, address and every field of the body; only the text for the approver is our own."""
    example = documented(number)
    callout = _callout_of(example)
    sent = resumed(run(Reply(body=decided(decision)), callout=callout))
    detail = sent.body["data"]["customExtensionStageInstanceDetail"]
    wanted = copy.deepcopy(example["request"]["body"])
    wanted["data"]["customExtensionStageInstanceDetail"] = detail
    assert detail
    assert (sent.method, sent.uri, sent.body) == ("POST", example["request"]["url"], wanted)
    assert list(sent.body["data"]) == list(wanted["data"])


def test_the_documented_callout_leads_to_a_question_about_its_target_and_package() -> None:
    """The app is asked for the target's object id and the package, and answers at once."""
    callout = documented("20")
    done = run(Reply(body=decided("allow")), callout=callout)
    asked = done.sent[0]
    assert (asked.method, asked.uri, asked.audience) == (
        "POST",
        f"{APP}/api/decisions",
        "api://app",
    )
    assert asked.body == {
        "subject": callout["Assignment"]["Target"]["ObjectId"],
        "accessPackageId": callout["AccessPackage"]["Id"],
    }
    assert resumed(done).uri.endswith(f"{callout['AccessPackageAssignmentRequestId']}/resume")


def test_entra_is_answered_with_202_before_anything_else() -> None:
    """The response has no condition, and whatever is done runs after it."""
    first = [name for name, each in WORKFLOW["actions"].items() if each["runAfter"] == {}]
    assert first == ["Accepted"]
    assert run(Reply(body=decided("allow"))).responses == [{"statusCode": 202}]


def test_a_target_without_an_object_id_is_named_by_its_subject_id() -> None:
    """Where the callout has no ObjectId, the subject's own id is asked for."""
    callout = {**CALLOUT, "Assignment": {"Target": {"Id": "subject", "ObjectId": None}}}
    assert run(Reply(body=decided("allow")), callout=callout).sent[0].body["subject"] == "subject"


def test_the_approver_reads_rule_severity_advice_and_the_way_to_the_evidence() -> None:
    """The text of a denial names all four, and which rules at which time."""
    detail = resumed(run(Reply(body=decided("deny")))).body["data"][
        "customExtensionStageInstanceDetail"
    ]
    assert detail == (
        "Against separation of duties: Nobody both pays and approves (pay-and-approve, critical). "
        f"Advice: Keep the approving duty. Evidence: {EVIDENCE} (2026-11-22T05:00:00Z, sha256:abc)"
    )


def test_without_a_page_that_approvers_can_open_the_text_has_no_link() -> None:
    """The app's own addresses want a key or a token, so none of them is shown."""
    done = run(Reply(body=decided("deny")), evidenceUrl="")
    detail = resumed(done).body["data"]["customExtensionStageInstanceDetail"]
    assert "Evidence" not in detail
    assert "https:" not in detail
    assert detail.endswith("Advice: Keep the approving duty. (2026-11-22T05:00:00Z, sha256:abc)")


def test_the_approver_reads_what_could_not_be_checked() -> None:
    """A review that is continued names the gaps and the exceptions."""
    skipped = [{"what": "package x", "why": "not readable"}]
    answer = decided("review", coverage={"skipped": skipped}, exceptions=[{"id": "EX-1"}])
    detail = resumed(run(Reply(body=answer), onReview="continue")).body["data"][
        "customExtensionStageInstanceDetail"
    ]
    assert detail.startswith("For a person to review: ")
    assert "Not checked: package x: not readable." in detail
    assert "Exceptions: EX-1." in detail


def test_a_decision_with_nothing_in_it_still_makes_a_text() -> None:
    """No advice, no rules and no coverage at all fail nothing."""
    done = run(Reply(body={"decision": "allow", "advice": None}))
    assert (done.status, resumed(done).body["data"].get("state")) == ("Succeeded", None)


@pytest.mark.parametrize(("on_review", "state"), [("continue", None), ("deny", "denied")])
def test_a_review_is_continued_or_denied_as_it_is_set(on_review: str, state: str | None) -> None:
    """`onReview` says what becomes of a request that a person should look at."""
    done = run(Reply(body=decided("review")), onReview=on_review)
    assert resumed(done).body["data"].get("state") == state
    assert (done.status, done.sent_to(TELL)) == ("Succeeded", [])


@pytest.mark.parametrize("given", [{}, {"onReview": "wait"}], ids=["by itself", "wait"])
def test_a_review_is_left_waiting_with_its_reason_told(given: dict[str, Any]) -> None:
    """Unless it is set otherwise nothing is resumed, and the person who is told reads why."""
    done = run(Reply(body=decided("review")), **given)
    assert done.sent_to("/resume") == []
    assert_left_waiting(done)
    assert "pay-and-approve" in done.sent_to(TELL)[0].body["text"]


@pytest.mark.parametrize(
    "answer",
    [
        Reply(status=400),
        Reply(status=401),
        Reply(status=403),
        Reply(status=404),
        Reply(status=429),
        Reply(status=500),
        Reply(status=503),
        TimeoutError,
        Reply(body=None),
        Reply(body="<html>"),
        Reply(body={}),
        Reply(body=decided("perhaps")),
        Reply(body=decided("Allow")),
        Reply(body=decided("allow", rules="none")),
    ],
    ids=str,
)
def test_without_a_decision_the_request_keeps_waiting(answer: Reply | type[TimeoutError]) -> None:
    """Whatever goes wrong with the question, nothing is resumed and a person is told."""
    done = run(answer)
    assert done.sent_to("/resume") == []
    assert_left_waiting(done)
    assert REQUEST in done.sent_to(TELL)[0].body["text"]


@pytest.mark.parametrize("decision", ["allow", "deny"])
@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_refused_answer_is_told_to_a_person(decision: str, status: int) -> None:
    """Where Graph does not take the resume call, the request is left and a person is told."""
    done = run(Reply(body=decided(decision)), resume=status)
    assert len(done.sent_to("/resume")) == 1
    assert_left_waiting(done)


@pytest.mark.parametrize("tell", [404, 500])
def test_a_run_fails_also_where_no_message_can_be_sent(tell: int) -> None:
    """The alert on failed runs does not depend on the address."""
    assert run(Reply(status=500), tell=tell).status == "Failed"


def test_without_an_address_the_failed_run_is_what_tells() -> None:
    """No request goes to an empty address; the run fails, and the alert sees it."""
    done = run(Reply(status=500), tellUrl="")
    assert [each.uri for each in done.sent] == [f"{APP}/api/decisions"]
    assert done.status == "Failed"


@pytest.mark.parametrize("kind", ["userRemove", "adminRemove", "systemRemove", "systemExpire"])
def test_what_gives_no_access_is_continued_without_a_question(kind: str) -> None:
    """Removals cannot make a conflict: the app is not asked, and the request goes on."""
    done = run(Reply(status=500), callout={**CALLOUT, "RequestType": kind})
    assert [each.uri.rsplit("/", 1)[1] for each in done.sent] == ["resume"]
    assert (done.status, "state" in done.sent[0].body["data"]) == ("Succeeded", False)


@pytest.mark.parametrize(
    "kind", ["userAdd", "userUpdate", "adminAdd", "systemAdd", "onBehalfAdd", "something new", None]
)
def test_whatever_may_give_access_is_asked_about(kind: str | None) -> None:
    """Additions, updates and unknown request types go to the app."""
    done = run(Reply(body=decided("deny")), callout={**CALLOUT, "RequestType": kind})
    assert resumed(done).body["data"]["state"] == "denied"


@pytest.mark.parametrize("body", [None, {}, {"AccessPackage": None}])
def test_a_test_call_is_accepted_and_nothing_else(body: Any) -> None:
    """Entra's first call, without a request behind it, gets its 202; no message is sent."""
    done = run(Reply(status=500), callout=body)
    assert (done.status, done.sent, done.responses) == ("Succeeded", [], [{"statusCode": 202}])


@pytest.mark.parametrize(
    ("callout", "words"),
    [
        ({**CALLOUT, "Stage": "assignmentRequestGranted"}, "another stage"),
        (
            {"AccessPackageId": "p", "TargetId": "t", "Event": "AssignmentRequestGranted"},
            "cannot wait",
        ),
    ],
)
def test_a_wrong_extension_is_told_with_what_to_do(callout: dict[str, Any], words: str) -> None:
    """Another stage, or an extension of the old type: no question, no answer, a person is told."""
    done = run(Reply(body=decided("allow")), callout=callout)
    assert_left_waiting(done)
    assert words in done.sent_to(TELL)[0].body["text"]
    assert [each.uri for each in done.sent] == [TELL]


def test_the_resume_calls_do_not_wait_for_a_location() -> None:
    """Graph answers them at once: the asynchronous pattern is off."""
    calls = [each for each in walk(WORKFLOW["actions"]) if each.name.startswith("Resume_")]
    assert len(calls) == 3
    assert {each.action.get("operationOptions") for each in calls} == {"DisableAsyncPattern"}


def test_a_message_to_a_person_names_no_person() -> None:
    """It carries ids, no names."""
    assert "Pay invoices" not in str(run(Reply(status=500)).sent_to(TELL)[0].body)


def test_every_action_runs_in_some_run() -> None:
    """Nothing stands in the definition that no callout and no answer leads to."""
    runs = [
        run(Reply(body=decided("allow"))),
        run(Reply(body=decided("deny"))),
        run(Reply(status=500)),
        run(Reply(status=500), callout={**CALLOUT, "RequestType": "userRemove"}),
    ]
    assert set[str]().union(*(each.started for each in runs)) == all_names(WORKFLOW)
