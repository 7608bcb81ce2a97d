"""What an operation of the app is made of, as the table in `operations.py` says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

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
class Answer:
    """One answer.

    Attributes:
        text: what it means.
        body: its type, if it has one; `dict` is any object.
        also: media types in which it comes as text, where the caller would rather have that.
    """

    text: str
    body: type | None = None
    also: Sequence[str] = ()
    headers: Sequence[Header] = ()
    media_type: str = "application/json"


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
        function: that answers; the operation's id is made of its name.
        title: a few words, for a list.
        body: the type that is asked for.
        may_lack_body: nothing at all is as good.
        answers: its own, the most welcome first.
        problems: the statuses of its own problems; those of every operation come on top.
        visibility: for makers of flows: `important`, `advanced` or `internal`; None leaves it out
            of the connector.
        is_open: no key is wanted.
    """

    method: Literal["GET", "POST", "DELETE", "OPTIONS"]
    path: str
    function: str
    title: str
    text: str
    answers: Mapping[int, Answer]
    problems: Sequence[int] = ()
    parameters: Sequence[Parameter] = ()
    body: type | None = None
    may_lack_body: bool = False
    visibility: Literal["important", "advanced", "internal"] | None = None
    trigger: Trigger | None = None
    is_open: bool = False

    @property
    def id(self) -> str:
        return self.function.title().replace("_", "")
