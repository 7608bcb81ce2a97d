"""What changed since the sweep before."""

from __future__ import annotations

import pytest

from entra_sod.domain.findings.model import Change, ChangeSource, FindingState
from entra_sod.domain.report.changes import kind_of


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        (None, "open", "new"),
        (None, "excepted", "new"),
        ("resolving", "resolved", "resolved"),
        ("resolved", "open", "reopened"),
        ("on-hold", "excepted", "reopened"),
        ("excepted", "exception-expired", "expired"),
        ("open", "excepted", None),
        ("open", "resolving", None),
        ("open", "on-hold", None),
        ("excepted", "excepted", None),
        ("resolving", "open", None),
    ],
)
def test_what_kind_of_change_it_is(was: str | None, now: str, kind: str | None) -> None:
    """A warning, a claim and an exception that begins are no change of a report."""
    change = Change(
        at="",
        was=FindingState(was) if was else None,
        now=FindingState(now),
        by=ChangeSource.SWEEP,
        cause="s",
        why="",
    )
    assert kind_of(change) == kind
