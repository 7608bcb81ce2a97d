"""Names of subjects compare as people mean them; held against generated Unicode."""

from __future__ import annotations

from unicodedata import normalize
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.core.validation import find_mistakes
from entra_sod.domain.subjects.names import (
    ADVICE,
    MAX_NAME_LENGTH,
    SubjectName,
    comparable_name,
    is_principal_name,
    person_key,
    subject_id,
)

ADA = "2506aef1-3929-4d24-a61e-7c8b83d95e6f"
_LOCAL = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-_'+#!", min_size=1, max_size=20)
upns = st.builds("{}@{}.example".format, _LOCAL, st.from_regex("[a-z0-9-]{1,12}", fullmatch=True))


@given(st.text())
def test_a_comparable_name_is_as_comparable_as_it_gets(text: str) -> None:
    """To fold a name twice gives what folding it once gives."""
    folded = comparable_name(text)
    assert comparable_name(folded) == folded


@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_composition_and_compatible_characters_do_not_matter(text: str, form: str) -> None:
    """A name is the same in every normalization form."""
    assert comparable_name(normalize(form, text)) == comparable_name(text)  # type: ignore[arg-type]


@given(upns)
def test_case_and_blanks_around_do_not_matter(upn: str) -> None:
    """Capitals, blanks at the ends and characters without width are no other name."""
    for spelling in (upn.upper(), f"  {upn} ", f"\u200b{upn}", upn.title()):
        assert person_key(spelling) == person_key(upn)
        assert is_principal_name(spelling.strip())


@given(upns, st.text("abc123", min_size=1, max_size=5))
def test_an_address_with_a_plus_is_another_name(upn: str, tag: str) -> None:
    """Entra may give both to different people."""
    local, domain = upn.split("@")
    assert person_key(f"{local}+{tag}@{domain}") != person_key(upn)


@given(upns, upns)
def test_two_names_are_one_only_if_they_are_spelled_alike(one: str, other: str) -> None:
    """Names of the characters that Entra allows differ in more than case."""
    assert (person_key(one) == person_key(other)) == (one.lower() == other.lower())


@given(st.uuids())
def test_an_id_is_the_same_in_every_way_to_write_it(made: UUID) -> None:
    """With braces, in capitals, without hyphens; only the way that Entra writes it is an id."""
    text = str(made)
    for spelling in (text, text.upper(), made.hex, f"{{{text}}}", f" {text} "):
        assert person_key(spelling) == text
    assert subject_id(text.upper()) == text
    assert subject_id(made.hex) is None


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        (ADA, True),
        ("ada@contoso.com", True),
        ("ada_fabrikam.com#EXT#@contoso.onmicrosoft.com", True),
        ("ada", False),
        ("ada@contoso", False),
        ("ada@@contoso.com", False),
        ("ada lovelace@contoso.com", False),
        ("@contoso.com", False),
        ("ada@contoso..com", False),
        (ADA.replace("-", ""), False),
        ("", False),
        (f"{'a' * MAX_NAME_LENGTH}@contoso.com", False),
    ],
)
def test_what_names_a_subject(text: str, is_named: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """An id with its hyphens, or a name with one at sign and a domain; else it is said what is."""
    mistakes = find_mistakes(SubjectName, text)
    assert [each.detail for each in mistakes] == ([] if is_named else [ADVICE])
    assert is_named == (subject_id(text) is not None or is_principal_name(text))
