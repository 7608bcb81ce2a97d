"""Findings as callers read them: JSON and CSV. Pure."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from entra_sod.domain.findings.model import Change, Finding
from entra_sod.domain.rules.logic import ConflictKind

# What a spreadsheet takes for a formula, in signs of full width as well; a quotation mark before it
# makes it text. Cells begin behind other separators, too, where a reader does not know the comma.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"(?:^|(?<=[;|\t\r\n]))(?=[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")
_COLUMNS = (
    "id",
    "rule",
    "severity",
    "state",
    "since",
    "kind",
    "packages",
    "missing",
    "why",
    "subjectId",
    "objectId",
    "displayName",
    "subjectType",
    "owner",
    "firstSeen",
    "lastSeen",
    "exception",
    "exceptionUntil",
    "process",
    "tags",
    "frameworks",
    "owners",
)


class FindingView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A finding in a list.

    Attributes:
        subject_type: as Graph writes it, such as `user` and `servicePrincipal`.
        kind: `pair`: two packages that are kept apart. `set`: all that is held of a rule that is
            found only. `requirement`: packages that need another one. `package`: one package that
            meets the rule by itself.
        pair: the packages that are held and make the conflict; of a pair two.
        missing: packages that the subject needs and does not hold: any of them would do, or with
            `every` all of them.
        why: of one package, which duties it gives, and what an override says of its assignment.
        since: when it came into its state.
        exception: that permits it, or last did while it stood; of an override `override:` with the
            rule and the package.
        process, tags, frameworks, owners: as the rule had them when it was seen last. A framework
            is its id and the clause, owners are those beside `owner`.
    """

    id: str
    rule: str
    kind: ConflictKind = ConflictKind.PAIR
    pair: Sequence[str]
    missing: Sequence[str] = []
    why: str | None = None
    subject_id: str
    object_id: str | None
    display_name: str | None
    subject_type: str | None = None
    severity: str
    owner: str
    state: str
    since: str
    first_seen: str
    last_seen: str
    exception: str | None
    exception_until: date | None
    process: str | None = None
    tags: Sequence[str] = []
    frameworks: Sequence[str] = []
    owners: Sequence[str] = []


class FindingDetail(FindingView, frozen=True, kw_only=True, rename="camel"):
    """A finding with its history.

    Attributes:
        rules_hash: of the rules that the newest look was made with.
        claimed_by: who says that it is being taken away.
        subject_hash: what stands for its subject in evidence.
        changes_left_out: of very many changes some in the middle are in evidence only.
    """

    rules_hash: str
    claimed_by: str | None
    subject_hash: str
    history: Sequence[Change]
    changes_left_out: int


class FindingPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What `GET /findings` answers; without `nextLink` there are no more."""

    findings: list[FindingView]
    next_link: str | None = None


def view(finding: Finding) -> FindingView:
    return msgspec.convert(_fields(finding), FindingView)


def detail(finding: Finding) -> FindingDetail:
    more = {
        "claimedBy": finding.claimed_by or None,
        "subjectHash": subject_hash(finding),
        "changesLeftOut": finding.left_out,
    }
    return msgspec.convert({**_fields(finding), **more}, FindingDetail)


def subject_hash(finding: Finding) -> str:
    """What stands for a finding's subject in evidence.

    Salted for each finding, so that without the finding's row it cannot be told whose it was, not
    even who knows the subject's id; and the same as long as the row is there. It becomes another
    one when the subject gets its object id.
    """
    return salted(finding, finding.subject_key)


def salted(finding: Finding, text: str) -> str:
    """Hash what names a person with a finding's salt."""
    salt = bytes.fromhex(finding.salt)
    return "hmac-sha256:" + hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()


def as_csv(views: Iterable[FindingView]) -> bytes:
    """A table that is safe to open in a spreadsheet."""
    return csv_table(_COLUMNS, (_cells(each) for each in views))


def csv_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Lines of cells, none of which a spreadsheet takes for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    if head:
        writer.writerow(head)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _cells(each: FindingView) -> Sequence[str]:
    joined = {
        "packages": " ".join(each.pair),
        "missing": " ".join(each.missing),
        **{name: "; ".join(getattr(each, name)) for name in ("tags", "frameworks", "owners")},
    }
    fields = msgspec.to_builtins(each) | joined
    return ["" if fields[name] is None else str(fields[name]) for name in _COLUMNS]


def _safe(cell: str) -> str:
    return _FORMULA.sub("'", cell)


def _fields(finding: Finding) -> dict[str, object]:
    """A finding's own fields by their names in JSON, with those that callers know by others."""
    named = {
        "pair": finding.packages,
        "exception": finding.exception or None,
        "process": finding.process or None,
        "why": finding.why or None,
    }
    return {**msgspec.to_builtins(finding), **named}
