"""What the doctor says of packages that pass rules by, as the last closed sweep saw them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from entra_sod.core.errors import SodError
from entra_sod.domain.results.coverage import Outcome
from entra_sod.domain.results.sweep import OverlapSummary, ToxicSummary
from entra_sod.domain.rules.toxic import named_package
from entra_sod.services.doctor.diagnosis import Diagnosis, note, ok, unknown
from entra_sod.services.doctor.probe_results import SweptPackages

MAX_NAMED = 5  # of either kind
_WHAT = "rules: what packages grant"
_TOXIC = (
    "Split the package, or write an override for it if it is meant to give both for a few days: "
    "docs/explanation/rule-language.md, Toxic packages."
)
_OVERLAP = (
    "Name the package in the rule, or take the role out of it: "
    "docs/explanation/rule-language.md, Overlaps."
)


def evaluate_packages(seen: SweptPackages | SodError) -> Iterator[Diagnosis]:
    """Name toxic packages and overlaps, the first of each."""
    if isinstance(seen, SodError):
        yield unknown(_WHAT, seen)
        return
    if not seen.toxic_packages and not seen.overlaps:
        yield ok(_WHAT, f"no package passes a rule by, by sweep {seen.id}")
    yield from _notes("toxic", seen.toxic_packages, _TOXIC)
    yield from _notes("overlap", seen.overlaps, _OVERLAP)


def _notes(
    kind: str, found: Sequence[ToxicSummary | OverlapSummary], advice: str
) -> Iterator[Diagnosis]:
    for each in found[:MAX_NAMED]:
        what = named_package(each.access_package_id, each.display_name)
        yield note(f"rules: {kind}: {what}", _detail(each), advice)
    if (more := len(found) - MAX_NAMED) > 0:
        yield note(f"rules: {kind}", f"{more} more", "GET /api/sweeps/latest names them.")


def _detail(each: ToxicSummary | OverlapSummary) -> str:
    if isinstance(each, OverlapSummary):
        return f"rule {each.rule}: {each.why}"
    allowed = each.override_days
    days = f"; an override allows it for at most {allowed} days" if allowed else ""
    is_known = each.outcome is not Outcome.UNKNOWN
    holders = f"{each.holder_count} hold it" if is_known else "its holders are not known"
    return f"{each.why}; {holders}{days}"
