"""$filter: the small part of the language that entitlement management understands."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from local.graph.errors import bad_request

TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[(),]|[^\s'(),]+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    path: str
    operator: Literal["eq", "contains", "contains-lower"]
    value: str

    def accepts(self, actual: str | None) -> bool:
        """Whether a value fits; null equals no text."""
        if actual is None:
            return False
        match self.operator:
            case "eq":
                return actual == self.value
            case "contains":
                return self.value in actual
            case "contains-lower":
                return self.value in actual.lower()


# a path in lower case, and how to read it from an item
type Readers[T] = Mapping[str, Callable[[T], str | None]]


def matches[T](item: T, clauses: tuple[Clause, ...], readers: Readers[T]) -> bool:
    return all(clause.accepts(readers[clause.path.lower()](item)) for clause in clauses)


def parse_filter(text: str) -> tuple[Clause, ...]:
    """The clauses of a filter that joins comparisons with `and`; anything else is refused."""
    tokens = _tokens(text)
    clauses: list[Clause] = []
    while tokens:
        clauses.append(_clause(tokens, text))
        if tokens and (tokens.pop(0) != "and" or not tokens):
            raise _invalid(text)
    if not clauses:
        raise _invalid(text)
    return tuple(clauses)


def split_outside(text: str, separator: str) -> list[str]:
    """The parts between separators that stand in neither parentheses nor quotes."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == "'"
        depth += 0 if quoted else (character == "(") - (character == ")")
        if character == separator and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while position < len(text):
        found = TOKEN.match(text, position)
        if found is None:
            raise _invalid(text)
        tokens.append(found[1])
        position = found.end()
    return tokens


def _clause(tokens: list[str], text: str) -> Clause:
    match tokens:
        case ["contains", "(", "tolower", "(", path, ")", ",", value, ")", *_]:
            del tokens[:9]
            return Clause(path=path, operator="contains-lower", value=_literal(value, text))
        case ["contains", "(", path, ",", value, ")", *_]:
            del tokens[:6]
            return Clause(path=path, operator="contains", value=_literal(value, text))
        case [path, "eq", value, *_]:
            del tokens[:3]
            return Clause(path=path, operator="eq", value=_comparable(path, value, text))
        case _:
            raise _invalid(text)


def _comparable(path: str, value: str, text: str) -> str:
    """Ids and enumeration values compare without regard to case; names do not."""
    if value in {"true", "false"}:
        return value
    literal = _literal(value, text)
    return literal if path.lower().endswith("displayname") else literal.lower()


def _literal(token: str, text: str) -> str:
    if not token.startswith("'"):
        raise _invalid(text)
    return token[1:-1].replace("''", "'")


def _invalid(text: str) -> Exception:
    return bad_request(f"Invalid filter clause: '{text}' is not supported.")
