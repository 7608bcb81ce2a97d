"""`entra-sod exceptions` and the controls that exceptions name."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app
from entra_sod.cli.exceptions import endings
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import RulesError
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import parse_rules
from tests.builders import guid

RULES = f"""\
version: 1
rules:
  - id: r
    title: One
    severity: high
    owner: o@example.com
    mode: enforce
    between:
      - packages: [{{id: {guid("a")}}}]
      - packages: [{{id: {guid("b")}}}]
controls:
  - id: second-look
    title: A second person looks at every payment
    owner: treasury@example.com
    days: 30
    evidence: The signed list of payments
exceptions:
  - id: EX-1
    rule: r
    subject: {guid("e")}
    from: FROM
    LAST
    reason: short of people
    requestedBy: one
    approvedBy: two
"""


def text(last: str, start: date = date(2026, 1, 1)) -> str:
    return RULES.replace("FROM", str(start)).replace("LAST", last)


def test_a_control_says_how_long_an_exception_lasts() -> None:
    """Thirty days, the first among them; a last day of its own comes before that."""
    [entry] = parse_rules([SourceFile("f", text("control: second-look"))]).exceptions.values()
    assert entry.end == date(2026, 1, 30)
    own = text("control: second-look\n    until: 2026-03-01")
    [entry] = parse_rules([SourceFile("f", own)]).exceptions.values()
    assert entry.end == date(2026, 3, 1)


def test_a_control_must_be_known() -> None:
    """An unknown one is a mistake with its place."""
    with pytest.raises(RulesError, match="second-lok is no control; did you"):
        parse_rules([SourceFile("f", text("control: second-lok"))])


def test_an_exception_without_an_end_is_a_mistake() -> None:
    """Without a last day and without a control it has no end."""
    with pytest.raises(RulesError, match="until is missing: give it, or a control"):
        parse_rules([SourceFile("f", text("# nothing"))])


def test_a_control_has_all_its_fields() -> None:
    """Mistakes in a control are named as those of rules are."""
    broken = text("until: 2026-02-01").replace("days: 30", "days: 0").replace("owner: t", "own: t")
    with pytest.raises(RulesError) as caught:
        parse_rules([SourceFile("f", broken)])
    said = " ".join(caught.value.problems)
    assert "controls.0.own is not known here; did you mean owner?" in said
    assert "controls.0.owner is missing" in said
    assert "controls.0.days must be" in said


def run(path: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["exceptions", str(path), *arguments])
    return done.exit_code, done.stdout


def test_exceptions_that_end_soon_are_listed(tmp_path: Path) -> None:
    """With the days that are left, the control, its owner and what is to be shown for it."""
    today = SystemClock().now().date()
    path = tmp_path / "rules.yaml"
    path.write_text(text("control: second-look", today - timedelta(days=20)))
    code, said = run(path, "--format", "json")
    [found] = json.loads(said)["exceptions"]
    assert (code, found["daysLeft"], found["state"]) == (2, 9, "in force")
    assert (found["controlOwner"], found["evidence"]) == (
        "treasury@example.com",
        "The signed list of payments",
    )
    code, said = run(path)
    head, line = said.splitlines()
    assert (code, head.split("\t")[:2]) == (2, ["exception", "rule"])
    assert line.split("\t")[3:5] == [found["until"], "9 d"]
    assert run(path, "--within", "8")[0] == 0
    path.write_text(text("until: 2026-01-01").replace("approvedBy: two", "approvedBy: one"))
    assert run(path)[0] == 1


def test_the_first_to_end_comes_first() -> None:
    """Those that are over before those in force, and those to come are told apart."""
    entry = text("until: 2026-01-10").partition("exceptions:\n")[2]
    more = entry.replace("EX-1", "EX-0").replace("2026-01-10", "2026-02-10")
    later = more.replace("EX-0", "EX-2").replace("2026-01-01", "2026-02-10")
    book = parse_rules([SourceFile("f", text("until: 2026-01-10") + more + later)])
    found = endings(book, date(2026, 2, 1))
    assert [(each.id, each.state) for each in found] == [
        ("EX-1", "over"),
        ("EX-0", "in force"),
        ("EX-2", "to come"),
    ]
