from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.callers.keys import (
    MAX_KEY_LENGTH,
    MAX_KEYS,
    digest_of,
    find_key,
    parse_caller_keys,
)
from tests.credentials import KEY, OTHER_KEY, keys_setting

DIGEST = digest_of(KEY).hex()


def test_a_key_is_found_by_its_name() -> None:
    """A caller that presents one of the keys is identified by the key's name."""
    keys = parse_caller_keys(keys_setting(jira=KEY, servicenow=OTHER_KEY))
    names = [found.name for key in (KEY, OTHER_KEY) if (found := find_key(keys, key))]
    assert names == ["jira", "servicenow"]


def test_a_key_is_changed_without_a_gap() -> None:
    """One name may have two keys, so that the old one is taken until its caller has the new."""
    keys = parse_caller_keys(f"jira:{DIGEST}, jira:{digest_of(OTHER_KEY).hex()}")
    assert {found.name for key in (KEY, OTHER_KEY) if (found := find_key(keys, key))} == {"jira"}


@pytest.mark.parametrize("presented", ["", KEY[:-1], KEY + " ", KEY.upper(), DIGEST])
def test_what_is_no_key_is_not_found(presented: str) -> None:
    """Nothing, a part of it, another case, and the digest from the settings open nothing."""
    assert find_key(parse_caller_keys(f"jira:{DIGEST}"), presented) is None


def test_a_key_that_is_absurdly_long_is_not_even_hashed() -> None:
    """The length of what is presented is limited, also where its digest would fit."""
    key = "k" * (MAX_KEY_LENGTH + 1)
    assert find_key(parse_caller_keys(keys_setting(jira=key)), key) is None


@given(st.text())
def test_nothing_opens_where_there_are_no_keys(presented: str) -> None:
    """Without keys every key is refused, of whatever characters."""
    assert find_key((), presented) is None


@pytest.mark.parametrize(
    "text",
    [
        "jira",
        f":{DIGEST}",
        f"jira:{DIGEST[:-1]}",
        f"jira:{DIGEST.upper()}",
        f"Jira Cloud:{DIGEST}",
        f"jira:{KEY}",
        f"jira:{DIGEST} other:{DIGEST}",
        f"jira:{digest_of('').hex()}",
        keys_setting(**{f"k{number}": f"{number}" for number in range(MAX_KEYS + 1)}),
    ],
)
def test_a_setting_that_is_none_is_refused(text: str) -> None:
    """No digest, no name, the same key under two names, the digest of nothing, too many."""
    with pytest.raises(ValueError, match=r"key|digest") as caught:
        parse_caller_keys(text)
    assert KEY not in str(caught.value)
