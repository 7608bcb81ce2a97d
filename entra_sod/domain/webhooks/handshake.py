"""The handshake before CloudEvents: may this system send here at all? Pure.

It gives no access: each event still has to prove where it comes from.
https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md#4-abuse-protection
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from entra_sod.domain.webhooks.source import SourceKind, WebhookSource

MAX_PER_MINUTE = 600
ORIGIN = re.compile(r"[A-Za-z0-9*._:-]{1,253}")
_RATE = re.compile(r"[1-9][0-9]{0,8}")


def consent(source: WebhookSource | None, headers: Mapping[str, str]) -> Mapping[str, str] | None:
    """The headers that consent to a system's events; None where there is no consent.

    Args:
        source: None for a name that is not set up.
        headers: of the request, names in lower case.
    """
    origin = headers.get("webhook-request-origin", "")
    if source is None or source.kind is not SourceKind.CLOUDEVENTS or not ORIGIN.fullmatch(origin):
        return None
    if source.origins and origin.lower() not in source.origins:
        return None
    return {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": str(_rate(headers))}


def _rate(headers: Mapping[str, str]) -> int:
    asked = headers.get("webhook-request-rate", "")
    return min(int(asked), MAX_PER_MINUTE) if _RATE.fullmatch(asked) else MAX_PER_MINUTE
