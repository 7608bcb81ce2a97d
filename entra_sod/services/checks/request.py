"""What a caller may ask: parsed once at the edge, with every wrong field named."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from entra_sod.core.errors import FieldError, InvalidRequest
from entra_sod.core.validation import read_as
from entra_sod.services.notifications.subscribe import CallbackAddress


class CheckRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`POST /checks`: who holds the first package and the second as well?

    Attributes:
        access_package_id: the first package.
        incompatible_access_package_id: the second one, which no subject should hold as well.
        reference: the caller's own, such as a ticket number; given back, never read.
        callback_url: where to POST the result; it may hold a secret.
        enforcement: how far to go with the pair; the app's own setting is the most there is.
    """

    access_package_id: UUID
    incompatible_access_package_id: UUID
    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    callback_url: CallbackAddress | None = None
    enforcement: Literal["off", "plan", "apply"] | None = None

    def __repr__(self) -> str:
        """Leave the callback address out: it may hold a secret."""
        return f"CheckRequest({self.access_package_id}, {self.incompatible_access_package_id})"

    @property
    def digest(self) -> str:
        """Equal for requests that ask the same, however their JSON is written."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def parse_check_request(value: object) -> CheckRequest:
    """Turn decoded JSON into a request.

    Raises:
        InvalidRequest: naming each wrong field.
    """
    request = read_as(CheckRequest, value)
    if request.access_package_id == request.incompatible_access_package_id:
        detail = "must differ from accessPackageId: a package never conflicts with itself"
        raise InvalidRequest([FieldError(pointer="/incompatibleAccessPackageId", detail=detail)])
    return request
