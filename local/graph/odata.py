"""Query options of a request: parsed, and refused where Graph would refuse them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from local.graph.errors import bad_request
from local.graph.filters import Clause, parse_filter, split_outside

DOCUMENTED = frozenset({"$select", "$filter", "$expand"})
LISTED = DOCUMENTED | {"$top"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a request may ask of one type of object."""

    type_name: str
    properties: frozenset[str]
    # paths in lower case
    filters: frozenset[str] = frozenset()
    relations: Mapping[str, "Shape"] = field(default_factory=dict)
    options: frozenset[str] = DOCUMENTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    select: frozenset[str] | None = None
    clauses: tuple[Clause, ...] = ()
    expand: Mapping[str, "Options"] = field(default_factory=dict)
    top: int | None = None
    skip: int = 0
    count: bool = False
    skip_token: str | None = None

    def project(self, item: dict[str, object]) -> dict[str, object]:
        """The selected properties, and whatever was expanded."""
        if self.select is None:
            return item
        kept = self.select | set(self.expand)
        return {name: value for name, value in item.items() if name in kept}


def parse_query(query: str, shape: Shape) -> Options:
    """The options of a URL's query, decoded exactly once."""
    pairs = [_decoded_pair(part) for part in query.split("&") if part]
    return _options(pairs, shape, allowed=shape.options | {"$skiptoken"})


def refuse_query(query: str) -> None:
    """Writes take no query options."""
    parse_query(query, Shape(type_name="none", properties=frozenset(), options=frozenset()))


def _decoded_pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return unquote_plus(name), unquote_plus(value)


def _options(pairs: list[tuple[str, str]], shape: Shape, *, allowed: frozenset[str]) -> Options:
    named = dict(pairs)
    for name, _ in pairs:
        if name not in allowed:
            raise bad_request(f"The query parameter '{name}' is not supported.")
    if len(named) != len(pairs):
        raise bad_request("A query parameter is given more than once.")
    return Options(
        select=_select(named.get("$select"), shape),
        clauses=_clauses(named.get("$filter"), shape),
        expand=_expand(named.get("$expand"), shape),
        top=_whole_number(named.get("$top"), name="$top"),
        skip=_whole_number(named.get("$skip"), name="$skip") or 0,
        count=named.get("$count", "false").lower() == "true",
        skip_token=named.get("$skiptoken"),
    )


def _select(text: str | None, shape: Shape) -> frozenset[str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in shape.properties and name not in shape.relations:
            raise _no_property(name, shape)
    return frozenset(names)


def _clauses(text: str | None, shape: Shape) -> tuple[Clause, ...]:
    if text is None:
        return ()
    clauses = parse_filter(text)
    for clause in clauses:
        if clause.path.lower() not in shape.filters:
            raise _no_property(clause.path, shape)
    return clauses


def _expand(text: str | None, shape: Shape) -> dict[str, Options]:
    if text is None:
        return {}
    return dict(_expanded(part.strip(), shape) for part in split_outside(text, ","))


def _expanded(part: str, shape: Shape) -> tuple[str, Options]:
    name, parenthesis, rest = part.partition("(")
    related = shape.relations.get(name)
    if related is None:
        raise _no_property(name, shape)
    if not parenthesis:
        return name, Options()
    if not rest.endswith(")"):
        raise bad_request(f"Term '{part}' is not valid in a $expand expression.")
    return name, _nested(rest[:-1], related)


def _nested(text: str, shape: Shape) -> Options:
    parts = (part.partition("=") for part in split_outside(text, ";"))
    pairs = [(name.strip(), value) for name, _, value in parts]
    return _options(pairs, shape, allowed=frozenset({"$select", "$expand"}))


def _whole_number(text: str | None, *, name: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise bad_request(f"Invalid value '{text}' for {name} query option.")
    return int(text)


def _no_property(name: str, shape: Shape) -> Exception:
    return bad_request(
        f"Could not find a property named '{name}' on type 'microsoft.graph.{shape.type_name}'."
    )
