"""The app without a host: in-memory storage and tenant, and queues that are worked by hand."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import azure.functions as func
import msgspec
from azure.functions.decorators.function_app import Function

from entra_sod import bootstrap
from entra_sod.bootstrap.make_engine import Engine, make_engine
from entra_sod.bootstrap.make_records import Records, make_records
from entra_sod.core.clock import Clock
from entra_sod.core.errors import GraphError, Unavailable
from entra_sod.domain.entra import AccessPackage, Assignment, Reference
from entra_sod.domain.messages import POISON_SUFFIX
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.language import ExceptionEntry, Override, Protected, Rule, RulesFile
from entra_sod.domain.webhooks.source import WebhookSources
from entra_sod.ports.graph import AssignmentPage
from entra_sod.services.callers.admission import Admission
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.settings import NotificationSettings, read_settings, read_webhook_sources
from functions.http.checks import get_check, start_check
from functions.http.subscriptions import end_subscription, start_subscription
from functions.queues.process import handle_poison_message, process_message
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.sender import MemorySender
from local.memory.storage import MemoryStorage
from tests.builders import guid


class RulesInMemory:
    """A rules file that a test may change, or break."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.text = ""
        self.write(rules)

    def write(
        self,
        rules: Sequence[Rule],
        exceptions: Sequence[ExceptionEntry] = (),
        protected: Protected = Protected(),  # noqa: B008 - frozen
        overrides: Sequence[Override] = (),
    ) -> None:
        file = RulesFile(
            version=1,
            rules=list(rules),
            exceptions=list(exceptions),
            protected=protected,
            overrides=list(overrides),
        )
        # JSON is YAML, and has no aliases for values that occur twice.
        self.text = msgspec.json.encode(file).decode()

    async def files(self) -> Sequence[SourceFile]:
        return [SourceFile("rules.yaml", self.text)]


class FlakyGraph(MemoryGraph):
    """A tenant whose next answers are errors, as long as there are any in `errors`."""

    def __init__(
        self, packages: Sequence[AccessPackage], assignments: Mapping[str, Sequence[Assignment]]
    ) -> None:
        super().__init__(packages, assignments)
        self.errors: list[Exception] = []
        self.takes_one_write = False  # and then no more: Graph stays away

    async def add(self, reference: Reference) -> None:
        if self.takes_one_write and self.writes:
            raise Unavailable("Graph answers 503", status=503)
        await super().add(reference)

    async def package(self, package_id: str) -> AccessPackage:
        self._raise_next()
        return await super().package(package_id)

    async def packages_by_id(
        self, package_ids: Collection[str]
    ) -> Mapping[str, AccessPackage | GraphError]:
        self._raise_next()
        return await super().packages_by_id(package_ids)

    async def assignments_of(
        self, package_ids: Collection[str]
    ) -> AsyncIterator[tuple[str, AssignmentPage | GraphError]]:
        self._raise_next()
        async for each in super().assignments_of(package_ids):
            yield each

    async def additional_access_of(
        self, pairs: Collection[tuple[str, str]]
    ) -> AsyncIterator[tuple[tuple[str, str], AssignmentPage | GraphError]]:
        self._raise_next()
        async for each in super().additional_access_of(pairs):
            yield each

    def _raise_next(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


def install_parts(
    records: Records | None = None,
    engine: Engine | None = None,
    delivery: NotificationSettings | None = None,
    *,
    admission: Admission | None = None,
    sources: WebhookSources | None = None,
    own_host: str | None = None,
    clock: Clock | None = None,
) -> None:
    """Have the app use these parts from now on; the others are made of the environment."""
    parts = {
        "records": records,
        "engine": engine,
        "delivery": delivery,
        "admission": admission,
        "sources": sources,
        "own_host": own_host,
        "clock": clock,
    }
    given = {name: part for name, part in parts.items() if part is not None}
    bootstrap.app = bootstrap.Assembly(os.environ, **given)


class App:
    """Install it with the fixture `make_app`; then ask it and work its queues."""

    def __init__(
        self,
        packages: Sequence[AccessPackage],
        assignments: Mapping[str, Sequence[Assignment]],
        rules: Sequence[Rule],
        **settings: str,
    ) -> None:
        self.storage, self.clock = MemoryStorage(), ManualClock()
        by_id = {guid(name): held for name, held in assignments.items()}
        self.graph = FlakyGraph(packages, by_id)
        self.rules = RulesInMemory(rules)
        self.sender = MemorySender()
        self.records = make_records(self.storage, self.clock)
        self.configure(**settings)

    def configure(self, **settings: str) -> None:
        """Start again with other settings, as a new deployment does."""
        read = read_settings(
            {"CALLER_KEYS": "anyone", "GRAPH_ROOT": "http://localhost:1", **settings}
        )
        selections = self.records.selections if read.holds_selection_changes else None
        book = RulesProvider(self.rules, self.graph, self.clock, selections)
        self.engine = make_engine(self.records, self.graph, book, read, self.sender)
        self.admission = Admission(read.callers, self.clock)
        install_parts(
            self.records,
            self.engine,
            read.notifications,
            admission=self.admission,
            sources=read_webhook_sources(settings, Path()),
            own_host=settings.get("WEBSITE_HOSTNAME", ""),
            clock=self.clock,
        )

    async def post(
        self,
        body: object,
        *,
        headers: Mapping[str, str] | None = None,
        url: str = "http://localhost:7071/api/checks",
        **params: str,
    ) -> func.HttpResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        all_headers = {"Content-Type": "application/json", **(headers or {})}
        function = start_subscription if url.endswith("/subscriptions") else start_check
        return await call(
            function,
            func.HttpRequest("POST", url, headers=all_headers, params=params, body=data),
        )

    async def get(
        self, check_id: str, *, headers: Mapping[str, str] | None = None
    ) -> func.HttpResponse:
        url = f"http://localhost:7071/api/checks/{check_id}"
        return await call(
            get_check,
            func.HttpRequest(
                "GET", url, headers=headers or {}, route_params={"id": check_id}, body=b""
            ),
        )

    async def check(self, first: str, second: str, **fields: str) -> dict[str, Any]:
        """Ask, work everything off, and fetch the answer."""
        answer = await self.post(pair_body(first, second, **fields))
        await self.work_off()
        return body_of(await self.get(body_of(answer)["id"]))

    async def fail_all(self) -> None:
        """Work everything off while Graph stays away: each check ends as failed."""
        self.graph.errors += [Unavailable("Graph answers 503", status=503)] * 100
        await self.work_off()
        self.graph.errors.clear()

    async def unsubscribe(
        self, subscription_id: str, headers: Mapping[str, str] | None = None
    ) -> int:
        """End a subscription and return the status."""
        url = f"http://localhost:7071/api/subscriptions/{subscription_id}"
        params = {"id": subscription_id}
        request = func.HttpRequest(
            "DELETE", url, headers=headers or {}, route_params=params, body=b""
        )
        status: int = (await call(end_subscription, request)).status_code
        return status

    async def letters(self) -> list[dict[str, str]]:
        """Every message that was kept as poison."""
        names = [name async for name in self.storage.blobs.names("poison")]
        blobs = [await self.storage.blobs.get("poison", name) for name in names]
        return [json.loads(blob or b"") for blob in blobs]

    async def work_off(self, *, most: int = 1000) -> None:
        """Work messages, as the host would, until the queues are empty."""
        for _ in range(most):
            if not self.storage.sent:
                return
            await self.work_one()
        raise AssertionError("the queues never run empty")

    async def work_one(self) -> None:
        message = self.storage.sent.pop(0)
        self.clock.advance(message.delay_seconds)
        if message.queue.endswith(POISON_SUFFIX):
            await handle_poison_message(
                message.queue.removesuffix(POISON_SUFFIX), "m1", wrapped(message.body)
            )
        else:
            await process_message(message.queue, wrapped(message.body))


@cache
def app_functions() -> Sequence[Function]:
    """All functions of the app; the library lists them only once in a process."""
    from function_app import app

    return tuple(app.get_functions())


def wrapped(body: bytes) -> bytes:
    """A message as it lies on the queue."""
    return base64.b64encode(body)


async def call(function: Any, request: func.HttpRequest) -> func.HttpResponse:
    handler = function._function.get_user_function()
    answer: func.HttpResponse = await handler(request)
    return answer


def pair_body(first: str, second: str, **fields: str) -> dict[str, str]:
    return {
        "accessPackageId": guid(first),
        "incompatibleAccessPackageId": guid(second),
        **fields,
    }


def body_of(response: func.HttpResponse) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(response.get_body())
    return body
