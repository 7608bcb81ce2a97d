"""Functions as indexing would give them."""

import json
from collections.abc import Mapping

from local.host.bindings import Function, parse
from local.host.worker import RawFunction


def raw(name: str, *bindings: Mapping[str, object]) -> RawFunction:
    texts = tuple(json.dumps(binding) for binding in bindings)
    return RawFunction(name=name, function_id=f"id-{name}", raw_bindings=texts)


def http(name: str, **trigger: object) -> Function:
    return parse(raw(name, {"type": "httpTrigger", "name": "req", **trigger}))


def queue(name: str, queue_name: str, **trigger: object) -> Function:
    binding = {"type": "queueTrigger", "name": "msg", "queueName": queue_name, **trigger}
    return parse(raw(name, binding))


def timer(name: str, schedule: str) -> Function:
    return parse(raw(name, {"type": "timerTrigger", "name": "timer", "schedule": schedule}))
