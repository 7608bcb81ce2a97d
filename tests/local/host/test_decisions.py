from datetime import timedelta

import pytest

from local.host.decisions import (
    Leave,
    Poison,
    Release,
    Run,
    after_failure,
    give_up,
    next_pause,
    on_arrival,
    wants_batch,
)
from local.host.host_json import Queues, TimeSpan

OPTIONS = Queues(
    batch_size=8,
    new_batch_threshold=4,
    max_dequeue_count=5,
    visibility_timeout=TimeSpan(seconds=60),
)


@pytest.mark.parametrize("dequeue_count", [1, 4, 5])
def test_a_message_with_tries_left_is_run(dequeue_count: int) -> None:
    """The last allowed try is still run."""
    assert on_arrival("checks", dequeue_count, OPTIONS) == Run()


def test_a_message_over_its_tries_is_poison_without_running() -> None:
    """A host that died at the last try must not be killed by the message once more."""
    assert on_arrival("checks", 6, OPTIONS) == Poison("checks-poison")


def test_a_poison_message_over_its_tries_is_left() -> None:
    """A poison queue has no poison queue of its own."""
    assert on_arrival("checks-poison", 6, OPTIONS) == Leave()


@pytest.mark.parametrize("dequeue_count", [1, 4])
def test_a_failed_message_is_released_after_the_visibility_timeout(dequeue_count: int) -> None:
    """A failure before the last try makes the message wait, then visible."""
    assert after_failure("checks", dequeue_count, OPTIONS) == Release(timedelta(seconds=60))


@pytest.mark.parametrize("dequeue_count", [5, 6])
def test_the_last_failure_is_poison(dequeue_count: int) -> None:
    """When the tries are used up the message goes to the poison queue."""
    assert after_failure("checks", dequeue_count, OPTIONS) == Poison("checks-poison")


def test_a_failure_in_a_poison_queue_leaves_the_message_hidden() -> None:
    """It is tried again when its hide ends, not at once: that would be a fast endless loop."""
    assert after_failure("checks-poison", 1, OPTIONS) == Leave()


def test_what_cannot_be_decoded_is_given_up_at_once() -> None:
    """No count matters for a message that no try can read."""
    assert give_up("checks") == Poison("checks-poison")


@pytest.mark.parametrize(("running", "wanted"), [(0, True), (4, True), (5, False), (12, False)])
def test_the_next_batch_is_fetched_down_at_the_threshold(running: int, *, wanted: bool) -> None:
    """So at most batchSize + newBatchThreshold messages run at once."""
    assert wants_batch(running, OPTIONS) is wanted


def test_an_idle_queue_is_asked_less_and_less_often() -> None:
    """The pause starts at 100 ms and doubles up to maxPollingInterval."""
    longest = timedelta(seconds=1)
    pauses: list[timedelta] = []
    for _ in range(6):
        pauses.append(next_pause(pauses[-1] if pauses else None, longest))
    assert [pause.total_seconds() for pause in pauses] == [0.1, 0.2, 0.4, 0.8, 1, 1]
