"""Items of lists that cannot be understood, and lists that are long or never end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from entra_sod.adapters.graph import page_trail, wire
from entra_sod.adapters.graph.page_trail import PageTrail
from entra_sod.core.errors import TooManyPages, Unavailable, Unreadable

TARGET = {"id": "S", "objectId": None}


def page_of(*items: object) -> bytes:
    return json.dumps({"value": items}).encode()


def assignment(end: str | None = None, **more: Any) -> dict[str, Any]:
    schedule = {"startDateTime": None, "expiration": {"endDateTime": end}}
    return {"id": "A", "target": TARGET, "schedule": schedule, **more}


@pytest.mark.parametrize(
    "item", [None, 7, {}, {"id": 7}, {"id": "B"}, assignment(id="B", target=None)]
)
def test_an_item_that_is_not_understood_costs_itself(item: object) -> None:
    """The others of its page are read, and it is named by its id or its place."""
    page = wire.decode(wire.assignments_page, page_of(assignment(), item, assignment(id="C")))
    assert [each.id for each in page.items] == ["a", "c"]
    [(name, why)] = page.unreadable
    known = isinstance(item, dict) and item.get("id") == "B"
    assert name == ("B" if known else "number 2 of a page")
    assert why


def test_of_a_page_of_such_items_the_first_are_named() -> None:
    """An operator cannot use a list of a thousand gaps of one page."""
    page = wire.decode(wire.assignments_page, page_of(*[None] * 999))
    assert len(page.unreadable) == wire.MAX_UNREADABLE_NAMED + 1
    assert page.unreadable[-1][0] == "and 979 more of the page"


@pytest.mark.parametrize(
    ("end", "year", "gaps"),
    [
        (None, None, 0),
        ("0001-01-01T00:00:00Z", None, 0),
        ("9999-12-31T23:59:59.9999999Z", None, 0),
        ("2026-12-31T23:59:59Z", 2026, 0),
        ("2026-02-30T00:00:00Z", None, 1),
        ("next year", None, 1),
    ],
)
def test_a13_an_end_is_an_end_only_where_it_can_be_one(
    end: str | None, year: int | None, gaps: int
) -> None:
    """Of a date that is not understood the assignment stays, and is a gap."""
    page = wire.decode(wire.assignments_page, page_of(assignment(end)))
    [item] = page.items
    assert (item.end.year if item.end else None) == year
    assert len(page.unreadable) == gaps


def test_an_answer_of_another_shape_is_told_from_one_that_was_cut_off() -> None:
    """The second may be whole the next time."""
    whole = page_of(assignment())
    with pytest.raises(Unreadable):
        wire.decode(wire.assignments_page, b'{"value": null}')
    with pytest.raises(Unavailable):
        wire.decode(wire.assignments_page, whole[:-5])


def test_a_long_list_is_read_and_one_longer_than_any_tenant_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pages with news may be many; there is a bound to them all the same."""
    monkeypatch.setattr(page_trail, "MAX_PAGES", 200)
    trail = PageTrail("a list", set())
    for number in range(200):
        trail.add(wire.decode(wire.ids_page, page_of({"id": str(number)})))
    with pytest.raises(TooManyPages):
        trail.add(wire.decode(wire.ids_page, page_of({"id": "more"})))


def test_empty_pages_do_not_end_a_list_too_soon() -> None:
    """Graph may answer several of them between others."""
    trail, empty = PageTrail("a list", set()), wire.decode(wire.ids_page, page_of())
    for number in range(10):
        trail.add(wire.decode(wire.ids_page, page_of({"id": str(number)})))
        for _ in range(page_trail.MAX_PAGES_WITHOUT_NEWS - 1):
            trail.add(empty)
    assert trail.add(empty) == []  # as many as may be
    with pytest.raises(TooManyPages):
        trail.add(empty)
