"""Stand-ins for the worker protocol's messages.

In Azure the host and the worker talk in protobuf. In one process plain objects do: the
worker's code reads attributes and builds its answers from the namespace that it is given.
"""

from enum import IntEnum
from typing import TYPE_CHECKING, Any


class Message:
    """Any message of the protocol: its fields are its attributes."""

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)

    if TYPE_CHECKING:  # a field is of whatever type the protocol gives it

        def __getattr__(self, name: str) -> Any: ...  # noqa: ANN401


class TypedData(Message):
    """One value on the wire, of exactly one kind: string, bytes, json, int, double, http."""

    def __init__(self, **one_of: object) -> None:
        ((self.kind, self.value),) = one_of.items()
        super().__init__(**one_of)

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        return self.kind


class ParameterBinding(Message):
    """A named value: an input of the function, or one of its outputs."""

    name: str
    data: TypedData

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        return "data"


class Status(IntEnum):
    """How a request to the worker ended."""

    Failure = 0
    Success = 1
    Cancelled = 2


class StatusResult(Message):
    """The end of a request, with the exception that caused it if it failed."""

    Failure = Status.Failure
    Success = Status.Success
    Cancelled = Status.Cancelled


class BindingInfo(Message):
    """Direction and data type of a binding."""

    out = 1
    inout = 2
    undefined = 0


# The protocol's own name of the input direction is a word that Python keeps for itself.
setattr(BindingInfo, "in", 0)


class SameSite(IntEnum):
    """The SameSite attribute of a cookie; `None` is "not set", as in the protocol."""

    Lax = 1
    Strict = 2
    ExplicitNone = 3


class RpcHttpCookie(Message):
    """A cookie that the function sets."""

    # The worker reads `SameSite.None`, which is no name that Python lets an enum have.
    SameSite = Message(
        **{"None": 0, "Lax": SameSite.Lax, "Strict": SameSite.Strict},
        ExplicitNone=SameSite.ExplicitNone,
    )


class Protos:
    """The namespace of messages that the worker builds its answers from."""

    TypedData = TypedData
    ParameterBinding = ParameterBinding
    StatusResult = StatusResult
    BindingInfo = BindingInfo
    RpcHttpCookie = RpcHttpCookie

    def __getattr__(self, name: str) -> type[Message]:
        """Every message that needs no behaviour of its own."""
        message = type(name, (Message,), {})
        setattr(self, name, message)
        return message
