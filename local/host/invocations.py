"""One invocation after another: worker call, time limit, outputs, log lines."""

import asyncio
import logging
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from azure.core.exceptions import AzureError

from local.host.bindings import Function, QueueOutput
from local.host.encoding import bodies
from local.host.log import HOST, current_invocation
from local.host.protos import TypedData
from local.host.worker import Call, Reply, Worker

log = logging.getLogger(HOST)

type Send = Callable[[str, QueueOutput, bytes], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What a trigger hands to a function, and why."""

    reason: str
    data: TypedData
    metadata: Mapping[str, TypedData] = field(default_factory=dict)
    trace_parent: str = ""
    trace_state: str = ""


class Invocations:
    """Runs functions, and knows how many are running."""

    def __init__(self, worker: Worker, *, send: Send, timeout: timedelta) -> None:
        self._worker = worker
        self._send = send
        self._timeout = timeout
        self._running: set[str] = set()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def run(self, function: Function, invocation: Invocation) -> Reply:
        """Invokes the function and sends its outputs; a failure is in the reply."""
        invocation_id = str(uuid.uuid4())
        self._running.add(invocation_id)
        self._is_idle.clear()
        current_invocation.set(invocation_id)
        started = time.monotonic()
        _log_start(function, invocation_id, invocation)
        try:
            reply = await self._invoke(function, invocation_id, invocation)
        finally:
            self._running.discard(invocation_id)
            if not self._running:
                self._is_idle.set()
        _log_end(function, invocation_id, reply, (time.monotonic() - started) * 1000)
        return reply

    async def idle(self) -> None:
        """Waits until nothing is running."""
        await self._is_idle.wait()

    async def _invoke(self, function: Function, invocation_id: str, given: Invocation) -> Reply:
        call = Call(
            function_id=function.function_id,
            invocation_id=invocation_id,
            trace_parent=child_of(given.trace_parent),
            trace_state=given.trace_state,
            inputs={function.trigger.name: given.data},
            metadata=given.metadata,
        )
        try:
            reply = await asyncio.wait_for(self._worker.invoke(call), self._timeout.total_seconds())
        except TimeoutError:
            # The real host restarts the worker here; a thread of this process cannot be stopped.
            return Reply(error=f"functionTimeout: ran longer than {self._timeout}")
        return reply if reply.error else await self._send_outputs(function, reply)

    async def _send_outputs(self, function: Function, reply: Reply) -> Reply:
        values = {**reply.outputs, "$return": reply.returned}
        try:
            for output in function.outputs:
                data = values.get(output.name)
                for body in bodies(data) if data is not None else []:
                    await self._send(function.name, output, body)
        except AzureError as error:
            return replace(reply, error=f"an output could not be sent: {error}")
        return reply


def child_of(trace_parent: str) -> str:
    """A traceparent of the same trace with a span of its own, or of a new trace."""
    parts = trace_parent.split("-")
    is_valid = len(parts) == 4 and [len(part) for part in parts] == [2, 32, 16, 2]  # noqa: PLR2004
    trace, flags = (parts[1], parts[3]) if is_valid else (secrets.token_hex(16), "00")
    return f"00-{trace}-{secrets.token_hex(8)}-{flags}"


def _log_start(function: Function, invocation_id: str, given: Invocation) -> None:
    log.info("started %s %s: %s", function.name, invocation_id, given.reason)


def _log_end(function: Function, invocation_id: str, reply: Reply, milliseconds: float) -> None:
    if reply.error is None:
        log.info("finished %s %s: succeeded, %.0f ms", function.name, invocation_id, milliseconds)
        return
    log.error(
        "finished %s %s: failed, %.0f ms: %s\n%s",
        *(function.name, invocation_id, milliseconds, reply.error, reply.stack.rstrip()),
    )
