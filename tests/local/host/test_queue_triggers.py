"""Queue functions on a running host, against Azurite."""

import base64
from itertools import pairwise

import httpx
import pytest

from tests.local.host.conftest import Sample, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.host]


def test_a_message_is_run_and_deleted(running: Sample) -> None:
    """The function sees its count and its times; nothing stays in the queue."""
    running.order(greeting="grüß Gott")
    (started,) = running.wait_for_events("started", 1)
    assert started["order"] == {"greeting": "grüß Gott"}
    assert started["count"] == 1
    assert started["inserted"] < started["visible"] < started["expires"]
    assert wait_for(lambda: running.length(running.work) == 0)
    assert f"message {started['id']}, dequeue count 1, in {running.work}" in running.host.output()


def test_a_failing_message_is_poison_after_its_tries(running: Sample) -> None:
    """Each try waits for the visibility timeout; the poison trigger gets the same body."""
    running.order(fail=True)
    (poison,) = running.wait_for_events("poison", 1)
    started = running.events("started")
    assert [each["count"] for each in started] == [1, 2, 3]
    assert all(b["at"] - a["at"] >= 1 for a, b in pairwise(started))
    assert poison["text"] == '{"fail": true}'
    assert wait_for(lambda: running.length(running.work) == 0)


def test_a_message_that_is_no_base64_is_poison_at_once(sample: Sample) -> None:
    """The function never runs; the raw text is in the poison queue, encoded."""
    host = sample.start(**{"AzureWebJobs.work_poison.Disabled": "true"})
    sample.send("fail again")
    poison = sample.queue(f"{sample.work}-poison")
    wait_for(lambda: "is not base64" in host.output())
    assert wait_for(lambda: sample.length(sample.work) == 0)
    (message,) = poison.peek_messages()
    assert base64.b64decode(message.content) == b"fail again"
    assert sample.events("started") == []


def test_a_poison_message_that_fails_stays_hidden(sample: Sample) -> None:
    """It has no poison queue: it comes back when its hide ends, and is not released before."""
    sample.start(LOCAL_HOST_INVISIBILITY_SECONDS="2")
    sample.send("fail again")
    first, second = sample.wait_for_events("poison", 2)
    assert second["at"] - first["at"] >= 1.5
    assert second["count"] == 2


def test_outputs_are_sent_with_the_hosts_encoding(running: Sample) -> None:
    """A list is one message per item, and each is run by the trigger of its queue."""
    answer = httpx.post(f"{running.host.url}/api/send", json=["a", "b"])
    assert answer.status_code == 202
    fanned = running.wait_for_events("fanned", 2)
    assert sorted(each["text"] for each in fanned) == ["a", "b"]
    wait_for(lambda: running.host.output().count("finished copy") == 2)
    texts = [each.content for each in running.queue("copies").receive_messages()]
    assert sorted(base64.b64decode(text) for text in texts) == [b"copy of a", b"copy of b"]


def test_a_host_without_encoding_takes_text_as_it_is(sample: Sample) -> None:
    """With messageEncoding none, what is in the queue is the body."""
    sample.start(AzureFunctionsJobHost__extensions__queues__messageEncoding="none")
    sample.send('{"plain": true}')
    (started,) = sample.wait_for_events("started", 1)
    assert started["order"] == {"plain": True}


def test_messages_run_side_by_side_up_to_the_limit(sample: Sample) -> None:
    """Here batchSize 2 and newBatchThreshold 1: never more than three at once."""
    sample.order(seconds=2)
    for _ in range(5):
        sample.order(seconds=0.4)
    sample.start()
    sample.wait_for_events("ended", 6)
    events = [*sample.events("started"), *sample.events("ended")]
    running = highest = 0
    for event in sorted(events, key=lambda each: each["at"]):
        running += 1 if event["event"] == "started" else -1
        highest = max(highest, running)
    assert highest == 3


def test_a_long_run_keeps_its_message_hidden(sample: Sample) -> None:
    """The hide is renewed at its half, so the message is not run a second time."""
    sample.start(LOCAL_HOST_INVISIBILITY_SECONDS="2")
    sample.order(seconds=3.5)
    sample.wait_for_events("ended", 1)
    assert wait_for(lambda: sample.length(sample.work) == 0)
    assert len(sample.events("started")) == 1


def test_a_message_that_was_taken_away_is_no_failure(running: Sample) -> None:
    """A lost receipt is ignored: another worker has the message by now."""
    running.order(seconds=1)
    running.wait_for_events("started", 1)
    running.queue(running.work).clear_messages()
    running.wait_for_events("ended", 1)
    running.order(next=True)
    running.wait_for_events("ended", 2)
    assert "WARNING" not in running.host.output()


def test_a_run_that_takes_too_long_has_failed(sample: Sample) -> None:
    """Past functionTimeout the message is tried again like any that failed."""
    host = sample.start(AzureFunctionsJobHost__functionTimeout="00:00:01")
    sample.order(seconds=1.5)
    sample.wait_for_events("started", 2)
    assert "functionTimeout" in host.output()


def test_a_queue_function_can_be_run_by_hand(running: Sample) -> None:
    """The text given is the message; no queue is involved."""
    running.host.run_by_hand("work", '{"by": "hand"}')
    (started,) = running.wait_for_events("started", 1)
    assert (started["order"], started["count"]) == ({"by": "hand"}, 1)
