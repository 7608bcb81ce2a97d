"""What an operation of the app is made of, as the table in `operations.py` says it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from entra_sod.domain.callers.routes import Route

type Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header of an answer, which is always there where it is `required`."""

    name: str
    text: str
    schema: Schema
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What is asked for beside the body.

    Attributes:
        title: its name for makers of flows.
        extensions: more for them, by names that begin with `x-ms-`.
    """

    name: str
    where: Literal["path", "query", "header"]
    title: str
    text: str
    schema: Schema
    extensions: Schema = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResponse:
    """One answer.

    Attributes:
        text: what it means.
        body: its type, if it has one; `dict` is any object.
        example: of its body.
        also: media types in which it comes as text, where the caller would rather have that.
    """

    text: str
    body: type | None = None
    also: Sequence[str] = ()
    headers: Sequence[Header] = ()
    media_type: str = "application/json"
    example: Schema | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A subscription, told to makers of flows as the way to start one.

    Attributes:
        hint: how to make it happen, to see it work.
        text: what a notification is.
        bodies: the types that it may have.
    """

    hint: str
    text: str
    bodies: Sequence[type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One way into the app.

    Attributes:
        route: in the table; the operation's id is made of its function's name.
        body: the type that is asked for.
        body_example: of it.
        may_lack_body: nothing at all is as good.
        responses: its own, the most welcome first.
        problems: the statuses of its own problems; `problems_of` adds what goes without saying.
        visibility: for makers of flows: `important`, `advanced` or `internal`; None leaves it out
            of the connector.
    """

    route: Route
    text: str
    responses: Mapping[int, ApiResponse]
    problems: Sequence[int] = ()
    parameters: Sequence[Parameter] = ()
    body: type | None = None
    body_example: Schema | None = None
    may_lack_body: bool = False
    visibility: Literal["important", "advanced", "internal"] | None = None
    trigger: Trigger | None = None

    @property
    def id(self) -> str:
        return self.route.function.title().replace("_", "")

    @property
    def path(self) -> str:
        return f"/{self.route.path}"

    @property
    def method(self) -> str:
        """In lower case, as the documents have it."""
        return self.route.method.lower()

    @property
    def is_open(self) -> bool:
        """Whether no key is wanted."""
        return self.route.takes_strangers


def title_of(name: str) -> str:
    """`accessPackageId` as a title: Access Package Id."""
    return " ".join(re.findall(r"[A-Z]?[a-z]+", name)).title()
