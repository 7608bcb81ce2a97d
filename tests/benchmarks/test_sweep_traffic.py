"""What a timeline says about a sweep."""

import pytest

from benchmarks.sweep.traffic import Seen, traffic


def evenly(count: int, *, every: float) -> list[Seen]:
    return [(1000.0 + place * every, 200, "alone") for place in range(count)]


def test_a_batch_is_one_round_trip_and_as_many_requests_as_it_holds() -> None:
    """Throttling counts what is inside, HTTP the batch itself."""
    inside: list[Seen] = [(1000.2, 200, "inside")] * 20
    found = traffic([(1000.0, 200, "alone"), (1000.1, 200, "batch"), *inside])
    assert (found.counted, found.round_trips) == (21, 2)


def test_what_is_refused_is_counted_and_not_served() -> None:
    """A 429 uses up the allowance and brings nothing."""
    found = traffic([*evenly(99, every=0.1), (1009.9, 429, "alone")])
    assert (found.counted, found.served) == (100, 99)
    assert found.refused_share == pytest.approx(0.01)
    assert found.share_of(10) == pytest.approx(99 / 99, abs=0.001)


def test_idle_times_lower_the_share() -> None:
    """Half of the time without a request is half of the rate."""
    found = traffic([*evenly(50, every=0.1), (1010.0, 200, "alone")])
    assert found.share_of(10) == pytest.approx(0.51)


def test_the_best_minute_is_found() -> None:
    """A fast minute between two slow ones counts, and only whole minutes."""
    slow, fast = evenly(60, every=1.0), [(1060.0 + each / 10, 200) for each in range(600)]
    late: list[Seen] = [(1120.0 + each, 200, "alone") for each in range(60)]
    found = traffic([*slow, *((time, status, "alone") for time, status in fast), *late])
    assert found.minute_share_of(10) == pytest.approx(1.0, abs=0.01)
    assert found.share_of(10) == pytest.approx(720 / 1790, abs=0.01)


def test_less_than_a_minute_has_no_best_one() -> None:
    """Nothing is said about a minute that did not take place."""
    assert traffic(evenly(100, every=0.1)).minute_share_of(10) is None


def test_no_request_at_all() -> None:
    """A sweep that never started has used nothing."""
    found = traffic([])
    assert (found.counted, found.refused_share, found.share_of(10)) == (0, 0.0, 0.0)
