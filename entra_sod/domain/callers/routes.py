"""Every way into the app by HTTP: one table, of which triggers, guard and documents are made.

What `api/operations.py` says of each comes on top.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from entra_sod.domain.callers.caller import AppRole


class OpenAccess(Enum):
    """Routes that ask for no role."""

    PUBLIC = "everybody"  # tells nothing, does nothing
    OWN = "its own"  # the route verifies its callers itself, such as by a signature
    KNOWN = "every known caller"  # tells callers about themselves alone


type Access = OpenAccess | frozenset[AppRole]


def any_of(*roles: AppRole) -> Access:
    """Ask for one of these roles; `SoD.Admin` and the app's keys have them all."""
    return frozenset(roles)


@dataclass(frozen=True, slots=True)
class Route:
    """One way into the app.

    Attributes:
        function: that answers.
        path: below `/api/`.
        access: whom it takes.
        summary: a few words, for lists.
    """

    function: str
    method: Literal["GET", "POST", "PUT", "DELETE", "OPTIONS", ""]  # "" is any
    path: str
    access: Access
    summary: str

    def __str__(self) -> str:
        """As logs and documents name it: `GET checks/{id}`."""
        return f"{self.method} {self.path}"

    @property
    def takes_strangers(self) -> bool:
        """Whether callers are let in whom the app does not know."""
        return self.access in (OpenAccess.PUBLIC, OpenAccess.OWN)

    @property
    def is_write(self) -> bool:
        """Whether its method may change something."""
        return self.method not in ("GET", "OPTIONS", "")


_FINDING = "findings/{id}"
_WEBHOOK = "webhooks/{source}"
_ASKED = any_of(AppRole.CHECK, AppRole.ENFORCE)
_FOUND = any_of(AppRole.CHECK, AppRole.ENFORCE, AppRole.READ)
_DECIDE, _ENFORCE, _READ = any_of(AppRole.DECIDE), any_of(AppRole.ENFORCE), any_of(AppRole.READ)
_ADMIN, _SEEN = any_of(AppRole.ADMIN), any_of(AppRole.READ, AppRole.ENFORCE)
_CHOOSE = any_of(AppRole.CHECK, AppRole.DECIDE, AppRole.ENFORCE, AppRole.READ)
_TABLE = (
    Route("start_check", "POST", "checks", _ASKED, "Check two packages"),
    Route("get_check", "GET", "checks/{id}", _FOUND, "Get a check's result"),
    Route("decide", "POST", "decisions", _DECIDE, "Decide whether a subject may get a package"),
    Route("decide_many", "POST", "decisions/batch", _DECIDE, "Decide for many"),
    # A sweep goes as far as ENFORCEMENT lets it, so starting one may write.
    Route("start_sweep_by_hand", "POST", "sweeps", _ENFORCE, "Start a sweep"),
    Route("get_sweep", "GET", "sweeps/{id}", _SEEN, "Get a sweep"),
    Route("list_findings", "GET", "findings", _READ, "List findings"),
    Route("get_finding", "GET", _FINDING, _READ, "Get a finding"),
    # A caller's word goes into the history that auditors read.
    Route(
        "claim_finding",
        "POST",
        f"{_FINDING}/claims",
        _ENFORCE,
        "Say that a finding is being taken away",
    ),
    Route("list_subjects", "GET", "subjects", _READ, "Find subjects"),
    Route("get_subject", "GET", "subjects/{id}", _READ, "Get what a subject holds"),
    Route("list_rules", "GET", "rules", _READ, "List the rules in force"),
    Route("list_exceptions", "GET", "exceptions", _READ, "List exceptions"),
    Route("list_selections", "GET", "selections", _READ, "List what rules select"),
    # What was held is written by the next sweep.
    Route("approve_selections", "POST", "selections/approve", _ADMIN, "Approve what rules select"),
    Route("list_subscriptions", "GET", "subscriptions", _READ, "List subscriptions"),
    # A subscription is told every result there is.
    Route("start_subscription", "POST", "subscriptions", _READ, "When a check or a sweep ends"),
    Route("end_subscription", "DELETE", "subscriptions/{id}", _READ, "End a subscription"),
    Route("get_freeze", "GET", "freeze", _SEEN, "What holds writes back"),
    Route("freeze_writing", "PUT", "freeze", _ADMIN, "Stop every write of a reference"),
    Route("unfreeze_writing", "DELETE", "freeze", _ADMIN, "Allow writing again"),
    Route("receive_webhook", "POST", _WEBHOOK, OpenAccess.OWN, "Receive a webhook"),
    Route("agree_to_webhooks", "OPTIONS", _WEBHOOK, OpenAccess.OWN, "Agree to webhooks"),
    Route("list_packages", "GET", "packages", _CHOOSE, "List access packages"),
    # What a caller may do is no secret from that caller.
    Route("get_caller", "GET", "me", OpenAccess.KNOWN, "Who am I?"),
    # The same for everybody who runs the app, and a connector may be imported from it.
    Route("get_contract", "GET", "openapi.json", OpenAccess.PUBLIC, "This document"),
    Route("get_report", "GET", "report", _READ, "Get the report"),
    # A page without data: what it shows, it asks of the other routes.
    Route("get_console", "GET", "console", OpenAccess.PUBLIC, "Get the console"),
    Route("ready", "GET", "ready", _READ, "Is it ready?"),
    Route("health", "GET", "health", OpenAccess.PUBLIC, "Is it alive?"),
)
ROUTES: Mapping[str, Route] = {each.function: each for each in _TABLE}
# Whatever the table does not take. The host tries functions in the order of their names
# (azure-functions-host #9876), so its name is the last.
ELSEWHERE = Route("zz_elsewhere", "", "{*path}", OpenAccess.PUBLIC, "Anything else")


def methods_at(path: str) -> Sequence[str]:
    """The methods that are taken at a path below `/api/`; none where there is no such path."""
    asked = path.strip("/").lower()
    patterns = {each: re.sub(r"\\{\w+\\}", "[^/]+", re.escape(each.path)) for each in _TABLE}
    return sorted({each.method for each in _TABLE if re.fullmatch(patterns[each], asked)})
