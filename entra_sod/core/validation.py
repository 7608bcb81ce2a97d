"""Holds a decoded value (JSON or YAML) against a msgspec type and finds every mistake in it.

msgspec itself stops at the first; a person who fixes a file or a request wants them all.
"""

from __future__ import annotations

import difflib
import json
import re
import types
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from itertools import islice
from typing import Annotated, Any, Literal, TypeAliasType, Union, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from entra_sod.core.errors import FieldError, InvalidRequest

type Path = tuple[str | int, ...]

_ADVICE: Mapping[type, str] = {
    uuid.UUID: "must be a GUID with its hyphens, such as 2506aef1-3929-4d24-a61e-7c8b83d95e6f",
    date: "must be a date that exists, such as 2026-11-30",
}
# Under this key the `extra` of a msgspec.Meta has what a value of the type must be.
ADVICE_KEY = "advice"
_GUID_LENGTH = 36
_BARE = re.compile("must be text(?: or null)?, got (?:a |true)")  # a number or a truth


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a place; `key` is set where it is a name that should not be there."""

    path: Path
    detail: str
    key: str | None = None

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901)."""
        return as_pointer(self.path if self.key is None else (*self.path, self.key))


def as_pointer(path: Path) -> str:
    """Write a place as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def find_mistakes(
    kind: Any,  # noqa: ANN401 - any type msgspec knows
    value: object,
    *,
    maximum: int | None = None,
) -> list[Mistake]:
    """Find every mistake in a value, in the order of the type's fields; empty where it fits.

    Args:
        kind: the type that is asked for.
        value: decoded from JSON or YAML.
        maximum: stop after so many; a small document can have half a million.
    """
    return list(islice(_walk(kind, value, ()), maximum))


def read_as[T](kind: type[T], value: object) -> T:
    """Turn decoded JSON into a request.

    Raises:
        InvalidRequest: naming each wrong field.
    """
    if mistakes := find_mistakes(kind, value):
        raise InvalidRequest(
            [FieldError(pointer=each.pointer, detail=each.detail) for each in mistakes]
        )
    return msgspec.convert(value, kind)


def find_repeated_fields(body: bytes) -> list[FieldError]:
    """Find each field that JSON gives twice in one object; which of them counts is not defined."""
    # Objects become tuples of their fields, so that none is lost, and numbers stay text.
    value = json.loads(body, object_pairs_hook=tuple, parse_int=str, parse_float=str)
    return [
        FieldError(pointer=as_pointer(path), detail="is given twice")
        for path in _repeated_in(value, ())
    ]


def _repeated_in(value: object, path: Path) -> Iterator[Path]:
    if isinstance(value, tuple):
        counts = Counter(name for name, _ in value)
        yield from ((*path, name) for name, count in counts.items() if count > 1)
        for name, inner in value:
            yield from _repeated_in(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _repeated_in(inner, (*path, index))


@cache
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _walk(kind: Any, value: object, path: Path) -> Iterator[Mistake]:  # noqa: ANN401
    kind = _without_optional(kind, value)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _walk_struct(kind, value, path)
    elif get_origin(kind) is Annotated and get_origin(get_args(kind)[0]) is list:
        yield from _walk_short_list(kind, value, path)
    elif get_origin(kind) is list:
        yield from _walk_list(get_args(kind)[0], value, path)
    elif get_origin(kind) is dict:
        yield from _walk_mapping(kind, value, path)
    elif choices := _choices(kind):
        if type(value) not in (str, int) or value not in choices:
            yield Mistake(path, f"must be {_any_of(choices)}{_meant(value, choices)}")
    else:
        yield from _walk_leaf(kind, value, path)


def _without_optional(kind: Any, value: object) -> Any:  # noqa: ANN401
    """The type behind an alias, and behind `X | None` where there is a value."""
    if isinstance(kind, TypeAliasType):
        return _without_optional(kind.__value__, value)
    if get_origin(kind) in (Union, types.UnionType) and value is not None:
        arms = [arm for arm in get_args(kind) if arm is not type(None)]
        return _without_optional(arms[0], value) if len(arms) == 1 else kind
    return kind


def _walk_struct(kind: type[msgspec.Struct], value: object, path: Path) -> Iterator[Mistake]:
    fields = _fields(kind)
    if not isinstance(value, Mapping):
        names = ", ".join(fields)
        yield Mistake(path, f"must be an object with {names}" if names else "must be empty")
        return
    for name, field in fields.items():
        if name in value:
            yield from _walk(field.type, value[name], (*path, name))
        elif field.required:
            yield Mistake((*path, name), "is missing")
    for name in value:
        if name not in fields:
            yield Mistake(path, f"is not known here{nearest(name, list(fields))}", str(name))


def _walk_list(item: Any, value: object, path: Path) -> Iterator[Mistake]:  # noqa: ANN401
    if not isinstance(value, list):
        yield Mistake(path, "must be a list")
        return
    for index, element in enumerate(value):
        yield from _walk(item, element, (*path, index))


def _walk_short_list(kind: Any, value: object, path: Path) -> Iterator[Mistake]:  # noqa: ANN401
    """A list with limits: of one that is too long, only that is said."""
    items, *limits = get_args(kind)
    wrong = list(_walk_leaf(Annotated[list, *limits], value, path))
    yield from wrong or _walk_list(get_args(items)[0], value, path)


def _walk_mapping(kind: Any, value: object, path: Path) -> Iterator[Mistake]:  # noqa: ANN401
    if not isinstance(value, Mapping):
        yield Mistake(path, "must be an object of names and their values")
        return
    key, item = get_args(kind)
    names = _choices(key)
    for name, element in value.items():
        if names and name not in names:
            yield Mistake(path, f"is not known here{nearest(name, names)}", str(name))
        else:
            yield from _walk(item, element, (*path, str(name)))


def _walk_leaf(kind: Any, value: object, path: Path) -> Iterator[Mistake]:  # noqa: ANN401
    try:
        _require_hyphens(kind, value)
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield Mistake(path, _advice(kind) or _plain(str(error)))


def _advice(kind: Any) -> str | None:  # noqa: ANN401
    """What a value of the type must be; None where msgspec's own words say it."""
    if get_origin(kind) is Annotated:
        said = [each.extra for each in get_args(kind) if isinstance(each, msgspec.Meta)]
        return next((each[ADVICE_KEY] for each in said if each and ADVICE_KEY in each), None)
    return _ADVICE.get(kind) if isinstance(kind, type) else None


def _require_hyphens(kind: Any, value: object) -> None:  # noqa: ANN401
    """Refuse 32 hex digits in a row, which msgspec takes: other systems' own ids look like that.

    Raises:
        msgspec.ValidationError: it is no GUID as Entra writes it.
    """
    if kind is uuid.UUID and isinstance(value, str) and len(value) != _GUID_LENGTH:
        raise msgspec.ValidationError


def _choices(kind: Any) -> Sequence[str | int]:  # noqa: ANN401
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [member.value for member in kind]
    return get_args(kind) if get_origin(kind) is Literal else ()


def _meant(value: object, choices: Sequence[str | int]) -> str:
    is_quoted = isinstance(value, str) and value in map(str, choices)
    return ", without quotes" if is_quoted else nearest(value, choices)


def _any_of(choices: Sequence[str | int]) -> str:
    words = [str(choice) for choice in choices]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def nearest(word: object, choices: Iterable[str | int]) -> str:
    """Suggest the choice that was probably meant, as the end of a sentence."""
    close = difflib.get_close_matches(str(word), [str(choice) for choice in choices], n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _plain(message: str) -> str:
    """Turn msgspec's "Expected `str`, got `int`" into a sentence's end."""
    names = {
        "`str`": "text",
        "`int`": "a whole number",
        "`bool`": "true or false",
        "`null`": "null",
        "`float`": "a number",
    }
    for code, words in names.items():
        message = message.replace(code, words)
    message = message.replace("`", "").replace("Expected", "must be", 1)
    return f"{message}: put it into quotes" if _BARE.match(message) else message
