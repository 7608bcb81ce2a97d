"""Generated queue messages, hostile ones among them, and a host that delivers them.

Everything is in memory, and comes from the seed alone.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from entra_sod.core.errors import InvalidMessage
from entra_sod.domain.messages import (
    CHECK_QUEUE,
    DELIVERY_QUEUE,
    MAX_MESSAGE_BYTES,
    POISON_SUFFIX,
    SWEEP_QUEUE,
    decode,
    decode_base64,
)
from entra_sod.domain.notifications.event import EventName
from functions.queues.process import handle_poison_message, process_message
from local.memory.storage import SentMessage
from tests.app import App, pair_body
from tests.builders import guid, held, package, rule, side

MAX_DELIVERIES = 5  # by the queue, before it gives a message up
MAX_STEPS = 200  # more than any message takes that is tried again and given up
QUEUES = (CHECK_QUEUE, SWEEP_QUEUE, DELIVERY_QUEUE)

RAW: Sequence[Callable[[random.Random], bytes]] = (
    lambda chance: chance.randbytes(chance.randrange(3_000)),
    lambda chance: b"[" * chance.choice([900, 24_000, MAX_MESSAGE_BYTES]),
    lambda _: b"[" * 12_000 + b"]" * 12_000,
    lambda chance: b'{"version":1,"id":' * chance.choice([500, 2_600]),
    lambda _: b'{"version":1,"kind":"check","id":"a/b","x":' + b"[" * 20_000,
    lambda _: b"\xef\xbb\xbf{}",
    lambda _: b'{"version":1,"id":"\xff\xfe"}',
    lambda _: b'{"version":1,"version":2,"id":"x"}',
    lambda chance: b'{"version":' + b"9" * chance.choice([20, 400, 40_000]) + b"}",
    lambda _: b'{"version":NaN,"id":"\\ud800"}',
    lambda chance: b"\0" * chance.randrange(100),
    lambda _: b"x" * 65_536,
)
VALUES: Sequence[Any] = (
    *(None, True, -1, 0, 1, 2, 99, 2**31, 2**63 - 1, 2**64, -(2**63), 10**300, 0.5),
    *("", "a/b", "a\\b#?", "\0", "x" * 2_000, "c1\n", "latest", "chain", "../..", "announced"),
    *("\u202e", "apply", "off", "check", "sweep", "9999-99-99", "2026-01-01", [], {}, [[]]),
    *([[guid("a"), guid("a")]], [[guid("a"), guid("b")]], [guid("a")] * 900, guid("a")),
)


class Lost(AssertionError):
    """A message that went round without end, or that its poison function did not keep."""


@dataclass(slots=True)
class MessageFuzzer:
    """Makes messages of those that the app really sent, and delivers them as a host does.

    Attributes:
        samples: queue and body of messages that the app sent.
        kept: how many of the generated ones were kept as poison.
    """

    app: App
    samples: Sequence[tuple[str, bytes]]
    seed: int
    on_poison: bool = False
    kept: int = 0
    _bodies: set[bytes] = field(default_factory=set)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - it is to be repeated

    async def run(self, cases: int) -> None:
        """Deliver so many messages, one after the other.

        Raises:
            Lost: one of them was.
        """
        for number in range(cases):
            queue, text = self._message()
            await self._deliver(f"fuzz-{number}", queue, text)
            new = await self._new_letters()
            self._bodies |= new
            self.kept += bool(new)
            if not (_is_readable(queue, text) or _decoded(text) in self._bodies):
                raise Lost(f"seed {self.seed}: message {number} on {queue}: {text[:200]!r}")

    def _message(self) -> tuple[str, bytes]:
        """A queue, and what lies on it."""
        chance = self._chance
        queue, body = chance.choice(self.samples)
        if chance.random() < 0.2:
            queue, body = chance.choice(QUEUES), chance.choice(RAW)(chance)
        else:
            body = self._mutated(body)
        if chance.random() < 0.1:
            queue = chance.choice(QUEUES)
        if chance.random() < 0.05:
            return queue, body[: 2**16]  # as it is: no base64
        return queue, base64.b64encode(body)

    def _mutated(self, body: bytes) -> bytes:
        chance, message = self._chance, json.loads(body)
        for _ in range(chance.randrange(1, 4)):
            name = chance.choice([*message, "more", "reason", "supersedes", "closes", "attempt"])
            if chance.random() < 0.15:
                message.pop(name, None)
            else:
                message[name] = chance.choice([*VALUES, *self._ids()])
        text = json.dumps(message).encode()
        if chance.random() < 0.1:
            return text[: chance.randrange(len(text))]
        return text

    def _ids(self) -> list[str]:
        """Of work that there is."""
        return [json.loads(body)["id"] for _, body in self.samples]

    async def _new_letters(self) -> set[bytes]:
        """The messages that were kept since this was asked last; their letters are put away."""
        blobs, bodies = self.app.storage.blobs, set[bytes]()
        for name in [name async for name in blobs.names("poison")]:
            letter = json.loads(await blobs.get("poison", name) or b"")
            if not letter["reason"]:
                raise Lost(f"seed {self.seed}: {name} was kept without a reason")
            bodies.add(base64.b64decode(letter["body"]))
            await blobs.delete("poison", name)
        return bodies

    async def _deliver(self, message_id: str, queue: str, text: bytes) -> None:
        """Work off a message and all that comes of it, as the host would."""
        sent = self.app.storage.sent
        await self._offer(message_id, queue + POISON_SUFFIX * self.on_poison, text)
        for step in range(MAX_STEPS):
            if not sent:
                return
            message: SentMessage = sent.pop(0)
            self.app.clock.advance(message.delay_seconds)
            body = base64.b64encode(message.body)
            await self._offer(f"{message_id}-{step}", message.queue, body)
        raise Lost(f"seed {self.seed}: {message_id} on {queue} goes round: {text[:200]!r}")

    async def _offer(self, message_id: str, queue: str, text: bytes) -> None:
        error: Exception | None = None
        for _ in range(MAX_DELIVERIES):
            try:
                if queue.endswith(POISON_SUFFIX):
                    work = queue.removesuffix(POISON_SUFFIX)
                    return await handle_poison_message(work, message_id, text)
                return await process_message(queue, text)
            except Exception as raised:  # noqa: BLE001 - as the host does
                error = raised
        if queue.endswith(POISON_SUFFIX):
            raise Lost(f"seed {self.seed}: {queue} did not keep {text[:200]!r}") from error
        return await self._offer(message_id, queue + POISON_SUFFIX, text)


def _is_readable(queue: str, text: bytes) -> bool:
    try:
        return decode(_decoded(text)).queue == queue  # what lies there bare is taken, too
    except InvalidMessage:
        return False


def _decoded(text: bytes) -> bytes:
    try:
        return decode_base64(text)
    except InvalidMessage:
        return text


async def busy_app(make_app: type[App]) -> tuple[App, str, Sequence[tuple[str, bytes]]]:
    """An app with a check and a sweep under way: with the sweep's id, and what lies on its queues.

    Its messages are lost, so that the generated ones have work to spoil.
    """
    people = {"a": held("a", "vwxy"), "b": held("b", "xyz")}
    rules = [rule("r", side("a"), side("b")), rule("s", side("b"), side("c"))]
    app = make_app([package(name) for name in "abc"], people, rules, ENFORCEMENT="apply")
    await app.records.subscriptions.subscribe(
        url="https://example.com/told", app="https://app", events=[*EventName], holder="anyone"
    )
    app.configure(ENFORCEMENT="apply", CALLBACK_HOSTS="example.com")
    sent, samples = app.storage.sent, list[tuple[str, bytes]]()
    await app.post(pair_body("b", "c", enforcement="plan"))
    await app.work_one()
    samples += [(each.queue, each.body) for each in sent]  # the deliveries of its end
    sent.clear()
    await app.post(pair_body("a", "b", enforcement="plan"))
    sweep_id = (await app.records.sweep_starter.start(traceparent="")).id
    samples += [(each.queue, each.body) for each in sent]
    sent.pop(0)
    await app.work_one()
    samples += [(each.queue, each.body) for each in sent]
    sent.clear()
    return app, sweep_id, samples
