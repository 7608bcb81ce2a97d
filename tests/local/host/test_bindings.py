import pytest

from local.host.bindings import HttpTrigger, QueueOutput, parse
from local.host.errors import BindingError
from tests.local.host.functions import http, raw

OUT = {"type": "queue", "name": "out", "queueName": "fanned", "direction": "OUT"}


def test_trigger_and_outputs_are_told_apart() -> None:
    """A function has one trigger and any number of queue outputs."""
    function = parse(raw("send", OUT, {"type": "httpTrigger", "name": "req", "route": "send"}))
    assert function.trigger == HttpTrigger(name="req", route="send")
    assert function.outputs == (QueueOutput(name="out", queue_name="fanned"),)


def test_an_http_function_wants_a_key_unless_it_says_otherwise() -> None:
    """The level that the real host takes when none is given is function."""
    trigger = http("closed").trigger
    assert isinstance(trigger, HttpTrigger)
    assert trigger.auth_level == "FUNCTION"


def test_a_kind_of_binding_that_is_not_known_is_named() -> None:
    """The error names the function and shows the binding."""
    with pytest.raises(BindingError, match=r"on_blob.*blobTrigger"):
        parse(raw("on_blob", {"type": "blobTrigger", "name": "blob"}))


def test_a_function_without_a_trigger_is_named() -> None:
    """Outputs alone never run."""
    with pytest.raises(BindingError, match="lonely: a function has one trigger, this has 0"):
        parse(raw("lonely", OUT))
