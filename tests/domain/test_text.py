"""Text compares as people see it; held against generated Unicode."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.core.names import visible
from entra_sod.domain.text import TextPattern, fold, fold_for_patterns

type Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD")
_PIECES = st.sampled_from(
    [
        *(
            "Größe",
            "STRASSE",
            "Zahlung prüfen",
            "ﬁn",
            "İ",
            "x\u030c",
            "👩‍🚀",
            "🇩🇪",
            "👍🏽",
            "1️⃣",
            "각",
        ),
        *(
            "क्षि",
            "ა",
            "ς",
            "\u00a0",
            "  ",
            "\u200b",
            "\u200e",
            "\u00ad",
            "\0",
            "[a]",
            "*",
            "?",
            "\\",
        ),
    ]
)
_CHARACTERS = st.characters(codec="utf-8", categories=["L", "M", "N", "P", "So"]).filter(fold)
TEXTS = st.lists(st.one_of(_PIECES, st.text(max_size=4)), max_size=6).map("".join)


def fits(pattern: str, name: str) -> bool:
    return TextPattern(pattern).fits(fold_for_patterns(name))


@given(TEXTS)
def test_canonical_forms_are_equal(text: str) -> None:
    """Composed and decomposed, in whatever form it is typed."""
    assert len({fold(text), *(fold(unicodedata.normalize(form, text)) for form in FORMS)}) == 1


@given(TEXTS)
def test_folding_again_changes_nothing(text: str) -> None:
    """What was folded is folded."""
    assert fold(fold(text)) == fold(text)


@given(TEXTS)
def test_blanks_and_what_has_no_width_do_not_matter(text: str) -> None:
    """No-break, doubled and outer blanks, and characters without width."""
    assert fold(f"  {text}\u00a0\u2003") == fold(text)
    assert fold(f"{text} \u00a0x") == fold(f"{text} x")
    assert fold(f"Pay\u200b{text}") == fold(f"Pay{text}")


@given(TEXTS, st.sampled_from(FORMS), st.sampled_from(FORMS))
def test_a_name_is_a_pattern_that_fits_itself(text: str, one: Form, other: Form) -> None:
    """In any form, with an end that is left open, and with a beginning that is."""
    pattern, name = unicodedata.normalize(one, text), unicodedata.normalize(other, text)
    assert fits(pattern, name)
    assert fits(f"{pattern} *", f"{name} x")
    assert fits(f"* {pattern}", f"x {name}")


@given(st.lists(_CHARACTERS, max_size=8).map("".join))
def test_one_question_mark_is_one_visible_character(text: str) -> None:
    """As many as there are visible characters fit, and one more does not."""
    count = len(regex.findall(r"\X", unicodedata.normalize("NFC", text)))
    assert fits("?" * count, text)
    assert not fits("?" * (count + 1), text)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("Gr??e", "Größe", True),
        ("Gr??e", "Gro\u0308ße", True),
        ("Gr??e", "Grösse", False),
        ("GR?SSE", "Größe", True),
        ("STRASSE ?", "Straße 5", True),
        ("Gros*", "Groß", False),
        ("? Team", "👩‍🚀 Team", True),
        ("??", "🇩🇪🇫🇷", True),
        ("x*", "x\u030cy", False),
        ("Pay  invoices", " Pay\u00a0invoices ", True),
        ("P[ay] *", "p[AY] x", True),
        ("p*y*s", "pay invoices", True),
        ("p*y*t", "pay invoices", False),
        ("", "Pay", False),
    ],
)
def test_patterns_are_held_against_what_is_seen(pattern: str, name: str, expected: bool) -> None:  # noqa: FBT001
    """Wildcards, case, ß and ss, marks, emoji, flags, blanks and brackets."""
    assert fits(pattern, name) is expected


def test_many_wildcards_end_in_time() -> None:
    """A pattern of hundreds of stars is held against a long name without looking back."""
    assert not fits("a*" * 250, "a" * 240 + "\u0308" + "b" * 250)


@given(st.text())
def test_what_is_invisible_is_printed_as_an_escape(text: str) -> None:
    """No control, no end of a line, nothing that turns what stands around it."""
    unseen = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not unseen & {unicodedata.category(each) for each in visible(text)}
