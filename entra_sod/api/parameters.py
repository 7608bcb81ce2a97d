"""What operations ask for beside their bodies."""

from __future__ import annotations

from entra_sod.api.model import Parameter
from entra_sod.api.packages import LONGEST_SEARCH, MOST_PACKAGES
from entra_sod.domain.findings.model import State
from entra_sod.domain.rules.language import Severity
from entra_sod.services.checks.start import LONGEST_WAIT_SECONDS
from entra_sod.services.findings.query import LARGEST_PAGE, USUAL_PAGE
from entra_sod.stores.idempotency import LONGEST_KEY

_KEY_TEXT = (
    "The same key and body is the same check, however often it is sent; after a failure, a new one."
)
_KEY_SCHEMA = {"type": "string", "maxLength": LONGEST_KEY}
IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    where="header",
    title="Idempotency Key",
    text=_KEY_TEXT,
    schema=_KEY_SCHEMA,
    extensions={"x-ms-visibility": "advanced"},
)
X_IDEMPOTENCY_KEY = Parameter(
    name="X-Idempotency-Key",
    where="header",
    title="Idempotency Key, Other Spelling",
    text=f"{_KEY_TEXT} For callers that can send no other header; Idempotency-Key wins.",
    schema=_KEY_SCHEMA,
    extensions={"x-ms-visibility": "internal"},
)
WAIT = Parameter(
    name="wait",
    where="query",
    title="Wait",
    text="Seconds to hold the line for the result, which then comes at once.",
    schema={"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS, "default": 0},
    extensions={"x-ms-visibility": "advanced"},
)


DEEP = Parameter(
    name="deep",
    where="query",
    title="Deep",
    text="1 lets the doctor look at each right, setting and queue, which takes some seconds.",
    schema={"type": "integer", "enum": [0, 1], "default": 0},
)
SOURCE = Parameter(
    name="source",
    where="path",
    title="Source",
    text="A name that the setting WEBHOOKS has.",
    schema={"type": "string", "minLength": 1},
)


def _filter(name: str, title: str, text: str, **schema: object) -> Parameter:
    return Parameter(
        name=name, where="query", title=title, text=text, schema={"type": "string", **schema}
    )


FILTERS = (
    _filter("rule", "Rule", "The id of a rule."),
    _filter("state", "State", f"One or more of {', '.join(State)}, with commas between."),
    _filter("severity", "Severity", f"One or more of {', '.join(Severity)}, with commas between."),
    _filter("package", "Package", "The id of an access package.", format="uuid"),
    _filter("subject", "Subject", "The subject's id, or its object id."),
    _filter("since", "Since", "In its state since this day or moment."),
    Parameter(
        name="pageSize",
        where="query",
        title="Page Size",
        text="How many to list at most.",
        schema={
            "type": "integer",
            "minimum": 1,
            "maximum": LARGEST_PAGE,
            "default": USUAL_PAGE,
        },
        extensions={"x-ms-visibility": "advanced"},
    ),
    _filter("continuation", "Continuation", "As nextLink has it.", pattern="^[0-9a-f]{32}$"),
)
SEARCH, LIMIT = (
    Parameter(
        name="search",
        where="query",
        title="Search",
        text="Part of a package's or a catalog's name, in any case.",
        schema={"type": "string", "maxLength": LONGEST_SEARCH},
    ),
    Parameter(
        name="limit",
        where="query",
        title="Limit",
        text="How many to list at most.",
        schema={
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_PACKAGES,
            "default": MOST_PACKAGES,
        },
    ),
)


def id_of(title: str, text: str) -> Parameter:
    schema = {"type": "string", "minLength": 1}
    return Parameter(name="id", where="path", title=title, text=text, schema=schema)
