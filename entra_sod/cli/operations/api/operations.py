"""What the documents say of each route: one entry for each line of the table of routes.

`make contract` writes the documents anew.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from entra_sod.api.callers import CallerView
from entra_sod.api.responses import (
    Alive,
    CheckAccepted,
    NoFields,
    PackageList,
    Problem,
    Readiness,
    SubscriptionList,
    SubscriptionView,
    SweepAccepted,
)
from entra_sod.api.selections import ApprovalRequest, ApprovalResult
from entra_sod.cli.operations.api import examples
from entra_sod.cli.operations.api.model import ApiResponse, Header, Operation, Trigger
from entra_sod.cli.operations.api.parameters import (
    DEEP,
    EXCEPTION_STATE,
    FILTERS,
    IDEMPOTENCY_KEY,
    LIMIT,
    PAGE,
    RULE,
    SEARCH,
    SOURCE,
    SUBJECT_SEARCH,
    WAIT,
    X_IDEMPOTENCY_KEY,
    id_of,
)
from entra_sod.domain.callers.routes import ROUTES
from entra_sod.domain.enforcement.budget import WritingState
from entra_sod.domain.enforcement.freeze import Freeze, FreezeRequest
from entra_sod.domain.findings.views import FindingDetail, FindingPage
from entra_sod.domain.results.check import CheckResult
from entra_sod.domain.results.decision import DecisionResult, DecisionResults
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.services.checks.request import CheckRequest
from entra_sod.services.decisions.request import DecisionRequest, DecisionRequests
from entra_sod.services.findings.claims import ClaimRequest
from entra_sod.services.notifications.subscribe import SubscriptionRequest
from entra_sod.services.rules.view import ExceptionPage, RulePage, SelectionList
from entra_sod.services.subjects.view import SubjectDetail, SubjectPage
from entra_sod.services.sweeps.progress import SweepProgress

RETRY_AFTER = Header(
    name="Retry-After", text="Seconds to wait before asking again.", schema={"type": "integer"}
)
LOCATION = Header(
    name="Location",
    text="The address of what was made, absolute.",
    schema={"type": "string", "format": "uri"},
)
_PERHAPS_RETRY_AFTER = replace(RETRY_AFTER, required=False)


def _problem(text: str, *headers: Header) -> ApiResponse:
    return ApiResponse(
        text=text, body=Problem, headers=headers, media_type="application/problem+json"
    )


def _ok(
    text: str, body: type, *also: str, example: examples.Example | None = None
) -> dict[int, ApiResponse]:
    """One good answer, which comes as text as well where `also` names media types."""
    return {200: ApiResponse(text=text, body=body, also=also, example=example)}


def _accepted(text: str, body: type) -> dict[int, ApiResponse]:
    """The answer to follow what goes on by."""
    return {202: ApiResponse(text=text, body=body, headers=(LOCATION, RETRY_AFTER))}


# An operation names the problems of its own by their statuses. It has those of EVERYWHERE as well,
# and those that its body, its query and the forms of its answer bring with them.
PROBLEMS = {
    400: _problem("The body is not JSON."),
    401: ApiResponse(text="No valid key or token. The platform's own answer has no body."),
    403: _problem("The caller may not do this."),
    404: _problem("There is no such thing."),
    406: _problem("Accept names no form that the answer has."),
    409: _problem("As things are, this cannot be done; detail says why."),
    410: _problem("The result is no longer kept."),
    413: _problem("The body is too large."),
    415: _problem("The content type is not JSON."),
    422: _problem("JSON, but not what is asked for; errors names each wrong field."),
    429: _problem("Too many requests; ask again later.", _PERHAPS_RETRY_AFTER),
    503: _problem("Something that is needed cannot be reached.", _PERHAPS_RETRY_AFTER),
}
EVERYWHERE = (401, 403, 429, 503)
OF_A_BODY = (400, 413, 415, 422)


OPERATIONS = (
    Operation(
        route=ROUTES["decide"],
        text="May this subject get these access packages? Answered at once; nothing is written.",
        visibility="important",
        body=DecisionRequest,
        responses=_ok("The decision, and why.", DecisionResult),
    ),
    Operation(
        route=ROUTES["decide_many"],
        text="The same for up to 100 requests.",
        visibility="advanced",
        body=DecisionRequests,
        responses=_ok("The decisions, in the same order.", DecisionResults),
    ),
    Operation(
        route=ROUTES["start_check"],
        text="Who holds both access packages? The work is queued; the result is fetched later.",
        visibility="important",
        parameters=(WAIT, IDEMPOTENCY_KEY, X_IDEMPOTENCY_KEY),
        body=CheckRequest,
        responses=_ok("It ended while you waited.", CheckResult)
        | _accepted("It is queued; ask again at Location.", CheckAccepted),
        problems=(HTTPStatus.GONE,),
    ),
    Operation(
        route=ROUTES["get_check"],
        text="The result of a check, as often as you ask.",
        visibility="advanced",
        parameters=(id_of("Check Id", "As the start of the check answered."),),
        responses=_ok("It has ended.", CheckResult)
        | _accepted("It has not ended; ask again.", CheckAccepted),
        problems=(HTTPStatus.NOT_FOUND, HTTPStatus.GONE),
    ),
    Operation(
        route=ROUTES["start_sweep_by_hand"],
        text="Look at every pair of the rules; a sweep that is under way is joined.",
        visibility="advanced",
        body=NoFields,
        may_lack_body=True,
        responses=_accepted("It is under way; follow it at Location.", SweepAccepted),
    ),
    Operation(
        route=ROUTES["get_sweep"],
        text="A sweep's progress while it runs, and its result after that.",
        visibility="advanced",
        parameters=(id_of("Sweep Id", "As the start of the sweep answered, or `latest`."),),
        responses=_ok("It has ended.", SweepResult)
        | _accepted("It is under way; ask again.", SweepProgress),
        problems=(HTTPStatus.NOT_FOUND, HTTPStatus.GONE),
    ),
    Operation(
        route=ROUTES["start_subscription"],
        text="Be told by an event what ends, from now on; signed where the app has signing keys.",
        visibility="important",
        body=SubscriptionRequest,
        trigger=Trigger(
            hint="To see it work, check two packages.",
            text="The result of a check or of a sweep.",
            bodies=(CheckResult, SweepResult),
        ),
        responses={
            HTTPStatus.CREATED: ApiResponse(
                text="It is kept; DELETE Location to end it.",
                body=SubscriptionView,
                headers=(LOCATION,),
            )
        },
        problems=(HTTPStatus.CONFLICT,),
    ),
    Operation(
        route=ROUTES["end_subscription"],
        text="Nothing more is told. Ending it twice is no error.",
        visibility="internal",
        parameters=(id_of("Subscription Id", "As the subscription's start answered."),),
        responses={HTTPStatus.NO_CONTENT: ApiResponse(text="It has ended.")},
        problems=(HTTPStatus.NOT_FOUND,),
    ),
    Operation(
        route=ROUTES["receive_webhook"],
        text="What a ticketing system sends. It proves its own origin; no key is wanted.",
        parameters=(SOURCE,),
        body=dict,
        responses=_ok("The decision that it asked for.", DecisionResult)
        | _accepted("The check that it asked for.", CheckAccepted),
        problems=EVERYWHERE,
    ),
    Operation(
        route=ROUTES["agree_to_webhooks"],
        text="The handshake that CloudEvents has before the first webhook.",
        parameters=(SOURCE,),
        responses={
            HTTPStatus.OK: ApiResponse(text="Agreed: see WebHook-Allowed-Origin."),
            HTTPStatus.METHOD_NOT_ALLOWED: ApiResponse(
                text="Not agreed: this origin may not send events."
            ),
        },
        problems=(429, 503),
    ),
    Operation(
        route=ROUTES["list_findings"],
        text="Who holds what must never meet, since when, and in which state.",
        visibility="important",
        parameters=FILTERS,
        responses=_ok("A page of them.", FindingPage, "text/csv"),
    ),
    Operation(
        route=ROUTES["get_finding"],
        text="One finding with its whole history.",
        visibility="advanced",
        parameters=(id_of("Finding Id", "As the list of findings has it."),),
        responses=_ok("The finding.", FindingDetail),
        problems=(HTTPStatus.NOT_FOUND,),
    ),
    Operation(
        route=ROUTES["claim_finding"],
        text="It is resolving from then on, until a sweep no longer sees it.",
        visibility="advanced",
        parameters=(id_of("Finding Id", "As the list of findings has it."),),
        body=ClaimRequest,
        responses=_ok("The finding.", FindingDetail),
        problems=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Operation(
        route=ROUTES["get_freeze"],
        text="The budget of 24 hours, how much of it is used, and the freeze, if there is one.",
        visibility="advanced",
        responses=_ok(
            "What holds writes of references back now.", WritingState, example=examples.WRITING
        ),
    ),
    Operation(
        route=ROUTES["list_subjects"],
        text="Subjects that the newest sweep has seen, by name: how many packages each holds, and "
        "how many findings stand. Says what the sweep could not read.",
        visibility="advanced",
        parameters=(SUBJECT_SEARCH, *PAGE),
        responses=_ok("A page of them.", SubjectPage, example=examples.SUBJECTS),
        problems=(HTTPStatus.CONFLICT,),
    ),
    Operation(
        route=ROUTES["get_subject"],
        text="What a subject holds by the newest sweep, which rules that concerns, and which other "
        "packages would make a conflict.",
        visibility="advanced",
        parameters=(id_of("Subject Id", "The subject's id, or its object id."),),
        responses=_ok("The subject.", SubjectDetail, example=examples.SUBJECT),
        problems=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Operation(
        route=ROUTES["list_rules"],
        text="The rules in force: what each selects, finds, and how far Entra enforces it.",
        visibility="advanced",
        parameters=PAGE,
        responses=_ok("A page of them.", RulePage, example=examples.RULES),
    ),
    Operation(
        route=ROUTES["list_exceptions"],
        text="Exceptions of the rules files that wait, are active, end soon or are over, each with "
        "the text that changes it, for a pull request.",
        visibility="advanced",
        parameters=(EXCEPTION_STATE, RULE, *PAGE),
        responses=_ok("A page of them.", ExceptionPage, example=examples.EXCEPTIONS),
    ),
    Operation(
        route=ROUTES["list_selections"],
        text="What each rule selects, what has joined or left since that was reviewed, and what an "
        "approval would do. Reads the tenant, which takes some seconds.",
        visibility="advanced",
        parameters=(RULE,),
        responses=_ok("Each rule with its selection.", SelectionList, example=examples.SELECTIONS),
    ),
    Operation(
        route=ROUTES["approve_selections"],
        text="Take what rules select as reviewed, exactly as it was shown: the next sweep writes "
        "what was held. Approving the same twice is no error.",
        visibility="advanced",
        body=ApprovalRequest,
        body_example=examples.APPROVAL,
        responses=_ok("What is approved.", ApprovalResult, example=examples.APPROVED),
        problems=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Operation(
        route=ROUTES["list_subscriptions"],
        text="The caller's subscriptions, and with SoD.Admin those of all callers. Of an address "
        "the host and the path are shown, and never the query.",
        visibility="internal",
        parameters=PAGE,
        responses=_ok("A page of them.", SubscriptionList, example=examples.SUBSCRIPTIONS),
    ),
    Operation(
        route=ROUTES["get_caller"],
        text="Who the caller is to the app, and which routes the caller may call. No role is "
        "asked for.",
        responses=_ok("The caller.", CallerView, example=examples.CALLER),
    ),
    Operation(
        route=ROUTES["freeze_writing"],
        text="No check, sweep or command writes a reference from then on. Freezing twice is no "
        "error: the first freeze stays.",
        visibility="advanced",
        body=FreezeRequest,
        responses=_ok("The freeze that stands.", Freeze),
    ),
    Operation(
        route=ROUTES["unfreeze_writing"],
        text="The next sweep writes what was planned meanwhile. Ending it twice is no error.",
        visibility="advanced",
        responses={HTTPStatus.NO_CONTENT: ApiResponse(text="Nothing is frozen.")},
    ),
    Operation(
        route=ROUTES["get_report"],
        text="The newest sweep as one page for people, or as JSON.",
        responses=_ok("The report.", dict, "text/html"),
    ),
    Operation(
        route=ROUTES["get_console"],
        text="One page for people, to ask and to act in. It holds no data, so no key is wanted: "
        "what it shows, it asks of the other routes, as the person who is signed in.",
        responses={HTTPStatus.OK: ApiResponse(text="The page.", also=("text/html",))},
    ),
    Operation(
        route=ROUTES["list_packages"],
        text="The access packages that the app may read, to choose from by name.",
        visibility="internal",
        parameters=(SEARCH, LIMIT),
        responses=_ok("Those that fit.", PackageList),
    ),
    Operation(
        route=ROUTES["get_contract"],
        text="The contract of the app, as OpenAPI 3.1. No key is wanted.",
        responses=_ok("The document.", dict),
    ),
    Operation(
        route=ROUTES["health"],
        text="Says only that the app answers. No key is wanted.",
        responses=_ok("It is.", Alive),
    ),
    Operation(
        route=ROUTES["ready"],
        text="What the app can reach, and what it cannot.",
        parameters=(DEEP,),
        responses={
            HTTPStatus.OK: ApiResponse(text="It can reach all that it needs.", body=Readiness),
            HTTPStatus.SERVICE_UNAVAILABLE: ApiResponse(
                text="Something is missing, or cannot be reached.", body=Readiness
            ),
        },
    ),
)
