from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.core.validation import as_pointer
from entra_sod.domain.webhooks.json_pointer import find, parse_pointer

STEPS = st.lists(st.text(max_size=6) | st.integers(0, 5), min_size=1, max_size=5)
DOCUMENTED = json.loads(
    r"""{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5,
         "k\"l": 6, " ": 7, "m~n": 8}"""
)


def buried(steps: list[str | int], value: object) -> object:
    """A document with a value at a place, and a neighbour at each step."""
    for step in reversed(steps):
        if isinstance(step, int):
            value = [*["neighbour"] * step, value, "neighbour"]
        else:
            value = {f"{step}neighbour": "neighbour", step: value}
    return value


@given(STEPS, st.text() | st.integers() | st.none())
def test_a_pointer_finds_what_was_put_there(steps: list[str | int], value: object) -> None:
    """Whatever the names are made of, slashes and tildes among them."""
    assert find(buried(steps, value), parse_pointer(as_pointer(tuple(steps)))) == value


@given(
    STEPS,
    st.recursive(
        st.none() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)
    ),
)
def test_a_place_that_is_not_there_holds_nothing(steps: list[str | int], document: object) -> None:
    """No document is without a place for a pointer, and none makes one fail."""
    beyond = (*map(str, steps), "no such name")
    assert find(document, beyond) is None


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
        ("/foo/2", None),
        ("/foo/-", None),
        ("/foo/01", None),
        ("/foo/-1", None),
        ("/foo/0/x", None),
        ("/foo/\u0661", None),
        ("/nothing/there", None),
    ],
)
def test_the_examples_of_the_standard(pointer: str, value: object) -> None:
    """RFC 6901's own document; an index that is none, or is past the end, finds nothing."""
    assert find(DOCUMENTED, parse_pointer(pointer)) == value


def test_a_tilde_that_was_escaped_stays_one() -> None:
    """`~01` stands for `~1`, and not for a slash."""
    assert parse_pointer("/a~01/~10") == ("a~1", "/0")


@pytest.mark.parametrize("text", ["", "foo", "foo/bar", "#/foo", "/a~", "/a~2", "$.foo", " /foo"])
def test_what_is_no_pointer_is_refused(text: str) -> None:
    """So is the empty one, which would be the whole body."""
    with pytest.raises(ValueError):  # noqa: PT011 - the caller has the words
        parse_pointer(text)
