"""The answer to a question for a decision, as callers read it (design contract, HTTP 200)."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from entra_sod.domain.results.check import RuleView
from entra_sod.domain.results.coverage import Coverage
from entra_sod.domain.rules.verdict import Decision


class ConflictView(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "access_package_id": "accessPackageId",
        "wanted_access_package_id": "wantedAccessPackageId",
        "assignment_id": "assignmentId",
        "start": "from",
    },
):
    """A package that stands against a wanted one.

    Attributes:
        assignment_id: of the subject; None for a package that is wanted in the same request.
        start: when that access begins, if Graph says so.
        until: when it ends, if it does.
    """

    access_package_id: str
    wanted_access_package_id: str
    assignment_id: str | None
    rule: str
    start: datetime | None
    until: datetime | None


class DecisionExceptionView(msgspec.Struct, frozen=True, kw_only=True):
    """An exception that permits the conflicts with one rule, until the end of a day."""

    id: str
    rule: str
    until: date


class DecisionResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What `POST /decisions` answers with 200.

    Attributes:
        subject: the id that was given, or the object id of whom the name was given.
        user_principal_name: of the subject, if it was asked for by name.
        subject_known: whether entitlement management, the last sweep or the directory knows the
            subject; None where none of them could be asked.
        reasons: sentences that say why, the gravest first.
        advice: of the gravest rule that has any.
        severity: of the gravest rule; None without one.
        exceptions: that permit a conflict; then the decision is a review.
        coverage: what was looked at, and what was not: then nothing is allowed without a review.
        as_of: when the subject's assignments were read; of an index, when its sweep began.
    """

    decision: Decision
    subject: str
    user_principal_name: str | None
    subject_known: bool | None
    access_package_ids: list[str]
    reference: str | None
    reasons: list[str]
    rules: list[RuleView]
    conflicts: list[ConflictView]
    exceptions: list[DecisionExceptionView]
    advice: str | None
    severity: str | None
    coverage: Coverage
    rules_hash: str
    as_of: str


class DecisionResults(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /decisions/batch` answers with 200.

    Attributes:
        decisions: one for each request, in their order.
    """

    decisions: list[DecisionResult]
