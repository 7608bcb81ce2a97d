"""The life of one finding, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from entra_sod.cli.findings_source import who
from entra_sod.cli.terminal import Hanging, line
from entra_sod.core.names import visible
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.findings.model import Change
from entra_sod.domain.findings.next_steps import FindingStep, next_steps
from entra_sod.domain.findings.views import FindingDetail
from entra_sod.domain.portal import PortalLinks
from entra_sod.domain.rules.language import Control, ExceptionEntry, Rule
from entra_sod.domain.rules.logic import ConflictKind
from entra_sod.domain.rules.parse import ParsedRules

_LABEL = 11  # characters
_STATES = {
    "open": "the subject is in conflict, and nothing permits it",
    "excepted": "an exception permits the conflict for now",
    "exception-expired": "an exception permitted the conflict, and has ended",
    "resolving": "one look did not see the conflict, or a person says that it is being removed",
    "resolved": "two looks in a row did not see the conflict",
    "on-hold": "the rule is off, or a package is gone or no longer in the rule",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedFinding:
    """A finding with what helps to understand it.

    Attributes:
        packages: by id, as far as their names are known.
        parsed: the rules files; None where there is no folder of them.
        where: the folder, in words.
        links: addresses of the admin center.
    """

    finding: FindingDetail
    packages: Mapping[str, AccessPackage]
    parsed: ParsedRules | None
    where: str
    links: PortalLinks

    @property
    def rule(self) -> Rule | None:
        return self.parsed.rules.get(self.finding.rule) if self.parsed else None

    @property
    def exception(self) -> ExceptionEntry | None:
        return self.parsed.exceptions.get(self.finding.exception or "") if self.parsed else None

    @property
    def control(self) -> Control | None:
        named = self.exception.control if self.exception else None
        return self.parsed.controls.get(named or "") if self.parsed else None

    @property
    def steps(self) -> Sequence[FindingStep]:
        mode = self.rule.mode if self.rule else None
        return [*next_steps(self.finding, mode=mode, links=self.links, named=self.named)]

    @property
    def runs(self) -> Sequence[str]:
        """The runs whose evidence has the finding, oldest first."""
        return list(dict.fromkeys(each.run for each in self.finding.history if each.run))

    def named(self, package: str) -> str:
        """Return what stands for a package: its name, or the id where that is not known."""
        known = self.packages.get(package)
        return (known.display_name if known else "") or package


def explained_lines(told: ExplainedFinding) -> RenderableType:
    """Tell of a finding on a terminal, or in lines that are whole."""
    finding = told.finding
    facts = [*_facts(told)]
    parts: list[RenderableType] = [line(f"finding {finding.id}", "bold")]
    parts += [_fact(label, text) for label, text in facts]
    parts += [Text(), line("history", "bold")]
    parts += [Hanging("  ", _change(each)) for each in _history(finding)]
    parts += [Text(), line("what to do next", "bold")]
    steps = chain.from_iterable(map(_step, told.steps))
    return Group(*parts, *steps)


def _fact(label: str, text: str) -> RenderableType:
    return Hanging(f"  {label.ljust(_LABEL)}", text)


def _facts(told: ExplainedFinding) -> Iterator[tuple[str, str]]:
    finding = told.finding
    yield "state", f"{finding.state} since {finding.since}: {_STATES.get(finding.state, '')}"
    yield "who", who(finding) + (f" ({finding.subject_type})" if finding.subject_type else "")
    yield "", f"{finding.object_id or finding.subject_id}"
    for label, packages in (("holds", finding.pair), ("needs", finding.missing)):
        for place, package in enumerate(packages):
            yield label if place == 0 else "", f"{told.named(package)}"
            yield from [("", package)] if told.named(package) != package else []
    if finding.why:
        yield "why", finding.why
    yield from _about_rule(told)
    yield from _about_exception(told)
    yield "seen", f"first {finding.first_seen}, last {finding.last_seen}"
    yield "evidence", _evidence(told)


def _about_rule(told: ExplainedFinding) -> Iterator[tuple[str, str]]:
    finding, rule = told.finding, told.rule
    owners = ", ".join(dict.fromkeys((finding.owner, *finding.owners)))
    title = f": {rule.title}" if rule else f" ({told.where})"
    yield "rule", f"{finding.rule}{title}"
    mode = f", mode {rule.mode}" if rule else ""
    yield "", f"severity {finding.severity}{mode}, owner {owners}"
    if finding.frameworks:
        yield "clauses", ", ".join(finding.frameworks)
    if rule and rule.control:
        yield "control", rule.control
    if rule and rule.advice:
        yield "advice", rule.advice


def _about_exception(told: ExplainedFinding) -> Iterator[tuple[str, str]]:
    finding, exception, control = told.finding, told.exception, told.control
    if finding.exception:
        until = f", until {finding.exception_until}" if finding.exception_until else ""
        yield "exception", f"{finding.exception}{until}"
    if exception:
        yield "", f"approved by {exception.approved_by}: {exception.reason}"
    if control:
        yield "control", f"{control.id}: {control.title} (owner {control.owner})"
        yield "to be shown", control.evidence
    if finding.claimed_by:
        yield "claimed by", finding.claimed_by


def _evidence(told: ExplainedFinding) -> str:
    runs = ", ".join(told.runs) or "no run that has ended"
    return f"sealed by {runs}; there the subject is {told.finding.subject_hash}"


def _history(finding: FindingDetail) -> Iterator[Change | int]:
    """Yield the changes; in the place of those that are left out, how many they are."""
    if not finding.changes_left_out:
        yield from finding.history
        return
    yield finding.history[0]
    yield finding.changes_left_out
    yield from finding.history[1:]


def _change(change: Change | int) -> str:
    if isinstance(change, int):
        return f"({change} changes are in the evidence only)"
    was = f"{change.was} \u2192 " if change.was else ""
    at = change.at.replace("T", " ").removesuffix("Z")
    return f"{at}  {was}{change.now}  by {change.by} {visible(change.cause)}: {change.why}"


def _step(step: FindingStep) -> Iterator[RenderableType]:
    yield Hanging("  ", step.what)
    if more := step.command or step.link:
        # Addresses and commands are never folded, so that they can be copied.
        yield Text(f"    {more}", "cyan", no_wrap=True, overflow="ignore")


def explained_json(told: ExplainedFinding) -> object:
    """The same for programs."""
    rule, exception, control = told.rule, told.exception, told.control
    names = {each: told.named(each) for each in (*told.finding.pair, *told.finding.missing)}
    return {
        "finding": told.finding,
        "kind": told.finding.kind or ConflictKind.PAIR,
        "names": names,
        "rule": rule and {"id": rule.id, "title": rule.title, "mode": rule.mode},
        "advice": rule.advice if rule else None,
        "exception": exception and msgspec.to_builtins(exception),
        "control": control and msgspec.to_builtins(control),
        "evidence": told.runs,
        "portal": {each: told.links.assignments_of(each) for each in names},
        "next": told.steps,
    }
