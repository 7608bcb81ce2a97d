from __future__ import annotations

import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod import bootstrap
from entra_sod.core.names import CUT, MAX_NAME_LENGTH, cut, visible

ANY = st.text(st.characters(exclude_categories=()))


@given(ANY)
def test_c1_nothing_unseen_is_left(text: str) -> None:
    """No control, bidi, zero-width or half character, and no end of a line."""
    shown = visible(text)
    assert not {unicodedata.category(each) for each in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize("name", ["Zahlung prüfen", "支払い 承認", "[/] **x**", "e\u0301", "👍"])
def test_c1_what_is_seen_stays(name: str) -> None:
    """Any alphabet, and marks of any language of markup."""
    assert visible(name) == name


@pytest.mark.parametrize("name", ["a\nERROR x", "a\r\n", "\x1b[2J", "\u202e", "\u2028", "\0"])
def test_c5_a_log_message_is_one_line(caplog: pytest.LogCaptureFixture, name: str) -> None:
    """Whatever is in a file's name, a reason or an error."""
    assert bootstrap.app is not None
    with caplog.at_level(logging.INFO, "entra_sod"):
        logging.getLogger("entra_sod").info("rules of %s stay, 100%%", name)
    [message] = caplog.messages
    assert message == f"rules of {visible(name)} stay, 100%"


@given(st.text(max_size=2 * MAX_NAME_LENGTH))
def test_c4_what_is_too_long_is_cut_and_says_so(text: str) -> None:
    """To the longest that is kept; what fits is whole."""
    assert cut("x" * (MAX_NAME_LENGTH + 1)).endswith(CUT)
    assert len(cut(text * 2)) <= MAX_NAME_LENGTH
    assert (cut(text) == text) is (len(text) <= MAX_NAME_LENGTH)
