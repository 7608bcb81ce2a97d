"""host.json: the part of it that this host obeys, with the real host's defaults."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self, cast

import msgspec

from local.host.errors import HostError

# As in the real host, a setting overrides any value of host.json: the path to it follows this
# prefix, as in AzureFunctionsJobHost__extensions__queues__batchSize.
OVERRIDE = "AzureFunctionsJobHost__"

_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?")
_NO_LIMIT_DAYS = timedelta.max.days
_MINIMUM_POLLING = timedelta(milliseconds=100)

Tree = dict[str, object]


class TimeSpan(timedelta):
    """A duration as .NET writes it, `[days.]hours:minutes:seconds[.fraction]`; -1 is no limit."""

    @classmethod
    def parse(cls, text: str) -> Self:
        if text == "-1":
            return cls(_NO_LIMIT_DAYS)
        found = _SPAN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no time span: write hours:minutes:seconds")
        days, hours, minutes, seconds, fraction = (float(each or 0) for each in found.groups())
        return cls(days, seconds + fraction, 0, 0, minutes, hours)


class MessageEncoding(StrEnum):
    """How the body of a message is written into its text."""

    BASE64 = "base64"
    NONE = "none"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return next((each for each in cls if each.value == str(value).lower()), None)


class Queues(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How queue triggers fetch, retry and give up."""

    batch_size: Annotated[int, msgspec.Meta(ge=1, le=32)] = 16
    new_batch_threshold: Annotated[int, msgspec.Meta(ge=0)] | None = None
    max_dequeue_count: Annotated[int, msgspec.Meta(ge=1)] = 5
    visibility_timeout: TimeSpan = TimeSpan(0)
    max_polling_interval: TimeSpan = TimeSpan(minutes=1)
    message_encoding: MessageEncoding = MessageEncoding.BASE64

    @property
    def threshold(self) -> int:
        """Fewer running messages than this plus one, and the next batch is fetched."""
        if self.new_batch_threshold is not None:
            return self.new_batch_threshold
        return self.batch_size // 2 * (os.cpu_count() or 1)

    @property
    def longest_pause(self) -> timedelta:
        return max(self.max_polling_interval, _MINIMUM_POLLING)


class Http(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    route_prefix: str = "api"


class Extensions(msgspec.Struct, frozen=True, kw_only=True):
    queues: Queues = Queues()
    http: Http = Http()


class HostJson(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a host.json asks for."""

    version: Literal["2.0"]
    extensions: Extensions = Extensions()
    function_timeout: TimeSpan = TimeSpan(minutes=30)


def read(app: Path, environment: Mapping[str, str]) -> HostJson:
    """The app's host.json with overrides from settings; raises HostError saying what is wrong."""
    try:
        tree = msgspec.json.decode((app / "host.json").read_bytes(), type=Tree)
        for name, value in environment.items():
            if name.startswith(OVERRIDE):
                _override(tree, name.removeprefix(OVERRIDE).split("__"), value)
        return parse(tree)
    except FileNotFoundError:
        raise HostError(f"there is no host.json in {app}") from None
    except msgspec.MsgspecError as error:
        raise HostError(f"host.json: {error}") from error


def parse(tree: Tree) -> HostJson:
    return msgspec.convert(tree, HostJson, strict=False, dec_hook=_decode)


def _override(tree: Tree, path: list[str], value: str) -> None:
    *sections, last = path
    for section in sections:
        tree = cast("Tree", tree.setdefault(_spelled(tree, section), {}))
    tree[_spelled(tree, last)] = value


def _spelled(tree: Tree, name: str) -> str:
    """The key of the tree that means the same: settings compare without regard to case."""
    return next((key for key in tree if key.lower() == name.lower()), name)


def _decode(kind: type, value: object) -> object:
    if kind is TimeSpan:
        return TimeSpan.parse(str(value))
    raise NotImplementedError(kind)
