"""The steps: how long is waited, and with which settings."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from local.demo import story
from local.demo.expectations import INVOICES
from local.demo.facts import Pair
from local.demo.story import NotDoneError, new_world, poll
from local.demo.tell import counts_in_words
from tests.local.demo.made_up import PLANNED, REFUSED, REVIEWED, SWEPT, WRITTEN


def answers(*statuses: int) -> Callable[[], httpx.Response]:
    left = iter(statuses)
    return lambda: httpx.Response(next(left), text="the answer")


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "POLL_SECONDS", 0)


@pytest.mark.usefixtures("in_a_hurry")
def test_polling_goes_on_while_there_is_something_to_wait_for() -> None:
    """The first answer that is not one to wait on is the one."""
    assert poll(answers(404, 202, 202, 200), "it", waiting=(202, 404)).status_code == 200


@pytest.mark.usefixtures("in_a_hurry")
def test_polling_ends_with_any_other_answer() -> None:
    """What was expected and what was seen is said."""
    with pytest.raises(NotDoneError, match="it: expected 200, seen 500 the answer"):
        poll(answers(202, 500), "it")


def test_polling_does_not_go_on_for_ever() -> None:
    """What takes too long has failed."""
    with pytest.raises(NotDoneError, match=r"it: expected an end in -1 s, seen the answer"):
        poll(answers(202), "it", seconds=-1)


@pytest.mark.parametrize(("hour", "schedule"), [(1, "0 0 13 * * *"), (14, "0 0 2 * * *")])
def test_the_timer_does_not_fire_by_itself(hour: int, schedule: str) -> None:
    """Its time is half a day away, whenever the demo is run."""
    world = new_world(20000, datetime(2026, 11, 2, hour, 59, tzinfo=UTC))
    assert world._settings["SWEEP_SCHEDULE"] == schedule


def test_a_pair_has_no_direction() -> None:
    """It is the same, whichever package is named first."""
    assert Pair.of("Approve invoices", "Pay invoices") == INVOICES
    assert Pair.of("Pay invoices", "Approve invoices") == INVOICES


def test_the_last_line_counts_what_was_seen() -> None:
    """None of its numbers is written down beforehand."""
    refused = [REFUSED, REFUSED]
    assert counts_in_words(PLANNED, WRITTEN, refused, REVIEWED, SWEPT) == (
        "7 conflicts found and 1 more let in, 4+8 references written, 2 requests refused, "
        "6 pairs swept, 1 unknown"
    )
    assert counts_in_words(PLANNED, PLANNED, [], REVIEWED, SWEPT).startswith(
        "7 conflicts found and 0 more let in, 0+8 references written, 0 requests refused"
    )
