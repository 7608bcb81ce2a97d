"""The life of an exception, and the text that renews or removes one."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.exception_changes import (
    MAX_EXCEPTION_DAYS,
    NOT_APPROVED,
    ExceptionState,
    removal,
    renewal,
    state_on,
)
from entra_sod.domain.rules.language import ExceptionEntry
from entra_sod.domain.rules.parse import parse_rules
from tests.builders import exception, guid

ENTRY = exception("r", "e", start=date(2026, 1, 1), end=date(2026, 3, 31))
PLACE = "rules/pay.yaml, line 12"
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
exceptions:
"""


def read(text: str) -> ExceptionEntry:
    """The exception as the app's own parser reads it from a rules file."""
    [entry] = parse_rules([SourceFile("rules.yaml", RULES + text)]).exceptions.values()
    return entry


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (date(2025, 12, 31), ExceptionState.WAITS),
        (date(2026, 1, 1), ExceptionState.ACTIVE),
        (date(2026, 2, 28), ExceptionState.ACTIVE),
        (date(2026, 3, 1), ExceptionState.ENDS_SOON),
        (date(2026, 3, 31), ExceptionState.ENDS_SOON),
        (date(2026, 4, 1), ExceptionState.OVER),
    ],
)
def test_an_exception_is_in_one_state_each_day(day: date, state: ExceptionState) -> None:
    """Both ends are included, and the last thirty days end soon."""
    assert state_on(ENTRY, day) is state


def test_a_renewal_is_an_entry_from_today_without_an_approval() -> None:
    """As long as before; who approved it then has not approved it now."""
    text = renewal(ENTRY, PLACE, date(2026, 4, 5))
    assert text.startswith(f"  # In {PLACE}, replace exception EX-r-e with this entry.\n")
    renewed = read(text)
    assert (renewed.start, renewed.end) == (date(2026, 4, 5), date(2026, 7, 3))
    assert renewed.end - renewed.start == ENTRY.end - ENTRY.start
    assert renewed.approved_by == NOT_APPROVED
    assert renewed.requested_by == ENTRY.requested_by


def test_an_exception_that_waits_needs_no_renewal() -> None:
    """There is nothing to propose before it begins."""
    assert renewal(ENTRY, PLACE, date(2025, 12, 1)) == ""


def test_a_removal_is_the_entry_as_it_stands() -> None:
    """So that people see what they remove."""
    text = removal(ENTRY, PLACE)
    assert text.startswith(f"  # In {PLACE}, remove this entry.\n")
    assert read(text) == ENTRY


def test_a_place_is_one_line_of_a_comment() -> None:
    """A file's name cannot end the comment and begin an entry of its own."""
    text = removal(ENTRY, "rules/x.yaml\n  - id: evil")
    assert read(text) == ENTRY


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"),
    min_size=1,
    max_size=60,
)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(
    reason=TEXTS,
    asked=TEXTS,
    name=TEXTS,
    control=st.none() | TEXTS,
    upn=st.none() | TEXTS,
    start=DAYS,
    length=st.integers(0, MAX_EXCEPTION_DAYS - 1),
    later=st.integers(0, 1000),
)
def test_the_text_says_what_the_entry_says(
    *,
    reason: str,
    asked: str,
    name: str,
    control: str | None,
    upn: str | None,
    start: date,
    length: int,
    later: int,
) -> None:
    """Whatever people wrote into an exception: YAML reads the same values back, and no others."""
    entry = ExceptionEntry(
        id=name,
        rule="r",
        subject=guid("e"),
        upn=upn,
        start=start,
        until=start + timedelta(days=length),
        control=control,
        reason=reason,
        requested_by=asked,
        approved_by="control@example.com",
    )
    day = start + timedelta(days=later)
    [removed] = yaml.safe_load(removal(entry, PLACE))
    [renewed] = yaml.safe_load(renewal(entry, PLACE, day))
    fields = {key: each for key, each in msgspec.to_builtins(entry).items() if each is not None}
    assert {key: str(each) for key, each in removed.items()} == fields
    assert (str(renewed["from"]), renewed["approvedBy"]) == (str(day), NOT_APPROVED)
    assert renewed["until"] - renewed["from"] == timedelta(days=length)
    same = {"id", "reason", "requestedBy", "rule", "subject", "upn"} & removed.keys()
    assert {key: renewed[key] for key in same} == {key: removed[key] for key in same}
