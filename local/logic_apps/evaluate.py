"""Expressions evaluated, more strictly than Logic Apps does: every argument, and null nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from local.logic_apps.syntax import (
    Call,
    Expression,
    Index,
    Interpolation,
    Literal,
    Refused,
    parse,
)

CALLBACK_URL = "https://prod-01.westeurope.logic.azure.com/workflows/callback?sig=secret"
RUN = "08584123456789"
_TICKS_PER_SECOND = 10_000_000
_FIRST_DAY = datetime(1, 1, 1, tzinfo=UTC)


class Failed(Exception):
    """An expression that Logic Apps would fail: the action fails with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What expressions of a run can see.

    Attributes:
        actions: what has ended so far, by name: `status`, and `outputs` where there are any.
        item: of the Select that is evaluated.
    """

    parameters: Mapping[str, Any]
    trigger_body: Any
    now: datetime
    actions: dict[str, dict[str, Any]] = field(default_factory=dict)
    item: Any = None

    def at(self, item: object) -> Context:
        return replace(self, item=item)

    def value(self, template: Any) -> Any:
        """A part of a definition with its expressions replaced by their values."""
        if isinstance(template, str):
            return self._text(template)
        if isinstance(template, list):
            return [self.value(each) for each in template]
        if isinstance(template, dict):
            return {_name(name): self.value(each) for name, each in template.items()}
        return template

    def _text(self, template: str) -> Any:
        parsed = parse(template)
        if isinstance(parsed, str):
            return parsed
        if isinstance(parsed, Interpolation):
            parts = [part if isinstance(part, str) else self._of(part) for part in parsed.parts]
            return "".join(_shown(part) for part in parts)
        return self._of(parsed)

    def _of(self, expression: Expression) -> Any:
        match expression:
            case Literal(value):
                return value
            case Index(target, key, is_optional):
                return _indexed(self._of(target), self._of(key), is_optional=is_optional)
            case Call(name, arguments):
                return self._called(name, [self._of(each) for each in arguments])

    def _called(self, name: str, values: list[Any]) -> Any:
        seen: dict[str, Callable[[], Any]] = {
            "triggerBody": lambda: self.trigger_body,
            "parameters": lambda: self.parameters[values[0]],
            "actions": lambda: self._action(values[0]),
            "outputs": lambda: self._action(values[0]).get("outputs"),
            "body": lambda: _body(self._action(values[0])),
            "item": lambda: self.item,
            "workflow": lambda: {"run": {"name": RUN}},
            "listCallbackUrl": lambda: CALLBACK_URL,
            "utcNow": lambda: self.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if name in seen:
            return seen[name]()
        return _known(name)(*values)

    def _action(self, name: str) -> dict[str, Any]:
        # An action of a branch that was not taken is there, as skipped.
        return self.actions.get(name, {"status": "Skipped"})


CONTEXTUAL = frozenset(
    {
        "triggerBody",
        "parameters",
        "actions",
        "outputs",
        "body",
        "item",
        "workflow",
        "listCallbackUrl",
        "utcNow",
    }
)


def _known(name: str) -> Callable[..., Any]:
    if name not in FUNCTIONS:
        raise Refused(f"the function {name} is not known here")
    return FUNCTIONS[name]


def _name(name: str) -> str:
    return name[1:] if name.startswith("@@") else name


def _indexed(target: Any, key: Any, *, is_optional: bool) -> Any:
    if target is None and is_optional:
        return None
    if not isinstance(target, dict):
        raise Failed(f"{key!r} cannot be selected from {target!r}")
    if key not in target and not is_optional:
        raise Failed(f"there is no property {key!r}")
    return target.get(key)


def _body(action: Mapping[str, Any]) -> Any:
    return (action.get("outputs") or {}).get("body")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value)


def _texts(*values: Any) -> tuple[str, ...]:
    for value in values:
        if not isinstance(value, str):
            raise Failed(f"text is wanted, not {value!r}")
    return values


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Failed(f"a number is wanted, not {value!r}")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Failed(f"true or false is wanted, not {value!r}")
    return value


def _sized(value: Any) -> Sequence[Any] | Mapping[str, Any]:
    if not isinstance(value, str | list | dict):
        raise Failed(f"{value!r} has no length")
    return value


def _taken(value: Any, count: int) -> Any:
    if not isinstance(value, str | list):
        raise Failed(f"nothing can be taken of {value!r}")
    return value[:count]


def _joined(items: Any, separator: str) -> str:
    if not isinstance(items, list):
        raise Failed(f"an array is wanted, not {items!r}")
    return separator.join(_texts(*items))


def _moment(text: Any) -> datetime:
    try:
        return datetime.fromisoformat(*_texts(text))
    except ValueError as error:
        raise Failed(f"{text!r} is no moment") from error


def _ticks(text: Any) -> int:
    return int((_moment(text) - _FIRST_DAY).total_seconds()) * _TICKS_PER_SECOND


def _later(text: Any, hours: int) -> str:
    return (_moment(text) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "concat": lambda *texts: "".join(_texts(*texts)),
    "coalesce": lambda *values: next((each for each in values if each is not None), None),
    "if": lambda condition, yes, no: yes if _truth(condition) else no,
    "equals": lambda one, other: one == other,
    "not": lambda value: not _truth(value),
    "or": lambda *values: True in [_truth(each) for each in values],
    "less": lambda one, other: _whole(one) < _whole(other),
    "greater": lambda one, other: _whole(one) > _whole(other),
    "empty": lambda value: len(_sized(value)) == 0,
    "length": lambda value: len(_sized(value)),
    "toLower": lambda text: _texts(text)[0].lower(),
    "endsWith": lambda text, end: _texts(text)[0].lower().endswith(_texts(end)[0].lower()),
    "take": _taken,
    "join": _joined,
    "json": lambda text: json.loads(_texts(text)[0]),
    "encodeUriComponent": lambda text: quote(_texts(text)[0], safe="-_.~"),
    "ticks": _ticks,
    "addHours": _later,
}
