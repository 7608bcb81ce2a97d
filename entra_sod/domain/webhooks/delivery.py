"""What a webhook brought, taken out of its envelope."""

from __future__ import annotations

from dataclasses import dataclass

from entra_sod.core.validation import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook's content.

    Attributes:
        value: decoded JSON; the fields of its source are looked for here.
        at: where in the body the value stands; empty where it is the body.
        event: source and id of a CloudEvent.
    """

    value: object
    at: Path = ()
    event: tuple[str, str] | None = None
