"""Graph's JSON, as far as we read it: bytes in, our own values out.

msgspec decodes a page of 999 assignments in milliseconds where the SDK's typed models take
seconds; `benchmarks/README.md` has the figures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any, Protocol

import msgspec

from entra_sod.core.errors import Unavailable, Unreadable
from entra_sod.core.names import MAX_NAME_LENGTH, cut
from entra_sod.domain.entra import AccessPackage, Assignment, Catalog, Group, Subject, is_held_in
from entra_sod.domain.grants import Grant, GrantKind, Grants, OriginSystem

_MEMBER, _ELIGIBLE = "Member_", "EligibleMember_"
# Without it the directory refuses to count. What it counts may be some minutes old.
EVENTUAL = {"ConsistencyLevel": "eventual"}
MAX_UNREADABLE_NAMED = 20  # of one page
_NOT_UNDERSTOOD = (msgspec.DecodeError, UnicodeDecodeError)


class WireSubject(msgspec.Struct, rename="camel"):
    id: str
    object_id: str | None = None
    display_name: str | None = None
    subject_type: str | None = None
    principal_name: str | None = None


class WireUser(msgspec.Struct, rename="camel"):
    id: str
    user_principal_name: str
    display_name: str | None = None


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


class WireHolder(msgspec.Struct):
    id: str
    target: WireId
    state: str | None = None


class WireCatalog(msgspec.Struct, rename="camel"):
    id: str
    display_name: str | None = None


class WireResource(msgspec.Struct, rename="camel"):
    display_name: str | None = None


class WireRole(msgspec.Struct, rename="camel"):
    origin_id: str | None = None
    origin_system: str | None = None
    display_name: str | None = None
    type: str | None = None
    resource: WireResource | None = None


class WireScope(msgspec.Struct, rename="camel"):
    origin_id: str | None = None


class WireRoleScope(msgspec.Struct, rename="camel"):
    role: WireRole | None = None
    scope: WireScope | None = None


class WirePackage(msgspec.Struct, rename="camel"):
    id: str
    display_name: str | None = None
    modified_date_time: str | None = None
    catalog: WireCatalog | None = None
    resource_role_scopes: list[WireRoleScope] = []


class WirePage(msgspec.Struct):
    value: msgspec.Raw
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class WireGroup(msgspec.Struct, rename="camel"):
    id: str
    security_enabled: bool = False
    display_name: str | None = None


class BatchAnswer(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw()


class BatchAnswers(msgspec.Struct):
    responses: list[BatchAnswer]


_id = msgspec.json.Decoder(WireId)


class PartlyReadable(Exception):
    """A field of an item is not understood, and the item can be used without it."""

    def __init__(self, name: str, value: object, why: str) -> None:
        self.value: Any = value
        self.name, self.why = name, why
        super().__init__(why)


class AnswerDecoder[T](Protocol):
    def decode(self, data: bytes | msgspec.Raw, /) -> T: ...


class ValueDecoder[W, T]:
    """Decodes one thing, as our own value."""

    def __init__(self, wire: type[W], make: Callable[[W], T]) -> None:
        self._decoder, self._make = msgspec.json.Decoder(wire), make

    def decode(self, data: bytes | msgspec.Raw, /) -> T:
        return self._make(self._decoder.decode(data))


@dataclass(frozen=True, slots=True)
class DecodedPage[T]:
    """A page of a list.

    Attributes:
        items: those that are understood.
        unreadable: the others: which each is, and what is wrong with it.
        next_link: to the next page.
        fingerprint: equal for pages that show the same.
    """

    items: list[T]
    unreadable: list[tuple[str, str]]
    next_link: str | None
    fingerprint: int


class PageDecoder[W, T]:
    """Decodes a page; an item that is not understood costs nothing but itself."""

    _page = msgspec.json.Decoder(WirePage)
    _raw = msgspec.json.Decoder(list[msgspec.Raw])

    def __init__(self, wire: type[W], make: Callable[[W], T]) -> None:
        self._item, self._make = msgspec.json.Decoder(wire), make
        self._items: msgspec.json.Decoder[list[W]] = msgspec.json.Decoder(
            list[wire]  # type: ignore[valid-type]  # made at run time
        )

    def decode(self, data: bytes | msgspec.Raw, /) -> DecodedPage[T]:
        page = self._page.decode(data)
        items: list[T] = []
        unreadable: list[tuple[str, str]] = []
        try:
            found: list[W | msgspec.Raw] = [*self._items.decode(page.value)]
        except _NOT_UNDERSTOOD:
            found = [*self._raw.decode(page.value)]
        for number, each in enumerate(found, start=1):
            try:
                wired = self._item.decode(each) if isinstance(each, msgspec.Raw) else each
                items.append(self._make(wired))
            except PartlyReadable as error:
                items.append(error.value)
                unreadable.append((error.name, error.why))
            except _NOT_UNDERSTOOD as error:
                unreadable.append((_name(each, number), str(error)))
        return DecodedPage(items, _named(unreadable), page.next_link, hash(bytes(page.value)))


def _name(item: object, number: int) -> str:
    try:
        return _id.decode(item).id if isinstance(item, msgspec.Raw) else ""
    except _NOT_UNDERSTOOD:
        return f"number {number} of a page"


def _named(unreadable: list[tuple[str, str]]) -> list[tuple[str, str]]:
    more = len(unreadable) - MAX_UNREADABLE_NAMED
    rest = [(f"and {more} more of the page", "only the first are named here")] if more > 0 else []
    return [*unreadable[:MAX_UNREADABLE_NAMED], *rest]


def decode[T](decoder: AnswerDecoder[T], data: bytes | msgspec.Raw) -> T:
    """Decode an answer that was a success.

    Raises:
        Unavailable: the body is cut short; the next one may be whole.
        Unreadable: the body is whole, and of another shape.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise Unreadable(f"Graph's answer cannot be understood: {error}") from error
    except _NOT_UNDERSTOOD as error:
        raise Unavailable(f"Graph's answer could not be read: {error}") from error


def assignment(found: WireAssignment) -> Assignment:
    """Make an assignment.

    Raises:
        PartlyReadable: a date is not understood; without it nothing ends.
    """
    start, unclear_start, end, unclear_end = None, "", None, ""
    if (schedule := found.schedule) is not None:
        start, unclear_start = _moment(schedule.start_date_time)
        if (expiration := schedule.expiration) is not None:
            end, unclear_end = _moment(expiration.end_date_time)
    made = Assignment(
        id=found.id.lower(),
        state=found.state,
        subject=subject(found.target),
        package_id=found.access_package.id.lower() if found.access_package else None,
        start=start,
        end=end,
    )
    if why := unclear_start or unclear_end:
        raise PartlyReadable(made.id, made, why)
    return made


def holder(found: WireHolder) -> str | None:
    """Make the id of the subject that holds an assignment; None if it is over."""
    return found.target.id.lower() if is_held_in(found.state) else None


def subject(found: WireSubject) -> Subject:
    display_name, principal_name = found.display_name, found.principal_name
    # Names are carried in indexes, results and events; no rule is held against them. Hardly any is
    # too long, and millions pass here.
    if display_name is not None and len(display_name) > MAX_NAME_LENGTH:
        display_name = cut(display_name)
    if principal_name is not None and len(principal_name) > MAX_NAME_LENGTH:
        principal_name = cut(principal_name)
    return Subject(
        id=found.id.lower(),
        object_id=found.object_id and found.object_id.lower(),
        display_name=display_name,
        subject_type=found.subject_type,
        principal_name=principal_name,
    )


def user(found: WireUser) -> Subject:
    """Make a user of the directory, whose id is its object id."""
    object_id = found.id.lower()
    return Subject(
        id=object_id,
        object_id=object_id,
        display_name=found.display_name and cut(found.display_name),
        subject_type="user",
        principal_name=cut(found.user_principal_name),
    )


def _moment(text: str | None) -> tuple[datetime | None, str]:
    """Read a moment, or say why not; Graph's first and last years stand for none."""
    if not text:
        return None, ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, f"its schedule has the date {text!r}"
    if moment.year in (MINYEAR, MAXYEAR):
        return None, ""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)), ""


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
        modified=found.modified_date_time,
    )


def grants(found: WirePackage) -> Grants:
    """Make what a package grants; each grant once.

    Raises:
        msgspec.ValidationError: a grant does not show its role or its resource.
    """
    return tuple(sorted({_grant(each) for each in found.resource_role_scopes}))


def _grant(found: WireRoleScope) -> Grant:
    role, scope = found.role or WireRole(), found.scope or WireScope()
    if not role.origin_id or not role.origin_system or not scope.origin_id:
        raise msgspec.ValidationError("a grant does not show its role or its resource")
    name = role.resource.display_name if role.resource else None
    return Grant(
        system=role.origin_system,
        resource=scope.origin_id.lower(),
        resource_name=cut(name or ""),
        role=role.origin_id.lower(),
        role_name=cut(role.display_name or ""),
        kind=_grant_kind(role),
    )


def _grant_kind(role: WireRole) -> GrantKind:
    """Read the kind of the role's id, and of an Azure role of its type."""
    origin = (role.origin_id or "").lower()
    if origin.startswith("eligible") or (role.type or "").lower() == GrantKind.ELIGIBLE:
        return GrantKind.ELIGIBLE
    if role.origin_system != OriginSystem.GROUP:
        return GrantKind.ACTIVE
    return GrantKind.OWNER if origin.startswith("owner") else GrantKind.MEMBER


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


def group(found: WireGroup) -> Group:
    return Group(
        id=found.id.lower(),
        is_security_enabled=found.security_enabled,
        display_name=cut(found.display_name or ""),
    )


class CountDecoder:
    """Decodes a count, which is plain text: a batch carries it as a number, or as text."""

    _decoder = msgspec.json.Decoder(int | str)

    def decode(self, data: bytes | msgspec.Raw, /) -> int:
        found = self._decoder.decode(data)
        text = str(found).removeprefix("\ufeff").strip()
        if not re.fullmatch(r"[0-9]{1,12}", text):
            raise msgspec.ValidationError(f"{cut(text)!r} is no count")
        return int(text)


def lower_id(found: WireId) -> str:
    return found.id.lower()


assignments_page = PageDecoder(WireAssignment, assignment)
holders_page = PageDecoder(WireHolder, holder)
ids_page = PageDecoder(WireId, lower_id)
catalogs_page = PageDecoder(WireCatalog, catalog)
packages_page = PageDecoder(WirePackage, package)
one_subject = ValueDecoder(WireSubject, subject)
one_user = ValueDecoder(WireUser, user)
one_group = ValueDecoder(WireGroup, group)
one_package = ValueDecoder(WirePackage, package)
package_grants = ValueDecoder(WirePackage, grants)
count = CountDecoder()
batch_answers = msgspec.json.Decoder(BatchAnswers)


def batch_body(paths: Sequence[str]) -> bytes:
    requests: list[dict[str, Any]] = [
        {"id": str(number), "method": "GET", "url": path}
        | ({"headers": EVENTUAL} if path.endswith("/$count") else {})
        for number, path in enumerate(paths)
    ]
    return msgspec.json.encode({"requests": requests})


def reference_body(target_url: str) -> bytes:
    return msgspec.json.encode({"@odata.id": target_url})
