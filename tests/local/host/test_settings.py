import pytest

from local.host.bindings import QueueTrigger, TimerTrigger
from local.host.errors import SettingError
from local.host.settings import connection_string, resolve
from tests.local.host.functions import queue, timer


def test_settings_in_bindings_are_filled_in() -> None:
    """%NAME% anywhere in a value becomes the setting's value."""
    trigger = resolve((queue("work", "%Q%-poison"),), {"Q": "work"}).functions[0].trigger
    assert isinstance(trigger, QueueTrigger)
    assert trigger.queue_name == "work-poison"


def test_a_missing_setting_names_function_and_setting() -> None:
    """The real host would refuse the function; here it is an error that says both names."""
    with pytest.raises(SettingError, match=r"work: %Q%"):
        resolve((queue("work", "%Q%"),), {})


def test_a_missing_sweep_schedule_is_only_a_warning() -> None:
    """A person can start the host without it, and is told what Azure would do."""
    resolved = resolve((timer("start_sweep", "%SWEEP_SCHEDULE%"),), {})
    trigger = resolved.functions[0].trigger
    assert isinstance(trigger, TimerTrigger)
    assert trigger.schedule == "0 0 2 * * *"
    assert "the real host would refuse start_sweep" in resolved.warnings[0]


def test_a_disabled_function_is_left_out() -> None:
    """AzureWebJobs.NAME.Disabled switches a function off, and its settings do not matter."""
    resolved = resolve((queue("work", "%Q%"),), {"AzureWebJobs.work.Disabled": "1"})
    assert resolved.functions == ()


def test_a_connection_is_looked_up_as_the_real_host_does() -> None:
    """The name with the prefix AzureWebJobs comes first, the name itself after it."""
    both = {"AzureWebJobsOrders": "prefixed", "Orders": "plain"}
    assert connection_string("Orders", both, "work") == "prefixed"
    assert connection_string("Orders", {"Orders": "plain"}, "work") == "plain"


def test_a_missing_connection_names_function_and_setting() -> None:
    """The message also says how to get one."""
    with pytest.raises(SettingError, match=r"work: setting AzureWebJobsStorage is missing"):
        connection_string("AzureWebJobsStorage", {}, "work")
