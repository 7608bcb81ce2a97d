"""The evaluator: what it gives, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from local.logic_apps.evaluate import Context, Failed
from local.logic_apps.syntax import Refused
from local.logic_apps.walk import NOW

BODY: dict[str, Any] = {"Id": "7", "Deep": {"Er": "x"}, "None": None}
CONTEXT = Context(parameters={"p": "value"}, trigger_body=BODY, now=NOW)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("text", "text"),
        ("@@text", "@text"),
        ("@triggerBody()?['Id']", "7"),
        ("@triggerBody()?['Deep']?['Er']", "x"),
        ("@triggerBody()?['None']?['Er']", None),
        ("a @{parameters('p')} b @{triggerBody()?['None']}!", "a value b !"),
        ("@concat('it''s ', if(equals(1, 1), 'so', 'not so'))", "it's so"),
        ("@coalesce(triggerBody()?['Nothing'], 'other')", "other"),
        ("@less(ticks('2026-11-21T00:00:00Z'), ticks(utcNow()))", True),
        ("@addHours(utcNow(), -26)", "2026-11-21T04:00:00Z"),
        ("@take(json('[1, 2, 3]'), 2)", [1, 2]),
        ({"@@odata.type": "@parameters('p')"}, {"@odata.type": "value"}),
    ],
)
def test_an_expression_has_its_value(template: Any, value: Any) -> None:
    """Literals, paths, interpolation, escapes and functions give what Logic Apps gives."""
    assert CONTEXT.value(template) == value


@pytest.mark.parametrize(
    "template", ["@upper('x')", "@concat('a'", "@concat('a') b", "@{concat('a')", "@", "@1 + 1"]
)
def test_what_is_not_known_is_refused(template: str) -> None:
    """An unknown function or broken syntax stops the test; it is never taken for a value."""
    with pytest.raises(Refused):
        CONTEXT.value(template)


@pytest.mark.parametrize(
    "template",
    [
        "@triggerBody()['Nothing']",
        "@triggerBody()?['Id']?['x']",
        "@concat('a', triggerBody()?['None'])",
        "@if('yes', 1, 2)",
        "@toLower(triggerBody()?['None'])",
        "@if(equals(1, 1), 'a', concat(triggerBody()?['None']))",
        "@ticks('yesterday')",
    ],
)
def test_what_would_fail_in_a_run_fails(template: str) -> None:
    """Null where text is wanted fails, also in the branch of an `if` that is not taken."""
    with pytest.raises(Failed):
        CONTEXT.value(template)
