from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from functions.checks.idempotency import Entry, Key

keys = st.builds(Key, entry=st.sampled_from(Entry), holder=st.text(), text=st.text())


@given(keys, keys)
def test_keys_meet_only_where_all_their_parts_are_equal(one: Key, other: Key) -> None:
    """Whatever is written in a key, it is never another holder's, nor of another way in."""
    is_same = (one.entry, one.holder, one.text) == (other.entry, other.holder, other.text)
    assert (one.digest == other.digest) is is_same


@given(st.text(), st.text(), st.text())
def test_no_part_of_a_key_runs_over_into_the_next(first: str, second: str, third: str) -> None:
    """The same letters, cut at another place, are another key."""
    one = Key(entry=Entry.CALLER, holder=first + second, text=third)
    other = Key(entry=Entry.CALLER, holder=first, text=second + third)
    assert (one.digest == other.digest) is (second == "")


def test_a_key_is_kept_in_one_form() -> None:
    """What is kept is found by the next version, too: the form of the digest does not change."""
    key = Key(entry=Entry.CALLER, holder="key:jira", text="CHG-1")
    assert key.digest == "c005e0d180b7a448fa646431c06e68c7ae6c85173eb80cde06f9c8d7907cb492"
