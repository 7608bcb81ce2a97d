"""Findings as a list: one head for each conflict of packages, and its subjects below. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from entra_sod.cli.findings_source import who
from entra_sod.cli.lists import PrintedList
from entra_sod.core.names import visible
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.findings.model import FindingState
from entra_sod.domain.findings.views import FindingView
from entra_sod.domain.rules.language import Severity
from entra_sod.domain.rules.logic import ConflictKind
from entra_sod.domain.short_ids import short_ids

COLUMNS = (
    "finding",
    "severity",
    "rule",
    "kind",
    "who",
    "state",
    "since",
    "subject id",
    "packages",
    "package ids",
    "missing ids",
    "exception",
    "first seen",
    "last seen",
    "owner",
)
_ON_TERMINAL = ("finding", "who", "state", "since")
_GRAVEST_FIRST = [str(each) for each in reversed(Severity)]


def findings_list(
    found: Sequence[FindingView], packages: Mapping[str, AccessPackage]
) -> PrintedList:
    """Make the list of findings that are in order.

    Args:
        found: as `in_order` has them.
        packages: by id, as far as they are known.
    """
    short = short_ids(key for each in found for key in (*each.pair, *each.missing))
    return PrintedList(
        key="findings",
        columns=COLUMNS,
        rows=[_cells(each, packages) for each in found],
        ids=frozenset({"finding", "subject id", "package ids", "missing ids"}),
        piped=frozenset(COLUMNS) - frozenset(_ON_TERMINAL),
        heads=[_head(each, packages, short) for each in found],
    )


def in_order(
    found: Sequence[FindingView], packages: Mapping[str, AccessPackage]
) -> Sequence[FindingView]:
    """Return the gravest first, then by rule and packages, then by subject."""
    return sorted(
        found,
        key=lambda each: (
            _GRAVEST_FIRST.index(each.severity) if each.severity in _GRAVEST_FIRST else -1,
            each.rule,
            what(each, _names(each, packages)),
            each.pair,
            who(each).casefold(),
            each.id,
        ),
    )


def what(finding: FindingView, names: Mapping[str, str]) -> str:
    """Say which packages make the conflict.

    Args:
        finding: to tell of.
        names: for each of its packages what stands for it.
    """
    held = " \u00d7 ".join(names[each] for each in finding.pair)
    match finding.kind:
        case ConflictKind.PACKAGE:
            return f"{held} by itself"
        case ConflictKind.REQUIREMENT:
            return f"{held} without {' or '.join(names[each] for each in finding.missing)}"
        case _:
            return held


def _head(
    finding: FindingView, packages: Mapping[str, AccessPackage], short: Mapping[str, str]
) -> Sequence[str]:
    names = {
        key: f"{visible(name)} ({short[key]})" if name != key else short[key]
        for key, name in _names(finding, packages).items()
    }
    return what(finding, names), finding.severity, visible(finding.rule)


def _names(finding: FindingView, packages: Mapping[str, AccessPackage]) -> Mapping[str, str]:
    return {
        key: (packages[key].display_name if key in packages else "") or key
        for key in (*finding.pair, *finding.missing)
    }


def _cells(finding: FindingView, packages: Mapping[str, AccessPackage]) -> Sequence[str]:
    permitted = finding.exception_until is not None and finding.state == FindingState.EXCEPTED
    return (
        finding.id,
        finding.severity,
        finding.rule,
        finding.kind,
        who(finding),
        f"{finding.state} until {finding.exception_until}" if permitted else finding.state,
        finding.since[:10],
        finding.object_id or finding.subject_id,
        what(finding, _names(finding, packages)),
        " ".join(finding.pair),
        " ".join(finding.missing),
        finding.exception or "",
        finding.first_seen[:10],
        finding.last_seen[:10],
        finding.owner,
    )
