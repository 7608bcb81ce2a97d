"""Bodies that have no home of their own. Light: every HTTP function loads them."""

from __future__ import annotations

import msgspec

from entra_sod.domain.enforcement.budget import WritingState
from entra_sod.services.doctor.diagnosis import Diagnosis


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is asked for."""


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One wrong place in a request.

    Attributes:
        pointer: where, as a JSON pointer (RFC 6901); empty for the whole, a header or the query.
        detail: what is wrong there, and what would be right.
    """

    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error, as RFC 9457 has them.

    Attributes:
        type: which problem it is; stable, for programs.
        title: the same for people.
        status: the HTTP status once more.
        detail: what happened this time, and what to do.
        errors: each wrong field, if the request is invalid.
    """

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


class CheckAccepted(
    msgspec.Struct, frozen=True, kw_only=True, rename={"self_": "self"}, omit_defaults=True
):
    """A check that has not ended yet.

    Attributes:
        id: of the check.
        status: queued or running.
        self_: the address to ask again, absolute; the same as Location.
        note: why it waits, where it does.
    """

    id: str
    status: str
    self_: str
    note: str | None = None


class SweepAccepted(msgspec.Struct, frozen=True, kw_only=True, rename={"self_": "self"}):
    """A sweep that was asked for.

    Attributes:
        id: of the sweep.
        status: queued, or running where it was joined.
        self_: the address to follow it at, absolute; the same as Location.
        joined: whether it was under way already.
    """

    id: str
    status: str
    self_: str
    joined: bool


class SubscriptionView(msgspec.Struct, frozen=True, kw_only=True, rename={"self_": "self"}):
    """A subscription that was kept.

    Attributes:
        id: of the subscription.
        events: what it is told.
        self_: the address to DELETE, absolute; the same as Location.
    """

    id: str
    events: list[str]
    self_: str


class ListedSubscriptionView(
    msgspec.Struct, frozen=True, kw_only=True, rename={"self_": "self", "created_at": "createdAt"}
):
    """A subscription in a list, without what may be a secret.

    Attributes:
        id: of the subscription.
        events: what it is told.
        host: of the address that events are sent to.
        path: of that address, its long segments cut short; the query is never shown.
        created_at: when it was made.
        own: whether the caller has made it.
        self_: the address to DELETE, absolute.
    """

    id: str
    events: list[str]
    host: str
    path: str
    created_at: str
    own: bool
    self_: str


class SubscriptionList(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """A page of subscriptions: the caller's own, and with `SoD.Admin` those of all callers.

    Attributes:
        more: whether there are more.
        next_link: the address of the next page, if there are more.
    """

    subscriptions: list[ListedSubscriptionView]
    more: bool
    next_link: str | None = None


class PackageChoice(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An access package.

    Attributes:
        id: of the package.
        display_name: of the package.
        catalog_name: of the catalog that it lies in.
        title: name and catalog in one, to choose by.
    """

    id: str
    display_name: str
    catalog_name: str
    title: str


class PackageList(msgspec.Struct, frozen=True, kw_only=True):
    """The access packages that the app may read.

    Attributes:
        packages: those that fit the search, by name; at most 1,000 of them.
        total: how many fit.
    """

    packages: list[PackageChoice]
    total: int


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The app answers; nothing else is said.

    Attributes:
        status: always `alive`.
    """

    status: str = "alive"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """What the app can reach, and what it cannot.

    Attributes:
        status: ready or not-ready.
        checks: for each thing that it needs, `ok`, or what is wrong and what to do.
        writing: what holds writes of references back now.
        diagnoses: in its place with `deep=1`, each thing that was looked at, and what to do.
    """

    status: str
    checks: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    writing: WritingState | msgspec.UnsetType = msgspec.UNSET
    diagnoses: list[Diagnosis] | msgspec.UnsetType = msgspec.UNSET
