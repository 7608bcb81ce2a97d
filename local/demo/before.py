"""Questions before access is granted: a ticket's, and Entra's own by way of the Logic App."""

from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from entra_sod.domain.results.decision import DecisionResult
from local.demo import answers
from local.demo.documented import RESUME_PATH, callout, resume_body
from local.demo.facts import Decided, Resumed
from local.demo.helpdesk import token
from local.demo.names import Snapshot
from local.graph.tenant import AssignmentRequest
from local.logic_apps.definitions import definition
from local.logic_apps.walk import Reply, Run, Sent
from local.world import World

SOURCE = "Contoso.SodCheckProcess"
_SECONDS = 30


class NoAnswerError(Exception):
    """The workflow did not answer the request that waits for it."""


class Gatekeeper:
    """Asks the app that runs at an address, about the people of a world."""

    def __init__(self, world: World, app: str) -> None:
        self._world, self._app = world, app

    def decide(self, request_id: str, *, ticket: str) -> Decided:
        """A ticket asks about the requester of a request that waits."""
        before = self._look()
        request = before.request(request_id)
        person = before.subject(request.target_id)
        answer = httpx.post(
            f"{self._app}/api/decisions",
            json={
                "subject": person.object_id,
                "accessPackageId": request.access_package_id,
                "reference": ticket,
            },
            timeout=_SECONDS,
        )
        result = msgspec.json.decode(answer.raise_for_status().content, type=DecisionResult)
        after = self._look()
        return Decided(
            person=after.name(person.id),
            wants=after.name(request.access_package_id),
            reference=result.reference,
            status=answer.status_code,
            decision=result.decision,
            severity=result.severity,
            reasons=tuple(after.in_words(each) for each in result.reasons),
            advice=result.advice,
            against=tuple(after.name(each.access_package_id) for each in result.conflicts),
            gaps=answers.gaps(result.coverage.skipped, after),
            has_it=person.id in after.holders(request.access_package_id),
            has_changed=before.tenant != after.tenant,
        )

    def resume(self, request_id: str) -> Resumed:
        """Entra calls the workflow out; the workflow asks the app, and answers to Graph.

        Raises:
            NoAnswerError: it left the request waiting.
        """
        before = self._look()
        request = before.request(request_id)
        replies: list[int] = []

        def outside(sent: Sent) -> Reply:
            reply = self._send(sent)
            replies.append(reply.status)
            return reply

        run = Run(
            definition("launch-and-wait"),
            outside,
            parameters={
                "appUrl": self._app,
                "appAudience": "api://entra-sod",
                "graphRoot": self._world.graph.root,
                "source": SOURCE,
            },
            trigger_body=_callout(before, request),
        )
        if not run.sent_to("/resume"):
            raise NoAnswerError(f"the request keeps waiting: {run.error}, answers {replies}")
        return self._resumed(before, request, run, replies[-1])

    def _resumed(
        self, before: Snapshot, request: AssignmentRequest, run: Run, status: int
    ) -> Resumed:
        [sent] = run.sent_to("/resume")
        after = self._look()
        state = after.request(request.id).state
        detail = str(sent.body["data"].get("customExtensionStageInstanceDetail", ""))
        wanted = resume_body(
            source=SOURCE,
            stage=str(request.stage),
            stage_instance=str(request.stage_instance_id),
            detail=detail,
            denies=state == "denied",
        )
        return Resumed(
            person=before.name(request.target_id),
            wants=before.name(request.access_package_id),
            method=sent.method,
            path=urlsplit(sent.uri).path,
            body=sent.body,
            wanted_path=RESUME_PATH.format(request.id),
            wanted_body=wanted,
            status=status,
            run=run.status,
            state=state,
            detail=detail,
            has_it=request.target_id in after.holders(request.access_package_id),
        )

    def _send(self, sent: Sent) -> Reply:
        """As Logic Apps would, with the identity of the help desk where Graph is called."""
        headers = dict(sent.headers)
        if sent.uri.startswith(self._world.graph.root):
            headers["Authorization"] = f"Bearer {token(self._world)}"
        answer = httpx.request(
            sent.method, sent.uri, json=sent.body, headers=headers, timeout=_SECONDS
        )
        return Reply(status=answer.status_code, body=answer.json() if answer.content else None)

    def _look(self) -> Snapshot:
        return Snapshot(self._world.graph.tenant())


def _callout(tenant: Snapshot, request: AssignmentRequest) -> dict[str, Any]:
    return callout(
        request=request.id,
        stage=str(request.stage),
        stage_instance=str(request.stage_instance_id),
        kind=request.request_type,
        package=request.access_package_id,
        target=request.target_id,
        who=str(tenant.subject(request.target_id).object_id),
    )
