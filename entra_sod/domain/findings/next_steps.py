"""What a person may do next about a finding, as a sentence with a command or an address. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from shlex import quote

import msgspec

from entra_sod.domain.findings.model import FindingState
from entra_sod.domain.findings.views import FindingView
from entra_sod.domain.portal import PortalLinks
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.logic import ConflictKind

type PackageName = Callable[[str], str]


class FindingStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to do.

    Attributes:
        what: a sentence.
        command: of the command line, which does it or helps with it.
        link: where to do it.
    """

    what: str
    command: str = ""
    link: str = ""


def next_steps(
    finding: FindingView, *, mode: Mode | None, links: PortalLinks, named: PackageName
) -> Iterator[FindingStep]:
    """Say what to do about a finding in its state, the best first.

    Args:
        finding: to do something about.
        mode: of its rule; None where the rule is not known.
        links: addresses of the admin center.
        named: what stands for a package.
    """
    state = FindingState(finding.state)
    if finding.object_id and finding.subject_type in (None, "user"):
        yield FindingStep(what="To see the person:", link=links.of_user(finding.object_id))
    if state is FindingState.RESOLVED:
        yield FindingStep(what="Nothing: two looks in a row did not see the conflict.")
    elif state is FindingState.ON_HOLD:
        yield from _on_hold(finding)
    elif state is FindingState.EXCEPTED:
        yield from _excepted(finding)
    elif state is FindingState.RESOLVING:
        yield _look_again("Let the app look once more, which resolves the finding.")
    else:
        yield from _standing(finding, mode, links, named)


def _standing(
    finding: FindingView, mode: Mode | None, links: PortalLinks, named: PackageName
) -> Iterator[FindingStep]:
    if finding.kind is ConflictKind.REQUIREMENT and finding.missing:
        needed = finding.missing[0]
        yield FindingStep(
            what=f"Give {named(needed)}, which the subject needs:",
            link=links.assignments_of(needed),
        )
    for each in finding.pair:
        first = "Or remove" if each is not finding.pair[0] or finding.missing else "Remove"
        yield FindingStep(
            what=f"{first} the assignment of {named(each)}:", link=links.assignments_of(each)
        )
    yield FindingStep(
        what="Or add an exception to the rules files, with an approver and a last day, and run",
        command="entra-sod validate rules",
    )
    yield _look_again("Then let the app look, because two looks resolve a finding.")
    if mode is not None and mode is not Mode.ENFORCE and finding.kind is ConflictKind.PAIR:
        yield FindingStep(
            what=f"To have Entra refuse the next such request, the mode of rule {finding.rule} has "
            f"to be enforce; it is {mode}. To see what would be written:",
            command="entra-sod plan",
        )


def _excepted(finding: FindingView) -> Iterator[FindingStep]:
    until = f" until {finding.exception_until}" if finding.exception_until else ""
    yield FindingStep(
        what=f"Nothing now: {finding.exception} permits it{until}. To see what ends soon:",
        command="entra-sod exceptions rules",
    )


def _on_hold(finding: FindingView) -> Iterator[FindingStep]:
    yield FindingStep(
        what="Nothing now: the rule is off, or it selects these packages no more. To see what it "
        "selects:",
        command=f"entra-sod rules show --rule {quote(finding.rule)}",
    )


def _look_again(what: str) -> FindingStep:
    return FindingStep(what=what, command="entra-sod sweep --url https://APP/api")
