"""A decision for people: the verdict first, then why, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType

from entra_sod.cli.terminal import Hanging, line
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.decision import ConflictView, DecisionResult
from entra_sod.domain.rules.verdict import Decision

_STYLES = {Decision.ALLOW: "bold green", Decision.DENY: "bold red", Decision.REVIEW: "bold yellow"}
_WORDS = {
    Decision.ALLOW: "no rule stands against it",
    Decision.DENY: "a rule forbids it",
    Decision.REVIEW: "a person has to decide",
}
_LABEL = 11  # characters


def decision_lines(result: DecisionResult, packages: Mapping[str, AccessPackage]) -> RenderableType:
    """Tell a decision, for a terminal or as lines that are whole."""
    verdict = f"{result.decision}: {_WORDS[result.decision]}"
    facts = (Hanging(f"  {label.ljust(_LABEL)}", text) for label, text in _facts(result, packages))
    return Group(line(verdict, _STYLES[result.decision]), *facts)


def _facts(
    result: DecisionResult, packages: Mapping[str, AccessPackage]
) -> Iterator[tuple[str, str]]:
    yield "subject", f"{result.subject} ({_known(result)})"
    for place, each in enumerate(result.access_package_ids):
        yield "" if place else "wants", _named(each, packages)
    for place, reason in enumerate(result.reasons):
        yield "" if place else "because", reason
    for place, conflict in enumerate(result.conflicts):
        yield "" if place else "against", _conflict(conflict, packages)
    for place, exception in enumerate(result.exceptions):
        told = f"{exception.id} of rule {exception.rule}, until {exception.until}"
        yield "" if place else "exception", told
    if result.severity:
        yield "severity", result.severity
    if result.advice:
        yield "advice", result.advice
    yield "read", f"{', '.join(dict.fromkeys(_ways(result))) or 'nothing'}, at {result.as_of}"


def _known(result: DecisionResult) -> str:
    if result.subject_known is None:
        return "whether there is such a subject could not be read"
    return "known" if result.subject_known else "not known to Entra"


def _named(package: str, packages: Mapping[str, AccessPackage]) -> str:
    known = packages.get(package)
    return f"{known.display_name} ({package})" if known and known.display_name else package


def _conflict(conflict: ConflictView, packages: Mapping[str, AccessPackage]) -> str:
    held = "held" if conflict.assignment_id else "wanted, too"
    until = f", until {conflict.until:%Y-%m-%d}" if conflict.until else ""
    return f"{_named(conflict.access_package_id, packages)}, {held}{until}: rule {conflict.rule}"


def _ways(result: DecisionResult) -> Iterator[str]:
    return (each.how for each in result.coverage.checked)
