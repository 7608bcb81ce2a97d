"""A source of webhooks: who may send, how that is proved, and where its bodies say what. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from entra_sod.core.validation import Path
from entra_sod.domain.notifications.signature import SigningKey


class Kind(StrEnum):
    """What sends: it decides what a source is like where its entry does not say."""

    JIRA = "jira"
    SERVICENOW = "servicenow"
    GENERIC = "generic"
    CLOUDEVENTS = "cloudevents"


class Scheme(StrEnum):
    """How a request proves where it comes from."""

    STANDARD_WEBHOOKS = "standard-webhooks"
    HMAC_SHA256 = "hmac-sha256"
    HEADER = "header"
    BEARER = "bearer"
    BASIC = "basic"
    ENTRA = "entra"


class Field(StrEnum):
    """What may be read out of a body; the words of our own requests, where these have it."""

    ACCESS_PACKAGE_ID = "accessPackageId"
    INCOMPATIBLE_ACCESS_PACKAGE_ID = "incompatibleAccessPackageId"
    SUBJECT = "subject"
    REFERENCE = "reference"
    CALLBACK_URL = "callbackUrl"
    STAGE_INSTANCE_ID = "stageInstanceId"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One entry of WEBHOOKS, with its secrets.

    Attributes:
        header: of the proof, in lower case, where the scheme has one to choose.
        keys: one or two; any of them proves. None where Entra does.
        fields: where in a body each field stands.
        origins: who may ask in the handshake; anyone, where it is empty.
    """

    name: str
    kind: Kind
    scheme: Scheme
    header: str
    keys: tuple[SigningKey, ...]
    fields: Mapping[Field, Path] = field(default_factory=dict)
    origins: frozenset[str] = frozenset()


type Sources = Mapping[str, Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one webhook brought, taken out of its envelope.

    Attributes:
        value: decoded JSON; the fields of its source are looked for here.
        at: where in the body the value stands; empty where it is the body.
        event: source and id of a CloudEvent.
    """

    value: object
    at: Path = ()
    event: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a kind is like without being told."""

    scheme: Scheme
    fields: Mapping[Field, Path]


_OUR_FIELDS: Mapping[Field, Path] = {
    Field.ACCESS_PACKAGE_ID: ("accessPackageId",),
    Field.INCOMPATIBLE_ACCESS_PACKAGE_ID: ("incompatibleAccessPackageId",),
    Field.SUBJECT: ("subject",),
    Field.REFERENCE: ("reference",),
    Field.CALLBACK_URL: ("callbackUrl",),
    Field.STAGE_INSTANCE_ID: ("customExtensionStageInstanceId",),
}
DEFAULTS: Mapping[Kind, Defaults] = {
    # Packages and people are custom fields there, which have other numbers on every site.
    Kind.JIRA: Defaults(
        Scheme.HMAC_SHA256, {Field.REFERENCE: ("issue", "key"), Field.TIMESTAMP: ("timestamp",)}
    ),
    # The names of Microsoft's tutorial for tickets, where it has one.
    Kind.SERVICENOW: Defaults(
        Scheme.ENTRA,
        {
            Field.ACCESS_PACKAGE_ID: ("AccessPackageId",),
            Field.INCOMPATIBLE_ACCESS_PACKAGE_ID: ("IncompatibleAccessPackageId",),
            Field.SUBJECT: ("EntraUserObjectId",),
            Field.REFERENCE: ("number",),
            Field.CALLBACK_URL: ("CallbackUrl",),
            Field.STAGE_INSTANCE_ID: ("StageInstanceId",),
        },
    ),
    Kind.GENERIC: Defaults(Scheme.STANDARD_WEBHOOKS, _OUR_FIELDS),
    Kind.CLOUDEVENTS: Defaults(Scheme.BEARER, _OUR_FIELDS),
}
DEFAULT_HEADERS: Mapping[Scheme, str] = {
    Scheme.HMAC_SHA256: "x-hub-signature",
    Scheme.HEADER: "x-webhook-secret",
}
