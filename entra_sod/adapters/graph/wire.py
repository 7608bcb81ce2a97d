"""Graph's JSON, as far as we read it: bytes in, our own values out.

msgspec decodes a page of 999 assignments in milliseconds where the SDK's typed models take
seconds; `benchmarks/README.md` has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from entra_sod.core.errors import Unavailable
from entra_sod.domain.entra import AccessPackage, Assignment, Catalog, Subject

_MEMBER, _ELIGIBLE = "Member_", "EligibleMember_"


class WireSubject(msgspec.Struct, rename="camel"):
    id: str
    object_id: str | None = None
    display_name: str | None = None
    subject_type: str | None = None


class WireId(msgspec.Struct):
    id: str


class WireExpiration(msgspec.Struct, rename="camel"):
    end_date_time: str | None = None


class WireSchedule(msgspec.Struct, rename="camel"):
    start_date_time: str | None = None
    expiration: WireExpiration | None = None


class WireAssignment(msgspec.Struct, rename="camel"):
    id: str
    target: WireSubject
    state: str | None = None
    access_package: WireId | None = None
    schedule: WireSchedule | None = None


class WireCatalog(msgspec.Struct, rename="camel"):
    id: str
    display_name: str | None = None


class WireRole(msgspec.Struct, rename="camel"):
    origin_id: str | None = None
    origin_system: str | None = None


class WireScope(msgspec.Struct, rename="camel"):
    origin_id: str | None = None


class WireRoleScope(msgspec.Struct, rename="camel"):
    role: WireRole | None = None
    scope: WireScope | None = None


class WirePackage(msgspec.Struct, rename="camel"):
    id: str
    display_name: str | None = None
    catalog: WireCatalog | None = None
    resource_role_scopes: list[WireRoleScope] = []


class WirePage[T](msgspec.Struct):
    value: list[T]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class WireGroup(msgspec.Struct, rename="camel"):
    id: str
    security_enabled: bool = False


class BatchAnswer(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw()


class BatchAnswers(msgspec.Struct):
    responses: list[BatchAnswer]


assignments_page = msgspec.json.Decoder(WirePage[WireAssignment])
ids_page = msgspec.json.Decoder(WirePage[WireId])
catalogs_page = msgspec.json.Decoder(WirePage[WireCatalog])
packages_page = msgspec.json.Decoder(WirePage[WirePackage])
one_subject = msgspec.json.Decoder(WireSubject)
one_group = msgspec.json.Decoder(WireGroup)
one_package = msgspec.json.Decoder(WirePackage)
batch_answers = msgspec.json.Decoder(BatchAnswers)


def decode[T](decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw) -> T:
    """Decode an answer that was a success.

    Raises:
        Unavailable: the body is cut short or has another shape; the next one may be whole.
    """
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unavailable(f"Graph's answer could not be read: {error}") from error


def assignments(found: Sequence[WireAssignment]) -> list[Assignment]:
    return [
        Assignment(
            id=item.id.lower(),
            state=item.state,
            subject=subject(item.target),
            package_id=item.access_package.id.lower() if item.access_package else None,
            start=_moment(item.schedule.start_date_time if item.schedule else None),
            end=_end(item.schedule),
        )
        for item in found
    ]


def subject(found: WireSubject) -> Subject:
    return Subject(
        id=found.id.lower(),
        object_id=found.object_id and found.object_id.lower(),
        display_name=found.display_name,
        subject_type=found.subject_type,
    )


def _end(schedule: WireSchedule | None) -> datetime | None:
    expiration = schedule.expiration if schedule else None
    return _moment(expiration.end_date_time if expiration else None)


def _moment(text: str | None) -> datetime | None:
    """A moment, if it can be read: without one nothing ends, which errs on the safe side."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def catalog(found: WireCatalog) -> Catalog:
    return Catalog(id=found.id.lower(), display_name=found.display_name or "")


def package(found: WirePackage) -> AccessPackage:
    catalog = found.catalog
    return AccessPackage(
        id=found.id.lower(),
        display_name=found.display_name or "",
        catalog_id=catalog.id.lower() if catalog else None,
        catalog_name=(catalog.display_name or "") if catalog else "",
        member_groups=_groups(found, _MEMBER),
        eligible_groups=_groups(found, _ELIGIBLE),
        other_roles=frozenset(_other_roles(found)),
    )


def _groups(found: WirePackage, prefix: str) -> frozenset[str]:
    """Groups of the directory in which a package gives the role `{prefix}{groupId}`."""
    roles = [grant.role for grant in found.resource_role_scopes if grant.role]
    origins = [role.origin_id or "" for role in roles if role.origin_system == "AadGroup"]
    return frozenset(
        origin.removeprefix(prefix).lower() for origin in origins if origin.startswith(prefix)
    )


def _other_roles(found: WirePackage) -> Iterator[str]:
    """Each role by its resource and its own id there, but membership of groups."""
    for grant in found.resource_role_scopes:
        origin = grant.role.origin_id or "" if grant.role else ""
        system = grant.role.origin_system or "" if grant.role else ""
        if origin and not (system == "AadGroup" and origin.startswith((_MEMBER, _ELIGIBLE))):
            resource = grant.scope.origin_id or "" if grant.scope else ""
            yield f"{system} {resource} {origin}".lower()


def batch_body(paths: Sequence[str]) -> bytes:
    requests: list[dict[str, Any]] = [
        {"id": str(number), "method": "GET", "url": path} for number, path in enumerate(paths)
    ]
    return msgspec.json.encode({"requests": requests})


def reference_body(target_url: str) -> bytes:
    return msgspec.json.encode({"@odata.id": target_url})
