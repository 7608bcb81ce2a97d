"""Microsoft's worker code, driven in this process: index an app once, then invoke its functions.

The runtime keeps the app in module globals, so a process holds one app. Its entry points are
internal; requirements-dev.txt pins the version they were read from.
"""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import azure_functions_runtime as runtime

from local.host.errors import IndexingError
from local.host.protos import Message, ParameterBinding, Protos, Status, TypedData

# The real host sets this for the worker, so that waiting functions do not queue up for threads.
_THREADS = ("PYTHON_THREADPOOL_THREAD_COUNT", "1000")


@dataclass(frozen=True, kw_only=True)
class RawFunction:
    """A function as the worker's indexing describes it, its bindings still JSON."""

    name: str
    function_id: str
    raw_bindings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One invocation, as the worker wants it."""

    function_id: str
    invocation_id: str
    trace_parent: str
    inputs: Mapping[str, TypedData]
    metadata: Mapping[str, TypedData] = field(default_factory=dict)
    trace_state: str = ""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a function gave back; `error` is None when it succeeded."""

    error: str | None = None
    stack: str = ""
    returned: TypedData | None = None
    outputs: Mapping[str, TypedData] = field(default_factory=dict)


class Worker:
    """The worker of one app."""

    def __init__(self, app: Path) -> None:
        self._app = app
        self._protos = Protos()

    async def index(self) -> Sequence[RawFunction]:
        """Loads the app as the deployed worker does; raises IndexingError in the worker's words."""
        self._prepare_process()
        request = Message(capabilities={}, function_app_directory=str(self._app))
        answer = await runtime.worker_init_request(self._envelope(worker_init_request=request))
        if answer.result.status != Status.Success:
            raise IndexingError(_words(answer.result.exception))
        answer = await runtime.functions_metadata_request(self._envelope())
        functions = [_raw(each) for each in answer.function_metadata_results or []]
        for function in functions:
            await self._load(function)
        return functions

    async def invoke(self, call: Call) -> Reply:
        request = Message(
            invocation_id=call.invocation_id,
            function_id=call.function_id,
            input_data=[ParameterBinding(name=n, data=d) for n, d in call.inputs.items()],
            trigger_metadata=call.metadata,
            trace_context=Message(
                trace_parent=call.trace_parent, trace_state=call.trace_state, attributes={}
            ),
            retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
        )
        answer = await runtime.invocation_request(self._envelope(invocation_request=request))
        return _reply(answer)

    async def _load(self, function: RawFunction) -> None:
        request = Message(function_id=function.function_id)
        answer = await runtime.function_load_request(self._envelope(function_load_request=request))
        if answer.result.status != Status.Success:
            raise IndexingError(f"{function.name}: {_words(answer.result.exception)}")

    def _prepare_process(self) -> None:
        """What the real host does to the worker's process before it loads the app."""
        if not self._app.is_dir():
            raise IndexingError(f"{self._app} is no folder")
        sys.path.insert(0, str(self._app))
        os.chdir(self._app)
        os.environ.setdefault(*_THREADS)
        # The worker announces every invocation at INFO; the host's own log lines say more.
        logging.getLogger("azure.functions").setLevel(logging.WARNING)
        runtime.start_threadpool_executor()

    def _envelope(self, **request: Message) -> Message:
        properties = {"host": "127.0.0.1", "protos": self._protos}
        return Message(request=Message(**request), properties=properties)


def _raw(metadata: Message) -> RawFunction:
    return RawFunction(
        name=metadata.name,
        function_id=metadata.function_id,
        raw_bindings=tuple(metadata.raw_bindings),
    )


def _reply(answer: Message) -> Reply:
    if answer.result.status != Status.Success:
        exception = answer.result.exception
        return Reply(error=exception.message, stack=exception.stack_trace)
    outputs = {each.name: each.data for each in answer.output_data if each.data is not None}
    return Reply(returned=answer.return_value, outputs=outputs)


def _words(exception: Message) -> str:
    return f"{exception.message}\n{exception.stack_trace}".rstrip()
