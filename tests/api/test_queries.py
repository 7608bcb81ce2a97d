"""The queries of lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.api.queries import (
    DEFAULT_LIMIT,
    MAX_CURSOR_LENGTH,
    PAGE_PARAMETERS,
    PageQuery,
    QueryReader,
    decode_position,
    encode_position,
    next_link,
)
from entra_sod.core.errors import InvalidRequest


def read(**given_: str) -> PageQuery:
    reader = QueryReader(given_, PAGE_PARAMETERS)
    query = reader.page(2)
    reader.finish()
    return query


def test_without_parameters_it_is_the_first_page() -> None:
    assert read() == PageQuery(limit=DEFAULT_LIMIT, after=())


@given(st.lists(st.text(), max_size=4).map(tuple))
def test_a_position_is_read_as_it_was_written(position: tuple[str, ...]) -> None:
    """Names in every script, in an address that needs no escapes."""
    text = encode_position(position)
    assert decode_position(text) == (position if len(text) <= MAX_CURSOR_LENGTH else None)


@given(st.text(max_size=200))
def test_no_cursor_is_an_error(text: str) -> None:
    """Whatever is sent: a position of two parts, or a refusal that names the parameter."""
    reader = QueryReader({"cursor": text}, PAGE_PARAMETERS)
    query = reader.page(2)
    said = [each.detail for each in reader.errors]
    assert said in ([], ["cursor must be as nextLink has it"])
    assert len(query.after) in ((0, 2) if not said else (0,))


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1.5", "ten", "", "99999", "١"])  # noqa: RUF001
def test_a_limit_is_from_one_to_a_thousand(limit: str) -> None:
    with pytest.raises(InvalidRequest, match="limit must be a whole number from 1 to 1000"):
        read(limit=limit)


def test_a_parameter_that_is_not_known_is_named() -> None:
    with pytest.raises(InvalidRequest, match="pageSize is not known here; there are limit, cursor"):
        read(pageSize="3")


def test_the_next_page_has_the_same_filters() -> None:
    """And its own place in place of the last one."""
    link = next_link("https://x/api/rules", {"rule": "a b", "cursor": "old"}, ("z",))
    assert link == f"https://x/api/rules?rule=a+b&cursor={encode_position(('z',))}"
    assert next_link("https://x/api/rules", {}, None) is None
