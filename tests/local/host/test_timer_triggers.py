"""Timer functions on a running host."""

import pytest

from tests.local.host.conftest import Sample

pytestmark = [pytest.mark.slow, pytest.mark.host]


def test_a_timer_runs_on_its_schedule_and_never_twice_at_once(sample: Sample) -> None:
    """A run of a second and a half makes a timer of every second run every other second."""
    sample.start(**{"AzureWebJobs.tick.Disabled": "false"})
    ticks = sample.wait_for_events("tick", 2)
    tocks = sample.events("tock")
    assert all(tick["past_due"] is False for tick in ticks)
    assert all(tock["at"] < tick["at"] for tock, tick in zip(tocks, ticks[1:], strict=False))
    assert all(tick["at"] % 1 < 0.5 for tick in ticks)


def test_a_timer_can_be_run_by_hand(running: Sample) -> None:
    """It runs once, at once, and may be told that it is late."""
    running.host.run_by_hand("nightly", '{"IsPastDue": true}')
    (run,) = running.wait_for_events("nightly", 1)
    assert run["past_due"] is True


def test_a_missing_sweep_schedule_is_said_and_stood_in_for(sample: Sample) -> None:
    """The host starts, and says that the real one would refuse the function."""
    del sample.settings["SWEEP_SCHEDULE"]
    host = sample.start()
    assert "setting SWEEP_SCHEDULE is missing" in host.output()
    assert "the real host would refuse nightly" in host.output()
