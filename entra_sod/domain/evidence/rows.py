"""The lines of a pack. Pure.

No holder is named in evidence, nor who claims a finding: both are salted hashes, and the salt is in
the finding's row. So evidence stays whole when a person's data is erased, and says nothing of that
person then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from entra_sod.domain.entra import Reference
from entra_sod.domain.findings.model import Change, ChangeSource, Finding, FindingState
from entra_sod.domain.findings.views import csv_table, salted, subject_hash
from entra_sod.domain.results.check import ReferencesView, ReferenceView
from entra_sod.domain.results.coverage import Coverage
from entra_sod.domain.rules.logic import ConflictKind

type Ownership = Literal["adopted", "returned"]

_REMEDIATION_CLAIMED = "claimed; who and why is in the finding's own history"


class FindingLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A finding as a run left it.

    Attributes:
        kind: what makes it a conflict.
        missing: packages that the subject needs and does not hold.
        why: of one package that meets the rule by itself, which duties it gives.
        subject: the salted hash of the subject's id.
        seen: whether this run saw it; otherwise it could not look, or it was not there.
        changes: those of this run; and those that people made, without their words.
    """

    rule: str
    kind: ConflictKind
    packages: Sequence[str]
    missing: Sequence[str]
    why: str
    subject: str
    severity: str
    owner: str
    state: FindingState
    since: str
    first_seen: str
    last_seen: str
    seen: bool
    exception: str | None
    exception_until: date | None
    changes: Sequence[Change]


class ReferenceLine(msgspec.Struct, frozen=True, rename="camel"):
    """A reference that the rules ask for, or that was removed.

    Attributes:
        before: whether it was there before the run wrote anything.
        held: whether what was planned waits, for the reason that `why` gives.
        why: it was not written, or is written already.
        subjects, subjects_at_least: as of `ReferenceView`; only of what was planned.
        ownership: `adopted` where the app took over a reference that people had made, `returned`
            where it gave one back. Neither changes anything in Entra.
    """

    access_package_id: str
    kind: str
    target_id: str
    before: bool = False
    planned: Literal["add", "remove"] | None = None
    written: bool = False
    why: str | None = None
    held: bool = False
    subjects: int | UnsetType = UNSET
    subjects_at_least: int | UnsetType = UNSET
    ownership: Ownership | UnsetType = UNSET


def is_in_evidence(finding: Finding, run: str) -> bool:
    """Whether a finding is in a run's evidence: it stands, waits, or was changed by the run."""
    return finding.state is not FindingState.RESOLVED or bool(finding.changes_of(run))


def finding_line(finding: Finding, run: str) -> FindingLine:
    return FindingLine(
        rule=finding.rule,
        kind=finding.kind,
        packages=finding.packages,
        missing=finding.missing,
        why=finding.why,
        subject=subject_hash(finding),
        severity=finding.severity,
        owner=finding.owner,
        state=finding.state,
        since=finding.since,
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        seen=_is_seen(finding, run),
        exception=finding.exception or None,
        exception_until=finding.exception_until,
        changes=list(_changes(finding, run)),
    )


def _changes(finding: Finding, run: str) -> Iterator[Change]:
    for each in finding.history:
        if each.by is ChangeSource.PERSON:
            yield msgspec.structs.replace(
                each, cause=salted(finding, each.cause), why=_REMEDIATION_CLAIMED
            )
        elif each.run == run:
            yield each


def _is_seen(finding: Finding, run: str) -> bool:
    """Whether a run saw a finding, and did not only see an exception begin or end.

    Such a run notes a change, and leaves when the finding was looked at and seen as it was.
    """
    is_of_its_look = all(each.at == finding.last_seen for each in finding.changes_of(run))
    is_newest = finding.looked_by == run and finding.last_seen == finding.looked_at
    return is_newest and is_of_its_look


def json_line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def csv_head() -> bytes:
    return csv_table(FindingLine.__struct_encode_fields__, ())


def csv_line(line: FindingLine) -> bytes:
    fields = msgspec.to_builtins(line)
    changes = "; ".join(f"{each.was or 'new'} > {each.now}: {each.why}" for each in line.changes)
    joined = {"packages": " ".join(line.packages), "missing": " ".join(line.missing)}
    cells = {**fields, **joined, "changes": changes}
    row = [
        "" if cells[name] is None else str(cells[name])
        for name in FindingLine.__struct_encode_fields__
    ]
    return csv_table((), [row])


def reference_lines(references: ReferencesView) -> Iterator[ReferenceLine]:
    """Every reference once: as it was, what was planned, what became of it."""
    written = {_key(each) for each in references.written}
    failed = {_key(each): each.why for each in references.failed}
    for each in references.present:
        yield ReferenceLine(*_key(each), before=True)
    for each in references.planned:
        key = _key(each)
        yield ReferenceLine(
            *key,
            planned="add",
            written=key in written,
            why=failed.pop(key, None),
            subjects=each.subjects,
            subjects_at_least=each.subjects_at_least,
        )
    for each in references.removed:
        yield ReferenceLine(*_key(each), before=True, planned="remove", written=True)
    for key, why in failed.items():  # what is left are removals
        yield ReferenceLine(*key, before=True, planned="remove", why=why)
    for each in references.held:
        yield ReferenceLine(
            *_key(each),
            before=each.is_removal,
            planned="remove" if each.is_removal else "add",
            why=each.why,
            held=True,
            subjects=each.subjects,
            subjects_at_least=each.subjects_at_least,
        )


def ownership_lines(
    references: Iterable[Reference], ownership: Ownership
) -> Iterator[ReferenceLine]:
    """Each reference that is another's from now on, and stays as it is."""
    for each in references:
        yield ReferenceLine(each.on, each.kind, each.target, before=True, ownership=ownership)


def _key(view: ReferenceView) -> tuple[str, str, str]:
    return view.access_package_id, view.kind, view.target_id


class CoverageFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a run looked at and what not, and what it says of it all.

    Attributes:
        outcome: of a check; the status of a sweep.
        pairs: how many there are of each outcome.
    """

    outcome: str
    pairs: dict[str, int]
    coverage: Coverage
