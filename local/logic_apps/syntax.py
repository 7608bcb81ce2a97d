"""The workflow definition language's expressions, parsed: `@f(x)?['y']`, `text @{f(x)} text`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z]\w*)|(?P<sign>\?\[|[(),\[\]]))"
)


class Refused(Exception):
    """Something that this interpreter does not know, and so cannot vouch for."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | int


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`target[key]`, or `target?[key]`, which gives null where target is null or lacks the key."""

    target: Expression
    key: Expression
    is_optional: bool


type Expression = Literal | Call | Index


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Text with expressions in it; its value is always text."""

    parts: tuple[str | Expression, ...]


type Parsed = str | Expression | Interpolation


def parse(text: str) -> Parsed:
    """What a string of a definition means: itself, an expression, or text with expressions."""
    if text.startswith("@@"):
        return text[1:]
    if "@{" in text:
        return Interpolation(tuple(_parts(text)))
    return _Parser(text[1:]).whole() if text.startswith("@") else text


def expressions(parsed: Parsed) -> Iterator[Expression]:
    """Every expression in what was parsed, the nested ones too."""
    match parsed:
        case Interpolation(parts):
            for part in parts:
                yield from expressions(part)
        case Call(_, arguments):
            yield parsed
            for argument in arguments:
                yield from expressions(argument)
        case Index(target, key, _):
            yield parsed
            yield from expressions(target)
            yield from expressions(key)
        case _:
            return


def _parts(text: str) -> Iterator[str | Expression]:
    while text:
        before, start, rest = text.partition("@{")
        if before:
            yield before
        if not start:
            return
        parser = _Parser(rest)
        yield parser.expression()
        text = parser.rest.lstrip()
        if not text.startswith("}"):
            raise Refused(f"no end of @{{ before {text!r}")
        text = text[1:]


class _Parser:
    def __init__(self, text: str) -> None:
        self.rest = text

    def whole(self) -> Expression:
        found = self.expression()
        if self.rest.strip():
            raise Refused(f"something is left over: {self.rest!r}")
        return found

    def expression(self) -> Expression:
        found = self._primary()
        while sign := self._take("[", "?["):
            key = self.expression()
            self._expect("]")
            found = Index(found, key, is_optional=sign == "?[")
        return found

    def _primary(self) -> Expression:
        match = _TOKEN.match(self.rest)
        if match is None or match["sign"]:
            raise Refused(f"no expression begins with {self.rest!r}")
        self.rest = self.rest[match.end() :]
        if match["text"]:
            return Literal(match["text"][1:-1].replace("''", "'"))
        return Literal(int(match["number"])) if match["number"] else self._call(match["name"])

    def _call(self, name: str) -> Call:
        self._expect("(")
        arguments: list[Expression] = []
        if self._take(")"):
            return Call(name, ())
        while True:
            arguments.append(self.expression())
            if self._take(")"):
                return Call(name, tuple(arguments))
            self._expect(",")

    def _take(self, *signs: str) -> str | None:
        match = _TOKEN.match(self.rest)
        if match is None or match["sign"] not in signs:
            return None
        self.rest = self.rest[match.end() :]
        return match["sign"]

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise Refused(f"{sign} expected before {self.rest!r}")
