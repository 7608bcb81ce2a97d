"""What operations ask for beside their bodies."""

from __future__ import annotations

from typing import Literal

from entra_sod.api.packages import MAX_PACKAGES, MAX_SEARCH_LENGTH
from entra_sod.api.queries import (
    DEFAULT_LIMIT,
    MAX_CURSOR_LENGTH,
    MAX_LIMIT,
    MAX_RULE_ID_LENGTH,
    MAX_SUBJECT_SEARCH_LENGTH,
)
from entra_sod.cli.operations.api.model import Parameter, title_of
from entra_sod.domain.findings.model import FindingState
from entra_sod.domain.rules.exception_changes import ExceptionState
from entra_sod.domain.rules.language import Severity
from entra_sod.domain.rules.logic import ConflictKind
from entra_sod.services.checks.start import MAX_WAIT_SECONDS
from entra_sod.services.findings.query import DEFAULT_PAGE_SIZE, MAX_FILTER_LENGTH, MAX_PAGE_SIZE
from entra_sod.stores.idempotency import MAX_KEY_LENGTH

_KEY_TEXT = (
    "The same key and body is the same check, however often it is sent; after a failure, a new one."
)
_KEY_SCHEMA = {"type": "string", "maxLength": MAX_KEY_LENGTH}
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


def _text(
    name: str, text: str, *, where: Literal["query", "path"] = "query", **schema: object
) -> Parameter:
    return Parameter(
        name=name, where=where, title=title_of(name), text=text, schema={"type": "string", **schema}
    )


def _number(
    name: str, text: str, limits: tuple[int, int], default: int, *, is_advanced: bool = False
) -> Parameter:
    least, most = limits
    return Parameter(
        name=name,
        where="query",
        title=title_of(name),
        text=text,
        schema={"type": "integer", "minimum": least, "maximum": most, "default": default},
        extensions={"x-ms-visibility": "advanced"} if is_advanced else {},
    )


def id_of(title: str, text: str) -> Parameter:
    schema = {"type": "string", "minLength": 1}
    return Parameter(name="id", where="path", title=title, text=text, schema=schema)


WAIT = _number(
    "wait",
    "Seconds to hold the line for the result, which then comes at once.",
    (0, MAX_WAIT_SECONDS),
    0,
    is_advanced=True,
)
DEEP = Parameter(
    name="deep",
    where="query",
    title="Deep",
    text="1 lets the doctor look at each right, setting and queue, which takes some seconds.",
    schema={"type": "integer", "enum": [0, 1], "default": 0},
)
SOURCE = _text("source", "A name that the setting WEBHOOKS has.", where="path", minLength=1)
FILTERS = (
    _text("rule", "The id of a rule."),
    _text("state", f"One or more of {', '.join(FindingState)}, with commas between."),
    _text("severity", f"One or more of {', '.join(Severity)}, with commas between."),
    _text("package", "The id of an access package.", format="uuid"),
    _text("kind", f"One or more of {', '.join(ConflictKind)}, with commas between."),
    _text("subject", "The subject's id, its object id, or its user principal name."),
    _text("since", "In its state since this day or moment."),
    _text("process", "The process of the rule, in any case.", maxLength=MAX_FILTER_LENGTH),
    _text("tag", "A tag of the rule, in any case.", maxLength=MAX_FILTER_LENGTH),
    _text(
        "framework",
        "A framework that the rule serves, by its id, or by its id and the clause.",
        maxLength=MAX_FILTER_LENGTH,
    ),
    _text("owner", "Who answers for the rule, in any case.", maxLength=MAX_FILTER_LENGTH),
    _number(
        "pageSize",
        "How many to list at most.",
        (1, MAX_PAGE_SIZE),
        DEFAULT_PAGE_SIZE,
        is_advanced=True,
    ),
    _text("continuation", "As nextLink has it.", pattern="^[0-9a-f]{32}$"),
)
SEARCH = _text(
    "search", "Part of a package's or a catalog's name, in any case.", maxLength=MAX_SEARCH_LENGTH
)
LIMIT = _number("limit", "How many to list at most.", (1, MAX_PACKAGES), MAX_PACKAGES)
PAGE = (
    _number("limit", "How many to list at most.", (1, MAX_LIMIT), DEFAULT_LIMIT, is_advanced=True),
    _text("cursor", "As nextLink has it.", maxLength=MAX_CURSOR_LENGTH, pattern="^[A-Za-z0-9_-]*$"),
)
RULE = _text("rule", "The id of a rule; any rule without it.", maxLength=MAX_RULE_ID_LENGTH)
EXCEPTION_STATE = _text(
    "state", f"One or more of {', '.join(ExceptionState)}, with commas between."
)
SUBJECT_SEARCH = _text(
    "search",
    "Part of the subject's name or user principal name, in any case, or one of its ids; "
    "any subject without it.",
    maxLength=MAX_SUBJECT_SEARCH_LENGTH,
)
