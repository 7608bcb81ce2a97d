"""docs/reference/events.md: what the app sends to callbacks and subscriptions."""

from __future__ import annotations

from entra_sod.domain.notifications.event import MAX_BODY_BYTES
from entra_sod.domain.notifications.event_descriptions import EVENT_DESCRIPTIONS
from local.reference.markdown import code, page, table

_TEXT = f"""
An event is a `POST` to a [callback or subscription](../how-to/receive-events.md). Its headers are
CloudEvents 1.0 in binary mode. A body over {MAX_BODY_BYTES:,} bytes is sent without its largest
fields: `omitted` names them, `self` is the address of the whole result. A subscription without
`events` gets the four events of checks and sweeps.
"""
_HEADERS = (
    ("ce-specversion", "`1.0`"),
    ("ce-type", "`com.entra-sod.` and the event, such as `com.entra-sod.check.completed`"),
    ("ce-source", "address of the app, up to `/api`"),
    (
        "ce-subject",
        "`checks/ID`, `sweeps/ID`, `findings/ID`, `references/RUN`, …; of a freeze its moment",
    ),
    ("ce-id, webhook-id", "id of the event, the same at each try and for each receiver"),
    ("ce-time", "when the event was announced, the same at each try"),
    ("webhook-timestamp", "when this try was made, in seconds since 1970"),
    ("webhook-signature", "only with `WEBHOOK_SIGNING_KEYS`"),
)


def events_page() -> str:
    rows = [(code(name), it.when, it.body) for name, it in EVENT_DESCRIPTIONS.items()]
    return page(
        "Events",
        _TEXT,
        table(("event", "sent when", "body"), rows),
        "`run` is the id of a check or a sweep, or begins with the name of a command: `apply-…`.",
        "## Headers",
        table(("header", "value"), ((code(name), value) for name, value in _HEADERS)),
    )
