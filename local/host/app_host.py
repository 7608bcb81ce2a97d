"""The host of one app: everything wired together, started and stopped."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from local.host import host_json, indexing, settings
from local.host.admin import Admin
from local.host.bindings import Function, QueueOutput, QueueTrigger, TimerTrigger
from local.host.errors import HostError, SettingError
from local.host.host_json import HostJson
from local.host.http import HttpTriggers
from local.host.invocations import Invocations
from local.host.keys import ANYONE, CALLER_KEYS, Keys
from local.host.log import HOST
from local.host.queue_storage import QueueStorage
from local.host.queues import Listener, Source
from local.host.routes import Routes
from local.host.timers import Timer
from local.host.worker import Worker

log = logging.getLogger(HOST)

INVISIBILITY = "LOCAL_HOST_INVISIBILITY_SECONDS"
DRAIN = "LOCAL_HOST_DRAIN_SECONDS"

# As long as the real host hides a message that it works on.
_HIDE_SECONDS = 600
# How long a stop waits for what is running.
_DRAIN_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the host is started."""

    app: Path
    port: int
    environment: Mapping[str, str]
    with_auth: bool = False


async def serve(options: Options) -> bool:
    """Runs the app until SIGTERM or ctrl-C; true when nothing was left running."""
    listening = listen_on(options.port)
    worker = Worker(options.app)
    configuration = host_json.read(options.app, options.environment)
    resolved = settings.resolve(await indexing.index(worker), options.environment)
    for warning in resolved.warnings:
        log.warning("%s", warning)
    async with QueueStorage(configuration.extensions.queues.message_encoding) as storage:
        host = Host(resolved.functions, configuration, options, worker, storage)
        return await host.run(listening)


class Host:
    """The triggers of an app, and the invocations that they share."""

    def __init__(
        self,
        functions: tuple[Function, ...],
        configuration: HostJson,
        options: Options,
        worker: Worker,
        storage: QueueStorage,
    ) -> None:
        self._functions = functions
        self._configuration = configuration
        self._options = options
        self._drain_seconds = whole_seconds(options.environment, DRAIN, _DRAIN_SECONDS)
        self._hide = timedelta(
            seconds=whole_seconds(options.environment, INVISIBILITY, _HIDE_SECONDS)
        )
        self._storage = storage
        self._invocations = Invocations(
            worker, send=self._send, timeout=configuration.function_timeout
        )
        self._listeners = [
            self._listener(each, each.trigger)
            for each in functions
            if isinstance(each.trigger, QueueTrigger)
        ]
        self._timers = {
            each.name: Timer(each, self._invocations, _now)
            for each in functions
            if isinstance(each.trigger, TimerTrigger)
        }
        self._check_outputs()

    async def run(self, listening: socket.socket) -> bool:
        for listener in self._listeners:
            await listener.prepare()
        server = _Server(self._web())
        stopping = stop_signal()
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        async with self._triggers() as triggers:
            log.info("running %d functions on port %d", len(self._functions), self._options.port)
            # No trigger ends by itself: one that does has failed, and is not missed.
            ends = [serving, stopping, *triggers]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            log.info("stopping")
        server.should_exit = True
        return await self._drain(serving)

    @contextlib.asynccontextmanager
    async def _triggers(self) -> AsyncIterator[list[asyncio.Task[None]]]:
        """Listeners and timers run inside; what they have started goes on after it."""
        timers = [asyncio.create_task(each.keep_time()) for each in self._timers.values()]
        listeners = [asyncio.create_task(each.listen()) for each in self._listeners]
        try:
            yield [*listeners, *timers]
        finally:
            for listener in self._listeners:
                listener.stop()
            for timer in timers:
                timer.cancel()
            ends = await asyncio.gather(*listeners, *timers, return_exceptions=True)
            _raise_first(ends)

    async def _drain(self, serving: asyncio.Task[None]) -> bool:
        """Waits for what is running; false when some of it is running still."""
        settling = [asyncio.create_task(each.settle()) for each in self._listeners]
        idle = asyncio.create_task(self._invocations.idle())
        _, pending = await asyncio.wait([serving, idle, *settling], timeout=self._drain_seconds)
        return not pending

    def _web(self) -> uvicorn.Config:
        routes = Routes(self._functions, self._configuration.extensions.http.route_prefix)
        admin = Admin(
            {each.name: each for each in self._functions},
            {each.function.name: each.path for each in routes},
            self._timers,
            self._invocations,
        )
        return uvicorn.Config(
            HttpTriggers(routes, self._invocations, admin, self._keys()),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            # Longer than the pauses of a client, whose pooled connections stay usable then.
            timeout_keep_alive=120,
            timeout_graceful_shutdown=self._drain_seconds,
        )

    def _keys(self) -> Keys | None:
        # An app that asks its callers for keys itself gets them from its settings, as in Azure.
        if not self._options.with_auth:
            os.environ.setdefault(CALLER_KEYS, ANYONE)
            return None
        keys = Keys.of(self._options.environment)
        os.environ.setdefault(CALLER_KEYS, keys.setting())
        print(f"function key: {keys.function}\nmaster key: {keys.master}", flush=True)
        return keys

    def _listener(self, function: Function, trigger: QueueTrigger) -> Listener:
        source = Source(
            connection_string=self._connection_string(function.name, trigger.connection),
            options=self._configuration.extensions.queues,
            hide=self._hide,
        )
        return Listener(function, source, self._storage, self._invocations)

    def _connection_string(self, function: str, connection: str) -> str:
        return settings.connection_string(connection, self._options.environment, function)

    def _check_outputs(self) -> None:
        """A missing connection is found before the first message is lost."""
        for function in self._functions:
            for output in function.outputs:
                self._connection_string(function.name, output.connection)

    async def _send(self, function: str, output: QueueOutput, body: bytes) -> None:
        account = self._connection_string(function, output.connection)
        await self._storage.send(account, output.queue_name, body)
        for listener in self._listeners:
            if listener.queue == output.queue_name:
                listener.notify()


class _Server(uvicorn.Server):
    """uvicorn, with the signals left to the host: triggers stop before requests do."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen_on(port: int) -> socket.socket:
    """A socket on loopback; raises HostError when the port is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise HostError(f"port {port} cannot be used: {error.strerror}") from error
    return listening


def whole_seconds(environment: Mapping[str, str], name: str, default: int) -> int:
    """A setting that a test sets when it cannot wait as long as the real host does."""
    text = environment.get(name, str(default))
    if not text.isdecimal() or int(text) == 0:
        raise SettingError(f"{name} is {text!r}: it takes whole seconds, at least 1")
    return int(text)


def stop_signal() -> asyncio.Task[bool]:
    """Done at the first SIGTERM or ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(each, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(each, lambda *_: loop.call_soon_threadsafe(stop.set))
    return asyncio.create_task(stop.wait())


def _raise_first(ends: list[BaseException | None]) -> None:
    for end in ends:
        if end is not None and not isinstance(end, asyncio.CancelledError):
            raise end


def _now() -> datetime:
    return datetime.now(UTC)
