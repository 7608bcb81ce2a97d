"""How the simulated Graph behaves where its documentation is silent, and how it misbehaves."""

from typing import Literal

import msgspec

from local.graph.errors import ErrorName


class Throttle(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """At most `limit` requests in any `window_seconds`; refused ones count too, as Graph says."""

    limit: int
    window_seconds: float = 10.0
    retry_after: Literal["seconds", "http-date", "absent"] = "seconds"


class Unreadable(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Reads that fail while all others succeed: those that fit everything that is named here."""

    # an error, or what stands in the list in place of the item
    answer: ErrorName | Literal["null", "misshapen"] = "server-error"
    # a part of the path and query as they came over the wire
    path_contains: str = ""
    # the id of something that a page of a list shows
    item: str | None = None
    # which page of a list; the first is 1
    page: int | None = None

    def __post_init__(self) -> None:
        if self.item is None and self.answer in {"null", "misshapen"}:
            raise ValueError(f"answer '{self.answer}' needs an item")

    @property
    def is_of_lists(self) -> bool:
        return self.item is not None or self.page is not None


class Behaviour(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    # paging
    page_size: int = 100
    # empty pages, each with a nextLink, before every page that has something
    empty_pages: int = 0
    looping_next_link: bool = False
    # What follows the last page: nothing or, without end and with a new $skiptoken each time, the
    # first page again, the last page again, or an empty one.
    after_last_page: Literal["nothing", "first-page", "last-page", "empty-page"] = "nothing"
    # a part of the path and query of the lists that go on like that; empty for every list
    after_last_page_path: str = ""
    # host (or scheme and host) that nextLinks name instead of this simulator
    foreign_next_link: str | None = None
    # the largest $top that lists accept; 0 refuses $top
    top_maximum: int = 999

    # host (or scheme and host) that GETs below redirect_path are sent to with a 302
    redirect_to: str | None = None
    redirect_path: str = "/v1.0/"

    # additionalAccess
    additional_access: Literal["supported", "forbidden", "bad-request"] = "supported"
    additional_access_states: Literal["active", "all"] = "active"
    additional_access_options: Literal["documented", "all"] = "documented"
    equal_ids: Literal["bad-request", "empty"] = "bad-request"

    # references
    duplicate_reference: Literal["no-content", "bad-request", "conflict"] = "bad-request"
    self_reference: Literal[400, 404] = 400
    # also a group that is not security-enabled
    unknown_reference: Literal[400, 404] = 400
    remove_absent: Literal["no-content", "not-found"] = "not-found"
    # whether the other package's catalog must be managed, too
    other_catalog_required: bool = False
    # reads of a reference collection that still show it as it was before a write
    lag_reads: int = 0

    # assignments
    null_target_fields: bool = True
    state_case: Literal["camel", "pascal"] = "camel"
    missing_state: bool = False

    # what cannot be read while everything else can
    unreadable: list[Unreadable] = []

    # access
    # the resource that a token must be for; the simulator's own root always is
    audience: str = "https://graph.microsoft.com"
    token_seconds: int = 86_400
    # whether a catalog role assigned at "/" reaches every catalog
    root_scope_counts: bool = False

    # the lists of packages, catalogs and roles, for a caller who may read no catalog
    lists_without_role: Literal["forbidden", "empty"] = "forbidden"

    # whether the tenant has a licence for entitlement management
    licensed: bool = True
    # the answer to a role for a principal that the tenant does not know, and to a role given twice
    unknown_principal: Literal[400, 404] = 400
    duplicate_role: Literal["created", "bad-request", "conflict"] = "bad-request"

    throttle: Throttle | None = None
    latency_ms: float = 0.0


def merged(behaviour: Behaviour, changes: bytes) -> Behaviour:
    """The behaviour with the named fields replaced; the others stay."""
    new = msgspec.json.decode(changes, type=dict[str, object])
    return msgspec.convert(msgspec.to_builtins(behaviour) | new, type=Behaviour)
