from datetime import timedelta
from pathlib import Path

import pytest

from local.host import host_json
from local.host.errors import HostError
from local.host.host_json import MessageEncoding, Queues, TimeSpan, parse


def write(folder: Path, text: str) -> Path:
    (folder / "host.json").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:01", 1), ("00:01:00", 60), ("1.02:00:00", 93600), ("00:00:00.250", 0.25)],
)
def test_a_time_span_is_read_as_net_writes_it(text: str, seconds: float) -> None:
    """Durations of host.json are .NET time spans."""
    assert TimeSpan.parse(text) == timedelta(seconds=seconds)


def test_minus_one_is_no_time_limit() -> None:
    """A functionTimeout of -1 lets a function run for ever."""
    assert TimeSpan.parse("-1").days > 365_000


def test_the_defaults_are_those_of_the_real_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host.json that says nothing about queues gets what Azure would give it."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    found = parse({"version": "2.0"})
    queues = found.extensions.queues
    assert (queues.batch_size, queues.threshold, queues.max_dequeue_count) == (16, 16, 5)
    assert queues.visibility_timeout == timedelta(0)
    assert queues.max_polling_interval == timedelta(minutes=1)
    assert queues.message_encoding is MessageEncoding.BASE64
    assert found.extensions.http.route_prefix == "api"


def test_all_queue_options_are_read() -> None:
    """Each option of extensions.queues reaches the listener."""
    options = {
        "batchSize": 8,
        "newBatchThreshold": 4,
        "maxDequeueCount": 3,
        "visibilityTimeout": "00:01:00",
        "maxPollingInterval": "00:00:10",
        "messageEncoding": "None",
    }
    assert parse({"version": "2.0", "extensions": {"queues": options}}).extensions.queues == Queues(
        batch_size=8,
        new_batch_threshold=4,
        max_dequeue_count=3,
        visibility_timeout=TimeSpan(minutes=1),
        max_polling_interval=TimeSpan(seconds=10),
        message_encoding=MessageEncoding.NONE,
    )


def test_a_setting_overrides_host_json(tmp_path: Path) -> None:
    """As in Azure, AzureFunctionsJobHost__… wins over the file, whatever its case."""
    app = write(tmp_path, '{"version": "2.0", "extensions": {"queues": {"batchSize": 8}}}')
    found = host_json.read(app, {"AzureFunctionsJobHost__Extensions__Queues__BatchSize": "1"})
    assert found.extensions.queues.batch_size == 1


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"version": "1.0"}',
        '{"version": "2.0", "functionTimeout": "soon"}',
        '{"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}',
    ],
)
def test_a_wrong_host_json_is_named(tmp_path: Path, text: str) -> None:
    """The error says that it is about host.json."""
    with pytest.raises(HostError, match=r"host\.json"):
        host_json.read(write(tmp_path, text), {})


def test_a_missing_host_json_is_named(tmp_path: Path) -> None:
    """A folder without host.json is no app."""
    with pytest.raises(HostError, match=r"no host\.json"):
        host_json.read(tmp_path, {})
