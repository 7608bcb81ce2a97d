"""Routes of HTTP triggers, matched and ordered as the real host does."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from local.host.bindings import Function, HttpTrigger
from local.host.errors import BindingError

_SEGMENT = re.compile(
    r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\?)?\}"
)

_CONSTRAINTS = {
    "": r"(?s:.*)",
    "alpha": r"[A-Za-z]*",
    "bool": r"(?i:true|false)",
    "guid": r"[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}",
    "int": r"-?\d+",
}


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A part of a route between two slashes: literal text, or a parameter."""

    text: str
    is_parameter: bool = False
    is_optional: bool = False
    takes_rest: bool = False
    constraint: str = ""

    @classmethod
    def parse(cls, text: str, function: str) -> Self:
        found = _SEGMENT.fullmatch(text)
        if found is None and "{" not in text:
            return cls(text=text)
        if found is None or (found["constraint"] or "") not in _CONSTRAINTS:
            raise BindingError(f"{function}: the local host does not know the route part {text}")
        return cls(
            text=found["name"],
            is_parameter=True,
            is_optional=bool(found["optional"] or found["rest"]),
            takes_rest=bool(found["rest"]),
            constraint=found["constraint"] or "",
        )

    def accepts(self, value: str) -> bool:
        if self.is_parameter:
            return re.fullmatch(_CONSTRAINTS[self.constraint], value) is not None
        return value.casefold() == self.text.casefold()


@dataclass(frozen=True, kw_only=True)
class Route:
    """A function's way in."""

    function: Function
    trigger: HttpTrigger
    path: str
    segments: tuple[Segment, ...]

    def takes(self, method: str) -> bool:
        return not self.trigger.methods or method.upper() in {
            m.upper() for m in self.trigger.methods
        }

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        """The route's parameters in a path; None when the path is not this route's."""
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if segment.takes_rest:
                return values | ({segment.text: "/".join(parts[index:])} if parts[index:] else {})
            if index >= len(parts):
                return values if segment.is_optional else None
            if not segment.accepts(parts[index]):
                return None
            if segment.is_parameter:
                values[segment.text] = parts[index]
        return values if len(parts) <= len(self.segments) else None


@dataclass(frozen=True)
class Match:
    """The route that a request takes, with the values of its parameters."""

    route: Route
    parameters: dict[str, str]


class Routes:
    """All routes of an app, the more specific first."""

    def __init__(self, functions: Sequence[Function], prefix: str) -> None:
        self._routes = sorted((_route(each, prefix) for each in _http(functions)), key=_precedence)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def find(self, method: str, path: str) -> Match | None:
        """The first route that takes path and method; a method that none takes finds nothing."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        for route in self._routes:
            parameters = route.match(parts)
            if parameters is not None and route.takes(method):
                return Match(route, parameters)
        return None


def _http(functions: Sequence[Function]) -> list[tuple[Function, HttpTrigger]]:
    return [(each, each.trigger) for each in functions if isinstance(each.trigger, HttpTrigger)]


def _route(way_in: tuple[Function, HttpTrigger], prefix: str) -> Route:
    function, trigger = way_in
    path = f"{prefix}/{trigger.route or function.name}".strip("/")
    segments = tuple(Segment.parse(each, function.name) for each in path.split("/"))
    return Route(function=function, trigger=trigger, path=path, segments=segments)


def _precedence(route: Route) -> list[tuple[int, int, str]]:
    """Literal before parameter, constrained before free, longer before shorter."""
    order = [
        (1, not each.constraint, "") if each.is_parameter else (0, 0, each.text.casefold())
        for each in route.segments
    ]
    return [*order, (2, 0, "")]
