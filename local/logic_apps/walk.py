"""Runs a workflow definition: triggers what follows what, sends what is to be sent to a fake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.logic_apps.evaluate import Context, Failed
from local.logic_apps.syntax import Refused

SUCCEEDED, FAILED, SKIPPED, TIMED_OUT = "Succeeded", "Failed", "Skipped", "TimedOut"
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
_NO_CALL = object()
_ACCEPTED, _BAD_REQUEST = 202, 400

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request of an HTTP action."""

    method: str
    uri: str
    headers: Mapping[str, str]
    body: Any
    audience: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


type Outside = Callable[[Sent], Reply]


class _Ended(Exception):
    """A Terminate action ended the run."""


class Run:
    """One run of a workflow.

    Attributes:
        sent: every request, in order.
        started: the actions that ran, whatever became of them.
        responses: of Response actions, in order: what the caller of the workflow got.
        status: of the whole run.
        error: of the Terminate action that ended it, if one did.
    """

    def __init__(
        self,
        definition: Json,
        outside: Outside,
        *,
        parameters: Mapping[str, Any],
        trigger_body: Any = None,
        callback: Any = _NO_CALL,
        now: datetime = NOW,
    ) -> None:
        self.sent: list[Sent] = []
        self.started: set[str] = set()
        self.responses: list[Json] = []
        self.error: Json | None = None
        self._outside, self._callback = outside, callback
        self.context = Context(
            parameters=_given(definition["parameters"], parameters),
            trigger_body=trigger_body,
            now=now,
        )
        try:
            self.status = self._all(definition["actions"])
        except _Ended:
            self.status = FAILED

    def status_of(self, action: str) -> str:
        found: str = self.context.actions.get(action, {"status": SKIPPED})["status"]
        return found

    def sent_to(self, part: str) -> list[Sent]:
        return [each for each in self.sent if part in each.uri]

    def _all(self, actions: Json) -> str:
        """Run the actions of one level, each after those it runs after; give their status."""
        waiting, done = dict(actions), dict[str, str]()
        while waiting:
            ready = [
                name for name, each in waiting.items() if each["runAfter"].keys() <= done.keys()
            ]
            if not ready:
                raise Refused(f"these actions wait for each other: {sorted(waiting)}")
            for name in ready:
                done[name] = self._one(name, waiting.pop(name), done)
        return _status_of_level(actions, done)

    def _one(self, name: str, action: Json, done: Mapping[str, str]) -> str:
        may_run = all(done[before] in wanted for before, wanted in action["runAfter"].items())
        if may_run:
            self.started.add(name)
        ended = self._ended(action) if may_run else {"status": SKIPPED}
        self.context.actions[name] = ended
        status: str = ended["status"]
        return status

    def _ended(self, action: Json) -> Json:
        try:
            return self._kinds[action["type"]](action)
        except Failed as error:
            return {"status": FAILED, "error": str(error)}

    @property
    def _kinds(self) -> Mapping[str, Callable[[Json], Json]]:
        return {
            "Compose": lambda action: _with(self.context.value(action["inputs"])),
            "Select": self._select,
            "Response": self._response,
            "Http": self._http,
            "HttpWebhook": self._webhook,
            "Scope": lambda action: {"status": self._all(action["actions"])},
            "If": self._if,
            "Switch": self._switch,
            "Terminate": self._terminate,
        }

    def _select(self, action: Json) -> Json:
        items = self.context.value(action["inputs"]["from"])
        if not isinstance(items, list):
            raise Failed(f"Select wants an array, not {items!r}")
        chosen = [self.context.at(item).value(action["inputs"]["select"]) for item in items]
        return _with({"body": chosen})

    def _response(self, action: Json) -> Json:
        self.responses.append(self.context.value(action["inputs"]))
        return {"status": SUCCEEDED}

    def _http(self, action: Json) -> Json:
        sent = _request(self.context.value(action["inputs"]))
        polls = action.get("operationOptions") != "DisableAsyncPattern"
        try:
            reply = self._send(sent)
            while polls and reply.status == _ACCEPTED:
                reply = self._send(_poll(sent, reply))
        except TimeoutError:
            return {"status": TIMED_OUT}
        status = SUCCEEDED if reply.status < _BAD_REQUEST else FAILED
        return {"status": status, "outputs": {"statusCode": reply.status, "body": reply.body}}

    def _webhook(self, action: Json) -> Json:
        try:
            reply = self._send(_request(self.context.value(action["inputs"]["subscribe"])))
        except TimeoutError:
            return {"status": TIMED_OUT}
        if reply.status >= _BAD_REQUEST:
            return {"status": FAILED}
        if self._callback is _NO_CALL:
            return {"status": TIMED_OUT}
        return _with({"body": self._callback})

    def _send(self, sent: Sent) -> Reply:
        self.sent.append(sent)
        return self._outside(sent)

    def _if(self, action: Json) -> Json:
        holds = _holds(self.context.value(action["expression"]))
        branch = action["actions"] if holds else action["else"]["actions"]
        return {"status": self._all(branch)}

    def _switch(self, action: Json) -> Json:
        value = self.context.value(action["expression"])
        cases = [case["actions"] for case in action["cases"].values() if case["case"] == value]
        return {"status": self._all(cases[0] if cases else action["default"]["actions"])}

    def _terminate(self, action: Json) -> Json:
        if action["inputs"]["runStatus"] != FAILED:
            raise Refused("only a failure is terminated here")
        self.error = action["inputs"]["runError"]
        raise _Ended


def _given(declared: Json, given: Mapping[str, Any]) -> Json:
    unknown = given.keys() - declared.keys()
    if unknown:
        raise Refused(f"there are no parameters {sorted(unknown)}")
    defaults = {
        name: each["defaultValue"] for name, each in declared.items() if "defaultValue" in each
    }
    values = {**defaults, **given}
    if values.keys() != declared.keys():
        raise Refused(f"no value for {sorted(declared.keys() - values.keys())}")
    return values


def _with(outputs: object) -> Json:
    return {"status": SUCCEEDED, "outputs": outputs}


def _request(inputs: Json) -> Sent:
    authentication = inputs.get("authentication", {})
    return Sent(
        method=inputs["method"],
        uri=inputs["uri"],
        headers=inputs.get("headers", {}),
        body=inputs.get("body"),
        audience=authentication.get("audience"),
    )


def _poll(first: Sent, reply: Reply) -> Sent:
    if "Location" not in reply.headers:
        raise Refused("202 without a Location: the action misbehaves")
    return Sent(
        method="GET",
        uri=reply.headers["Location"],
        headers=first.headers,
        body=None,
        audience=first.audience,
    )


def _holds(condition: Any) -> bool:
    (operator, given), *others = condition.items()
    if others:
        raise Refused(f"a condition of more than one operator: {condition}")
    match operator:
        case "and":
            return all(_holds(each) for each in given)
        case "or":
            return any(_holds(each) for each in given)
        case "not":
            return not _holds(given)
        case "equals":
            return bool(given[0] == given[1])
        case _:
            raise Refused(f"the condition {operator} is not known here")


def _status_of_level(actions: Json, done: Mapping[str, str]) -> str:
    """A level is as its last actions are; for one that was skipped, those before it count."""
    before = {name for each in actions.values() for name in each["runAfter"]}
    ends = {status for name in actions.keys() - before for status in _ends(name, actions, done)}
    return next((bad for bad in (FAILED, TIMED_OUT) if bad in ends), SUCCEEDED)


def _ends(name: str, actions: Json, done: Mapping[str, str]) -> set[str]:
    if done[name] != SKIPPED:
        return {done[name]}
    return {status for each in actions[name]["runAfter"] for status in _ends(each, actions, done)}
