"""The bindings of a function: the worker's raw JSON, parsed once into types."""

from collections.abc import Sequence

import msgspec

from local.host.errors import BindingError
from local.host.worker import RawFunction


class Binding(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    """What every binding has: the name of the parameter it is bound to."""

    name: str


class HttpTrigger(Binding, frozen=True, kw_only=True, tag="httpTrigger"):
    route: str | None = None
    methods: tuple[str, ...] = ()
    auth_level: str = "FUNCTION"


class QueueTrigger(Binding, frozen=True, kw_only=True, tag="queueTrigger"):
    queue_name: str
    connection: str = "AzureWebJobsStorage"
    data_type: str = "UNDEFINED"


class TimerTrigger(Binding, frozen=True, kw_only=True, tag="timerTrigger"):
    schedule: str
    run_on_startup: bool = False


class QueueOutput(Binding, frozen=True, kw_only=True, tag="queue"):
    queue_name: str
    connection: str = "AzureWebJobsStorage"


class HttpOutput(Binding, frozen=True, kw_only=True, tag="http"):
    pass


Trigger = HttpTrigger | QueueTrigger | TimerTrigger
AnyBinding = HttpTrigger | QueueTrigger | TimerTrigger | QueueOutput | HttpOutput


_DECODER: msgspec.json.Decoder[AnyBinding] = msgspec.json.Decoder(AnyBinding)


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function of the app, as the host runs it."""

    name: str
    function_id: str
    trigger: Trigger
    outputs: tuple[QueueOutput, ...] = ()


def parse(function: RawFunction) -> Function:
    """A function with its bindings parsed; raises BindingError for a kind this host lacks."""
    bindings = [_parse_binding(function.name, raw) for raw in function.raw_bindings]
    triggers = [each for each in bindings if isinstance(each, Trigger)]
    if len(triggers) != 1:
        raise BindingError(f"{function.name}: a function has one trigger, this has {len(triggers)}")
    return Function(
        name=function.name,
        function_id=function.function_id,
        trigger=triggers[0],
        outputs=tuple(each for each in bindings if isinstance(each, QueueOutput)),
    )


def parse_all(functions: Sequence[RawFunction]) -> tuple[Function, ...]:
    return tuple(parse(each) for each in sorted(functions, key=lambda each: each.name))


def _parse_binding(function: str, raw: str) -> AnyBinding:
    try:
        return _DECODER.decode(raw)
    except msgspec.ValidationError as error:
        raise BindingError(f"{function}: the local host cannot run {raw}: {error}") from error
