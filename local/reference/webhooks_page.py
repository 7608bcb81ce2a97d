"""The generated parts of docs/reference/webhooks.md: fields and proofs of each kind of source."""

from __future__ import annotations

from collections.abc import Callable

from entra_sod.domain.webhooks.source import (
    DEFAULT_HEADERS,
    DEFAULTS,
    Scheme,
    SourceKind,
    WebhookField,
)
from local.reference.markdown import code, table


def fields() -> str:
    """Where a body of each kind has each field, if the entry does not say."""
    heads = ("field", *(code(each) for each in SourceKind))
    return table(heads, ((code(each), *map(_pointer(each), SourceKind)) for each in WebhookField))


def _pointer(field: WebhookField) -> Callable[[SourceKind], str]:
    def of(kind: SourceKind) -> str:
        path = DEFAULTS[kind].fields.get(field)
        return code("/" + "/".join(map(str, path))) if path else ""

    return of


def proofs() -> str:
    """What each way to verify takes, and which kinds have it by default."""
    return table(("`verify`", "proof", "secret", "default of"), map(_proof, Scheme))


def _proof(scheme: Scheme) -> tuple[str, str, str, str]:
    header = DEFAULT_HEADERS.get(scheme)
    proof = f"{scheme.proof}; header {code(header)} by default" if header else scheme.proof
    kinds = [code(kind) for kind, each in DEFAULTS.items() if each.scheme is scheme]
    return code(scheme), proof, scheme.secret, ", ".join(kinds)
