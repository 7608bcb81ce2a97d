"""A source of webhooks: who may send, how that is proved, and where its bodies say what. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from entra_sod.core.validation import Path
from entra_sod.domain.notifications.signature import SigningKey


class SourceKind(StrEnum):
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

    @property
    def proof(self) -> str:
        """What a request has to bring, for the reference."""
        return _PROOFS[self][0]

    @property
    def secret(self) -> str:
        """What the app setting with the secret has, for the reference."""
        return _PROOFS[self][1]


_LONG = "16 characters or more"
_PROOFS: Mapping[Scheme, tuple[str, str]] = {
    Scheme.STANDARD_WEBHOOKS: (
        "`webhook-id`, `webhook-timestamp` (at most five minutes off), `webhook-signature`",
        "`whsec_` and base64 of 24 to 64 bytes",
    ),
    Scheme.HMAC_SHA256: (
        "HMAC-SHA256 of the body in lower-case hex, with or without `sha256=`",
        _LONG,
    ),
    Scheme.HEADER: ("the secret itself in a header", _LONG),
    Scheme.BEARER: ("`Authorization: Bearer SECRET`", _LONG),
    Scheme.BASIC: ("`Authorization: Basic …`", "`user:password`"),
    Scheme.ENTRA: (
        "a token of Entra with `SoD.Check` for pairs, `SoD.Decide` for persons",
        "none",
    ),
}


class WebhookField(StrEnum):
    """What may be read out of a body; the words of our own requests, where these have it."""

    ACCESS_PACKAGE_ID = "accessPackageId"
    INCOMPATIBLE_ACCESS_PACKAGE_ID = "incompatibleAccessPackageId"
    SUBJECT = "subject"
    REFERENCE = "reference"
    CALLBACK_URL = "callbackUrl"
    STAGE_INSTANCE_ID = "stageInstanceId"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSource:
    """One entry of WEBHOOKS, with its secrets.

    Attributes:
        header: of the proof, in lower case, where the scheme has one to choose.
        keys: one or two; any of them proves. None where Entra does.
        fields: where in a body each field stands.
        origins: who may ask in the handshake; anyone, where it is empty.
    """

    name: str
    kind: SourceKind
    scheme: Scheme
    header: str
    keys: tuple[SigningKey, ...]
    fields: Mapping[WebhookField, Path] = field(default_factory=dict)
    origins: frozenset[str] = frozenset()


type WebhookSources = Mapping[str, WebhookSource]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedWebhook:
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
class SourceDefaults:
    """What a kind is like without being told."""

    scheme: Scheme
    fields: Mapping[WebhookField, Path]


_OUR_FIELDS: Mapping[WebhookField, Path] = {
    WebhookField.ACCESS_PACKAGE_ID: ("accessPackageId",),
    WebhookField.INCOMPATIBLE_ACCESS_PACKAGE_ID: ("incompatibleAccessPackageId",),
    WebhookField.SUBJECT: ("subject",),
    WebhookField.REFERENCE: ("reference",),
    WebhookField.CALLBACK_URL: ("callbackUrl",),
    WebhookField.STAGE_INSTANCE_ID: ("customExtensionStageInstanceId",),
}
DEFAULTS: Mapping[SourceKind, SourceDefaults] = {
    # Packages and people are custom fields there, which have other numbers on every site.
    SourceKind.JIRA: SourceDefaults(
        Scheme.HMAC_SHA256,
        {WebhookField.REFERENCE: ("issue", "key"), WebhookField.TIMESTAMP: ("timestamp",)},
    ),
    # The names of Microsoft's tutorial for tickets, where it has one.
    SourceKind.SERVICENOW: SourceDefaults(
        Scheme.ENTRA,
        {
            WebhookField.ACCESS_PACKAGE_ID: ("AccessPackageId",),
            WebhookField.INCOMPATIBLE_ACCESS_PACKAGE_ID: ("IncompatibleAccessPackageId",),
            WebhookField.SUBJECT: ("EntraUserObjectId",),
            WebhookField.REFERENCE: ("number",),
            WebhookField.CALLBACK_URL: ("CallbackUrl",),
            WebhookField.STAGE_INSTANCE_ID: ("StageInstanceId",),
        },
    ),
    SourceKind.GENERIC: SourceDefaults(Scheme.STANDARD_WEBHOOKS, _OUR_FIELDS),
    SourceKind.CLOUDEVENTS: SourceDefaults(Scheme.BEARER, _OUR_FIELDS),
}
DEFAULT_HEADERS: Mapping[Scheme, str] = {
    Scheme.HMAC_SHA256: "x-hub-signature",
    Scheme.HEADER: "x-webhook-secret",
}
