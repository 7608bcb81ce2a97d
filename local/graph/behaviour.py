"""How the simulated Graph behaves where its documentation is silent, and how it misbehaves."""

from typing import Literal

import msgspec


class Throttle(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """At most `limit` requests in any `window_seconds`; refused ones count too, as Graph says."""

    limit: int
    window_seconds: float = 10.0
    retry_after: Literal["seconds", "http-date", "absent"] = "seconds"


class Behaviour(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    # paging
    page_size: int = 100
    # empty pages, each with a nextLink, before every page that has something
    empty_pages: int = 0
    looping_next_link: bool = False
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

    # access
    # the resource that a token must be for; the simulator's own root always is
    audience: str = "https://graph.microsoft.com"
    token_seconds: int = 86_400
    # whether a catalog role assigned at "/" reaches every catalog
    root_scope_counts: bool = False

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
