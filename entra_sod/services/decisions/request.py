"""What a caller may ask to be decided: parsed once at the edge, with every wrong field named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from entra_sod.core.errors import FieldError, InvalidRequest
from entra_sod.core.validation import read_as
from entra_sod.domain.subjects.names import SubjectName

MAX_PACKAGES = 20
MAX_SUBJECTS = 100
# As many subjects with as many packages, however the JSON is spaced and escaped.
MAX_BATCH_BYTES = 512 * 1024

type AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]


class DecisionRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`POST /decisions`: may this subject get these packages?

    Attributes:
        subject: the object id, the subject's id in entitlement management, or the user principal
            name.
        access_package_id: the package that is wanted.
        access_package_ids: or several, to be got together; at most 20.
        start: when the access would begin; now, without it or where that is over.
        until: when it would end; never, without it.
        reference: the caller's own, such as a ticket number; given back, never read.
    """

    subject: SubjectName
    access_package_id: UUID | None = None
    access_package_ids: Annotated[list[UUID], msgspec.Meta(max_length=MAX_PACKAGES)] = []
    start: AwareDatetime | None = msgspec.field(default=None, name="from")
    until: AwareDatetime | None = None
    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None

    @property
    def packages(self) -> list[str]:
        """The wanted packages, each once."""
        single = [self.access_package_id] if self.access_package_id else []
        return list(dict.fromkeys(str(each) for each in (*single, *self.access_package_ids)))


class DecisionRequests(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`POST /decisions/batch`: the same for up to 100 subjects."""

    requests: Annotated[list[DecisionRequest], msgspec.Meta(min_length=1, max_length=MAX_SUBJECTS)]


def parse_decision_request(value: object, now: datetime | None = None) -> DecisionRequest:
    """Turn decoded JSON into a request.

    Args:
        value: decoded.
        now: before which no access may end; None where requests have no end.

    Raises:
        InvalidRequest: naming each wrong field.
    """
    request = read_as(DecisionRequest, value)
    _require_none(list(_contradictions(request, "", now)))
    return request


def parse_decision_requests(value: object, now: datetime) -> list[DecisionRequest]:
    """Turn decoded JSON into many requests.

    Args:
        value: decoded.
        now: before which no access may end.

    Raises:
        InvalidRequest: naming each wrong field.
    """
    requests = read_as(DecisionRequests, value).requests
    _require_none(
        [
            error
            for number, each in enumerate(requests)
            for error in _contradictions(each, f"/requests/{number}", now)
        ]
    )
    return requests


def _require_none(errors: list[FieldError]) -> None:
    if errors:
        raise InvalidRequest(errors)


def _contradictions(
    request: DecisionRequest, at: str, now: datetime | None
) -> Iterator[FieldError]:
    if not request.packages:
        detail = "give accessPackageId, or accessPackageIds with one or more"
        yield FieldError(pointer=f"{at}/accessPackageId", detail=detail)
    for name, moment in (("from", request.start), ("until", request.until)):
        if moment and not _is_in_utc(moment):
            yield FieldError(pointer=f"{at}/{name}", detail="must be in the years 1 to 9999 of UTC")
    if request.start and request.until and request.until <= request.start:
        yield FieldError(pointer=f"{at}/until", detail="must be later than from")
    elif now and request.until and request.until <= now:
        yield FieldError(pointer=f"{at}/until", detail="is over: the wanted access has ended")


def _is_in_utc(moment: datetime) -> bool:
    """Whether it has a date in UTC, which the first and the last hours of all may not."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return False
    return True
