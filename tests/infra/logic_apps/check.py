"""What a definition has to be before it can run: known parts, names that exist, paths that meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.logic_apps.evaluate import CONTEXTUAL, FUNCTIONS
from local.logic_apps.syntax import Call, Literal, expressions, parse

type Json = dict[str, Any]

_ALWAYS = {"type", "runAfter"}
_HTTP = {"method", "uri", "headers", "body", "authentication", "retryPolicy"}
# the keys that an action of each type has, and those that it may have
KEYS: dict[str, tuple[set[str], set[str]]] = {
    "Compose": ({"inputs"}, set()),
    "Select": ({"inputs"}, set()),
    "Response": ({"inputs", "kind"}, {"operationOptions"}),
    "Http": ({"inputs"}, {"operationOptions", "runtimeConfiguration", "limit"}),
    "HttpWebhook": ({"inputs"}, {"limit"}),
    "Scope": ({"actions"}, set()),
    "If": ({"expression", "actions", "else"}, set()),
    "Switch": ({"expression", "cases", "default"}, set()),
    "Terminate": ({"inputs"}, set()),
}
INPUTS: dict[str, set[str]] = {
    "Select": {"from", "select"},
    "Response": {"statusCode", "headers", "body"},
    "Http": _HTTP,
    "HttpWebhook": {"subscribe", "unsubscribe"},
    "Terminate": {"runStatus", "runError"},
}
STATUSES = {"Succeeded", "Failed", "Skipped", "TimedOut"}
_OF_ACTIONS = {"actions", "outputs", "body"}


@dataclass(frozen=True, slots=True)
class Placed:
    """An action, and the names whose results it may use: those it runs after, and those inside."""

    name: str
    action: Json
    in_reach: frozenset[str]


def problems(definition: Json) -> list[str]:
    """Everything that is wrong with a definition."""
    placed = list(walk(definition["actions"]))
    names = [each.name for each in placed]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [
        *(f"{name} stands there twice" for name in twice),
        *(wrong for each in placed for wrong in _of_action(each)),
        *(wrong for each in placed for wrong in _of_expressions(each, definition["parameters"])),
        *_unused(definition),
    ]


def walk(actions: Json, reach: frozenset[str] = frozenset()) -> Iterator[Placed]:
    """Every action of a level and of those below it."""
    for name, action in actions.items():
        own = reach | _before(name, actions)
        yield Placed(name, action, own)
        for level in levels(action):
            yield from walk(level, own)


def levels(action: Json) -> list[Json]:
    """The groups of actions inside an action."""
    cases = [case["actions"] for case in action.get("cases", {}).values()]
    other = [action[name]["actions"] for name in ("else", "default") if name in action]
    return [*([action["actions"]] if "actions" in action else []), *cases, *other]


def all_names(definition: Json) -> set[str]:
    """Every action of a definition, at whatever depth."""
    return {each.name for each in walk(definition["actions"])}


def _before(name: str, actions: Json) -> frozenset[str]:
    """Whatever ends before an action of the same level runs, with all that is inside it."""
    found: set[str] = set()
    waiting = list(actions[name].get("runAfter", {}))
    while waiting:
        before = waiting.pop()
        if before in actions and before not in found:
            found.add(before)
            found.update(each.name for level in levels(actions[before]) for each in walk(level))
            waiting += actions[before].get("runAfter", {})
    return frozenset(found)


def _of_action(placed: Placed) -> Iterator[str]:
    name, action = placed.name, placed.action
    if action.get("type") not in KEYS:
        yield f"{name} is of an unknown type"
        return
    wanted, allowed = KEYS[action["type"]]
    if wanted - action.keys() or "runAfter" not in action:
        yield f"{name} lacks {sorted((wanted | _ALWAYS) - action.keys())}"
    if extra := action.keys() - wanted - allowed - _ALWAYS:
        yield f"{name} has {sorted(extra)}"
    if action["type"] in INPUTS and (extra := action["inputs"].keys() - INPUTS[action["type"]]):
        yield f"{name} has inputs {sorted(extra)}"
    for level in levels(action):
        yield from _of_order(level)


def _of_order(actions: Json) -> Iterator[str]:
    for name, action in actions.items():
        for before, statuses in action.get("runAfter", {}).items():
            if before not in actions:
                yield f"{name} runs after {before}, which is not beside it"
            if not statuses or set(statuses) - STATUSES:
                yield f"{name} runs after {before} at {statuses}"
            if name in _before(before, actions) if before in actions else False:
                yield f"{name} and {before} wait for each other"


def _of_expressions(placed: Placed, parameters: Json) -> Iterator[str]:
    for call in calls(_own(placed.action)):
        given = [each.value for each in call.arguments if isinstance(each, Literal)]
        if call.name not in FUNCTIONS and call.name not in CONTEXTUAL:
            yield f"{placed.name} uses the function {call.name}"
        if call.name == "parameters" and given[0] not in parameters:
            yield f"{placed.name} uses the parameter {given[0]}"
        if call.name in _OF_ACTIONS and given[0] not in placed.in_reach:
            yield f"{placed.name} uses {given[0]}, which it does not run after"


def _own(action: Json) -> Json:
    """An action without the actions inside it."""
    return {name: action[name] for name in ("inputs", "expression") if name in action}


def calls(template: Any) -> Iterator[Call]:
    """Every function call in a part of a definition."""
    if isinstance(template, str):
        yield from (each for each in expressions(parse(template)) if isinstance(each, Call))
    elif isinstance(template, list):
        for each in template:
            yield from calls(each)
    elif isinstance(template, dict):
        for each in template.values():
            yield from calls(each)


def _unused(definition: Json) -> Iterator[str]:
    used = {
        call.arguments[0].value
        for call in calls({key: definition[key] for key in ("actions", "triggers")})
        if call.name == "parameters" and isinstance(call.arguments[0], Literal)
    }
    yield from (
        f"nothing uses the parameter {name}" for name in definition["parameters"].keys() - used
    )
    yield from _of_order(definition["actions"])
