"""Selects the findings that a caller asks for, one page at a time. Only the store does I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from entra_sod.core.errors import FieldError, InvalidRequest
from entra_sod.core.validation import find_mistakes
from entra_sod.domain.findings.model import Finding, FindingState
from entra_sod.domain.rules.language import Severity
from entra_sod.domain.rules.logic import ConflictKind
from entra_sod.domain.subjects.names import is_principal_name
from entra_sod.domain.text import fold
from entra_sod.ports.storage import Condition
from entra_sod.stores.findings import FindingStore

MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = 1000, 100
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_GROUPS = ("process", "tag", "framework", "owner")
_FILTERS = ("kind", "rule", "state", "severity", "package", "subject", "since", *_GROUPS)
MAX_FILTER_LENGTH = 500
_OTHERS = ("pageSize", "continuation")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsQuery:
    """What is asked for; None is for any.

    Attributes:
        states: any of them.
        kinds: what makes the conflict; any of them.
        package: one of the finding's packages.
        subject: by either of its ids; or by a name, until `with_subject` has found its id.
        since: only what came into its state then or later; RFC 3339.
        process, tag, framework, owner: of the rule, compared without regard to case. A framework
            is its id, or its id and the clause.
        after: the id that the last page ended with.
    """

    rule: str | None = None
    states: Sequence[FindingState] = ()
    severities: Sequence[Severity] = ()
    kinds: Sequence[ConflictKind] = ()
    package: str | None = None
    subject: str | None = None
    since: str | None = None
    process: str | None = None
    tag: str | None = None
    framework: str | None = None
    owner: str | None = None
    page_size: int = DEFAULT_PAGE_SIZE
    after: str = ""

    @property
    def where(self) -> Sequence[Sequence[Condition]]:
        """The filter that the storage service applies; `fits` applies the rest."""
        found = [
            [Condition("rule", "eq", self.rule)] if self.rule else [],
            [Condition("state", "eq", str(each)) for each in self.states],
            [Condition("severity", "eq", str(each)) for each in self.severities],
            [Condition("kind", "eq", str(each)) for each in self.kinds],
            self._of_package(),
            [
                Condition(name, "eq", self.subject)
                for name in ("subjectId", "objectId")
                if self.subject
            ],
            [Condition("since", "ge", self.since)] if self.since else [],
        ]
        return [each for each in found if each]

    def _of_package(self) -> list[Condition]:
        if not self.package:
            return []
        pair = [Condition(name, "eq", self.package) for name in ("low", "high")]
        return [*pair, Condition("isSet", "eq", True)]  # noqa: FBT003 - a value

    def fits(self, finding: Finding) -> bool:
        """Whether a finding that the service let through is asked for."""
        return (
            (self.package is None or self.package in finding.packages)
            and _has(self.process, [finding.process])
            and _has(self.tag, finding.tags)
            and _has(self.owner, finding.all_owners)
            and _has_framework(self.framework, finding.frameworks)
        )


def _has(wanted: str | None, texts: Iterable[str]) -> bool:
    return wanted is None or fold(wanted) in map(fold, texts)


def _has_framework(wanted: str | None, frameworks: Sequence[str]) -> bool:
    if wanted is None:
        return True
    folded = fold(wanted)
    return any(each == folded or each.startswith(f"{folded} ") for each in map(fold, frameworks))


@dataclass(frozen=True, slots=True)
class FindingsPage:
    """Some findings, and the query for those that come next."""

    findings: Sequence[Finding]
    next: FindingsQuery | None


async def read_page(store: FindingStore, query: FindingsQuery) -> FindingsPage:
    """Read one page; the last has no next, and may be empty."""
    found: list[Finding] = []
    stored = store.all(after=query.after, where=query.where, at_once=query.page_size + 1)
    async for kept in stored:
        if not query.fits(kept.finding):
            continue
        if len(found) == query.page_size:
            return FindingsPage(found, replace(query, after=found[-1].id))
        found.append(kept.finding)
    return FindingsPage(found, None)


@dataclass(slots=True)
class _ParameterReader:
    """Reads the parameters of an address, and collects what is wrong with them."""

    given: Mapping[str, str]
    errors: list[FieldError] = field(default_factory=list)

    def add_error(self, name: str, detail: str) -> None:
        self.errors.append(FieldError(pointer="", detail=f"{name} {detail}"))

    def text(self, name: str) -> str | None:
        return self.given.get(name, "").strip() or None

    def words(self, name: str) -> str | None:
        text = self.text(name)
        if text and len(text) > MAX_FILTER_LENGTH:
            self.add_error(name, f"may have {MAX_FILTER_LENGTH} characters")
            return None
        return text

    def guid(self, name: str) -> str | None:
        text = self.text(name)
        if text and (mistakes := find_mistakes(UUID, text)):
            self.add_error(name, mistakes[0].detail)
            return None
        return self.some_id(name)

    def some_id(self, name: str) -> str | None:
        """An id as it is stored: in small letters."""
        text = self.text(name)
        return text.lower() if text else None

    def choices[T: (FindingState, Severity, ConflictKind)](
        self, name: str, kind: type[T]
    ) -> list[T]:
        words = [each.strip() for each in self.given.get(name, "").split(",") if each.strip()]
        known = [each.value for each in kind]
        if unknown := [each for each in words if each not in known]:
            self.add_error(
                name, f"has no value {unknown[0]!r}; use one or more of {', '.join(known)}"
            )
            return []
        return [kind(each) for each in words]

    def moment(self, name: str) -> str | None:
        text = self.text(name)
        try:
            if text is None or _MOMENT.fullmatch(text):
                return text
            return f"{date.fromisoformat(text)}T00:00:00Z"
        except ValueError:
            self.add_error(name, "must be a date, or a moment such as 2026-11-22T02:00:00Z")
            return None

    def page_size(self) -> int:
        text = self.text("pageSize") or str(DEFAULT_PAGE_SIZE)
        if re.fullmatch("[0-9]{1,4}", text) and 1 <= int(text) <= MAX_PAGE_SIZE:
            return int(text)
        self.add_error("pageSize", f"must be a whole number from 1 to {MAX_PAGE_SIZE}")
        return DEFAULT_PAGE_SIZE

    def continuation(self) -> str:
        text = self.text("continuation") or ""
        if text and not re.fullmatch("[0-9a-f]{32}", text):
            self.add_error("continuation", "must be as nextLink has it")
            return ""
        return text


def parse_query(given: Mapping[str, str]) -> FindingsQuery:
    """Read what is asked for from the parameters of an address.

    Raises:
        InvalidRequest: naming every parameter that is unknown or wrong.
    """
    reader = _ParameterReader(given)
    for name, text in given.items():
        if name not in (*_FILTERS, *_OTHERS):
            known = ", ".join((*_FILTERS, "pageSize"))
            reader.add_error(name, f"is not known here; there are {known}")
        elif not text.strip():
            reader.add_error(name, "is empty: leave it out for any")
    query = FindingsQuery(
        rule=reader.text("rule"),
        states=reader.choices("state", FindingState),
        severities=reader.choices("severity", Severity),
        kinds=reader.choices("kind", ConflictKind),
        package=reader.guid("package"),
        subject=reader.some_id("subject"),
        since=reader.moment("since"),
        process=reader.words("process"),
        tag=reader.words("tag"),
        framework=reader.words("framework"),
        owner=reader.words("owner"),
        page_size=reader.page_size(),
        after=reader.continuation(),
    )
    if reader.errors:
        raise InvalidRequest(reader.errors)
    return query


def names_subject(query: FindingsQuery) -> bool:
    """Whether the subject is given by a user principal name, which findings do not have."""
    return query.subject is not None and is_principal_name(query.subject)


def parameters(query: FindingsQuery) -> Iterator[tuple[str, str]]:
    """The parameters that `parse_query` reads as this query."""
    given = {
        "rule": query.rule,
        "state": ",".join(query.states),
        "severity": ",".join(query.severities),
        "kind": ",".join(query.kinds),
        "package": query.package,
        "subject": query.subject,
        "since": query.since,
        "process": query.process,
        "tag": query.tag,
        "framework": query.framework,
        "owner": query.owner,
        "pageSize": str(query.page_size),
        "continuation": query.after,
    }
    return ((name, value) for name, value in given.items() if value)
