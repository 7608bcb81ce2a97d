"""Settings that bindings name: `%NAME%` in a value, and the names of connections."""

import re
from collections.abc import Callable, Mapping

import msgspec

from local.host.bindings import (
    Function,
    HttpTrigger,
    QueueOutput,
    QueueTrigger,
    TimerTrigger,
    Trigger,
)
from local.host.errors import SettingError

type Environment = Mapping[str, str]

_NAME = re.compile(r"%([^%\s]+)%")

# A person who starts the host by hand has rarely set these; the deployment always does.
STAND_INS = {"SWEEP_SCHEDULE": "0 0 2 * * *"}


class Resolved(msgspec.Struct, frozen=True):
    """Functions with every setting filled in, and what a person should know about it."""

    functions: tuple[Function, ...]
    warnings: tuple[str, ...]


def resolve(functions: tuple[Function, ...], environment: Environment) -> Resolved:
    """Fills in `%NAME%` everywhere; raises SettingError naming function and setting."""
    warnings: list[str] = []
    enabled = [each for each in functions if not is_disabled(each.name, environment)]
    resolved = tuple(_resolve_function(each, environment, warnings) for each in enabled)
    return Resolved(resolved, tuple(warnings))


def is_disabled(function: str, environment: Environment) -> bool:
    return environment.get(f"AzureWebJobs.{function}.Disabled", "").lower() in {"1", "true"}


def connection_string(connection: str, environment: Environment, function: str) -> str:
    """The storage that a binding's `connection` names, looked up as the real host does."""
    for name in (f"AzureWebJobs{connection}", connection):
        if environment.get(name):
            return environment[name]
    raise SettingError(
        f"{function}: setting {connection} is missing: it names the storage of the app's queues. "
        "The local host takes a connection string; `python -m local.storage` prints one."
    )


def _resolve_function(
    function: Function, environment: Environment, warnings: list[str]
) -> Function:
    def fill(text: str) -> str:
        return _NAME.sub(lambda found: _value(found[1], function.name, environment, warnings), text)

    outputs = tuple(_fill_queue(each, fill) for each in function.outputs)
    return msgspec.structs.replace(
        function, trigger=_fill_trigger(function.trigger, fill), outputs=outputs
    )


def _value(name: str, function: str, environment: Environment, warnings: list[str]) -> str:
    if name in environment:
        return environment[name]
    if name not in STAND_INS:
        raise SettingError(f"{function}: %{name}% is in a binding, but no setting has that name")
    warnings.append(
        f"setting {name} is missing: the real host would refuse {function}; "
        f"here it runs with {STAND_INS[name]!r}"
    )
    return STAND_INS[name]


def _fill_trigger(trigger: Trigger, fill: Callable[[str], str]) -> Trigger:
    match trigger:
        case QueueTrigger():
            return msgspec.structs.replace(trigger, queue_name=fill(trigger.queue_name))
        case TimerTrigger():
            return msgspec.structs.replace(trigger, schedule=fill(trigger.schedule))
        case HttpTrigger():
            route = fill(trigger.route) if trigger.route else None
            return msgspec.structs.replace(trigger, route=route)


def _fill_queue(output: QueueOutput, fill: Callable[[str], str]) -> QueueOutput:
    return msgspec.structs.replace(output, queue_name=fill(output.queue_name))
