import json
from datetime import UTC, datetime

import pytest

from local.host.errors import BindingError
from local.host.timers import check_schedule, next_run, timer_info

NOW = datetime(2026, 11, 22, 17, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "following"),
    [
        ("0 0 2 * * *", "2026-11-23T02:00:00+00:00"),
        ("* * * * * *", "2026-11-22T17:00:31+00:00"),
        ("0 */5 * * * *", "2026-11-22T17:05:00+00:00"),
        ("*/10 * * * * *", "2026-11-22T17:00:40+00:00"),
        ("*/5 * * * *", "2026-11-22T17:05:00+00:00"),
        ("0 0 0 1 * MON", "2027-02-01T00:00:00+00:00"),
    ],
)
def test_a_schedule_is_ncrontab(schedule: str, following: str) -> None:
    """Seconds come first; day of month and day of week must both match, unlike cron's."""
    assert next_run(schedule, NOW).isoformat() == following


@pytest.mark.parametrize("schedule", ["", "nightly", "0 0 25 * * *", "* * * *", "0 0 2 * * * *"])
def test_a_wrong_schedule_is_named(schedule: str) -> None:
    """The error names the function and the schedule."""
    with pytest.raises(BindingError, match="nightly:"):
        check_schedule("nightly", schedule)


def test_the_first_run_has_no_last() -> None:
    """The JSON has the real host's names, and its date for never."""
    never = datetime.min.replace(tzinfo=UTC)
    info = json.loads(timer_info(never, next_run("0 0 2 * * *", NOW), NOW))
    assert info["ScheduleStatus"]["Last"] == "0001-01-01T00:00:00+00:00"
    assert info["ScheduleStatus"]["Next"] == "2026-11-23T02:00:00+00:00"
    assert info["IsPastDue"] is False


def test_a_run_by_hand_may_say_that_it_is_late() -> None:
    """So an app can be tried with a run that was missed; other input changes nothing."""
    assert json.loads(timer_info(NOW, NOW, NOW, '{"IsPastDue": true}'))["IsPastDue"] is True
    assert json.loads(timer_info(NOW, NOW, NOW, "now"))["IsPastDue"] is False
