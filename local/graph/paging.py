"""Collections in pages, behind nextLinks whose tokens mean nothing to the caller."""

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from local.graph.call import Call
from local.graph.errors import bad_request
from local.graph.exchange import Answer
from local.graph.odata import Options
from local.graph.tokens import seal, unseal
from local.graph.unreadable import Identified, render_page


class Position(msgspec.Struct, frozen=True, kw_only=True):
    # of the query that the token was made for
    digest: str
    offset: int = 0
    # empty pages already given at this offset
    empty_pages: int = 0
    # pages given after the last one, each of which needs a token of its own
    extra_pages: int = 0


def collection[T: str | Identified](
    call: Call,
    items: Sequence[T],
    render: Callable[[T], object],
    *,
    options: Options,
    context: str,
) -> Answer:
    """One page of the items, with a nextLink unless it is the last."""
    position = _position(call, options)
    body: dict[str, object] = {"@odata.context": call.context(context)}
    if options.count:
        body["@odata.count"] = len(items)
    page_size = _page_size(call, options)
    shown, following = _turn(call, items, position, page_size=page_size)
    page = position.offset // page_size + 1
    body["value"] = render_page(call, shown, render, page=page)
    if link := _next_link(call, following):
        body["@odata.nextLink"] = link
    return Answer(body=body)


def _turn[T](
    call: Call, items: Sequence[T], position: Position, *, page_size: int
) -> tuple[Sequence[T], Position | None]:
    """What this page shows, and where the next one starts."""
    empty_pages = call.behaviour.empty_pages
    if position.empty_pages < empty_pages and position.offset < len(items):
        return [], msgspec.structs.replace(position, empty_pages=position.empty_pages + 1)
    end = position.offset + page_size
    shown = items[position.offset : end]
    if end < len(items):
        return shown, msgspec.structs.replace(position, offset=end, empty_pages=0)
    return shown, _after_last_page(call, position, count=len(items))


def _after_last_page(call: Call, position: Position, *, count: int) -> Position | None:
    behaviour = call.behaviour
    if behaviour.after_last_page_path not in call.request.target:
        return None
    match behaviour.after_last_page:
        case "nothing":
            return None
        case "first-page":
            offset = 0
        case "last-page":
            offset = position.offset
        case "empty-page":
            offset = count
    return Position(digest=position.digest, offset=offset, extra_pages=position.extra_pages + 1)


def _page_size(call: Call, options: Options) -> int:
    if options.top is None:
        return max(call.behaviour.page_size, 1)
    maximum = call.behaviour.top_maximum
    if not 1 <= options.top <= maximum:
        raise bad_request(f"Invalid page size specified: '{options.top}'. Must be 1 to {maximum}.")
    return options.top


def _next_link(call: Call, following: Position | None) -> str | None:
    if call.behaviour.looping_next_link:
        return f"{call.simulator.root}{call.request.target}"
    if following is None:
        return None
    token = seal(msgspec.json.encode(following), call.simulator.key)
    query = "&".join([*_own_query(call), f"$skiptoken={token}"])
    return f"{_link_root(call)}/v1.0/{call.request.path.removeprefix('/v1.0').lstrip('/')}?{query}"


def _link_root(call: Call) -> str:
    host = call.behaviour.foreign_next_link
    return call.simulator.root if host is None else with_scheme(host)


def with_scheme(host: str) -> str:
    return host.rstrip("/") if "://" in host else f"https://{host}"


def _position(call: Call, options: Options) -> Position:
    digest = _digest(call)
    if options.skip_token is None:
        return Position(digest=digest, offset=options.skip)
    payload = unseal(options.skip_token, call.simulator.key)
    position = msgspec.json.decode(payload, type=Position) if payload else None
    if position is None or position.digest != digest:
        raise bad_request("Skip token is not valid for this request.")
    return position


def _digest(call: Call) -> str:
    """What a token is bound to: the path, the other options, and who asks."""
    query = "&".join(sorted(_own_query(call)))
    bound = "\0".join([*call.request.segments, query, call.identity.client_id])
    return hashlib.sha256(bound.encode()).hexdigest()[:24]


def _own_query(call: Call) -> list[str]:
    parts = call.request.query.split("&")
    return [part for part in parts if part and not _is_skip_token(part)]


def _is_skip_token(part: str) -> bool:
    return part.partition("=")[0].lower() in {"$skiptoken", "%24skiptoken"}
