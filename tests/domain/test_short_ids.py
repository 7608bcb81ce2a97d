"""Short ids: unique within their list, and found again by what is shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.short_ids import MIN_SHORT_ID, ids_beginning, short_ids

HEX = st.text("0123abc", min_size=32, max_size=32)
GUIDS = st.uuids().map(str)
RUNS = st.from_regex(r"(sweep|apply)-2026112[0-9]T0[0-9]0000Z-[0-9a-f]{8}", fullmatch=True)
IDS = st.lists(st.one_of(HEX, GUIDS, RUNS), max_size=30)


@given(IDS)
def test_what_is_shown_finds_the_id_and_no_other(ids: list[str]) -> None:
    """Whatever the list is, a short id that is typed back means one id of it."""
    for whole, short in short_ids(ids).items():
        assert whole.startswith(short)
        assert ids_beginning(short, ids) == [whole]
        assert len(short) >= MIN_SHORT_ID
        assert not short.endswith("-")


@given(IDS)
def test_no_shorter_beginning_would_do(ids: list[str]) -> None:
    """An id is longer than eight characters only where another id begins alike."""
    for whole, short in short_ids(ids).items():
        if len(short) > MIN_SHORT_ID + 1 and not whole.startswith(("sweep-", "apply-")):
            shorter = short[:-1].rstrip("-")
            assert len(ids_beginning(shorter, ids)) > 1


def test_an_id_that_begins_another_one_stands_for_itself() -> None:
    """A whole id is never ambiguous, and capitals do not matter."""
    assert ids_beginning("ABC", ["abc", "abcd"]) == ["abc"]
    assert ids_beginning("ab", ["abd", "abc", "x"]) == ["abc", "abd"]
    assert ids_beginning("y", ["abc"]) == []


def test_a_run_is_shown_with_its_kind_and_time() -> None:
    """The random end follows only where two runs began in the same second."""
    one = "sweep-20261128T020000Z-1f2e3d4c"
    assert short_ids([one]) == {one: "sweep-20261128T020000Z"}
    two = "sweep-20261128T020000Z-1f99aaaa"
    assert short_ids([one, two])[one] == "sweep-20261128T020000Z-1f2"
