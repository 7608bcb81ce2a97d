"""Rules files of the largest size that are hard to read, or cheap to write and dear to check.

Each has as much of one thing as fits: a mebibyte, or the most values that a file may have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from uuid import UUID

from entra_sod.domain.rules.document import MAX_FILE_BYTES
from entra_sod.domain.rules.nodes import MAX_EVENTS

HEAD = "version: 1\n"
_FRAME = 100  # more values than what stands around the lines
_RULE = 33
_BETWEEN = "between: [{classes: [a]}, {classes: [b]}]"


def _filled(head: str, line: Callable[[int], str], events: int, tail: str = "") -> str:
    """As many lines as fit; `events` is how many values, and ends of values, one of them has."""
    return head + "".join(_lines(line, MAX_FILE_BYTES - len(head + tail), events)) + tail


def _lines(line: Callable[[int], str], room: int, events: int) -> Iterator[str]:
    for number in count():
        text = line(number)
        room -= len(text)
        if room < 0 or (number + 1) * events > MAX_EVENTS - _FRAME:
            return
        yield text


def _id(number: int) -> str:
    return str(UUID(int=number))


def _classes(packages: int) -> str:
    """A class `a` of many packages and a class `b` of one."""
    ids = "".join(f"  - id: {_id(number)}\n" for number in range(packages))
    return (
        f"{HEAD}classes:\n b: {{packages: [{{id: {UUID(int=2**100)}}}]}}\n a:\n  packages:\n{ids}"
    )


def _rule(number: int, body: str) -> str:
    mode = "enforce" if number % 2 else "record"
    return f"- {{id: r{number}, title: t, severity: low, owner: o, mode: {mode}, {body}}}\n"


def _rules(packages: int, body: str) -> str:
    classes = _classes(packages) + "rules:\n"
    rules = _filled("", lambda number: _rule(number, body), _RULE).splitlines(keepends=True)
    fitting = (MAX_FILE_BYTES - len(classes)) // len(rules[-1])
    allowed = (MAX_EVENTS - 4 * packages - _FRAME) // _RULE
    return classes + "".join(rules[: min(fitting, allowed)])


def _circle(size: int) -> str:
    lines = [f" c{each}: {{classes: [c{(each + 1) % size}, c0]}}\n" for each in range(size)]
    return HEAD + "classes:\n" + "".join(lines)


CASES: dict[str, Callable[[], str]] = {
    "classes that each name an unknown one": lambda: _filled(
        HEAD + "classes:\n", lambda n: f" c{n}: {{classes: [nosuchclass{n}]}}\n", 7
    ),
    "a class that names unknown ones": lambda: _filled(
        HEAD + "classes:\n a:\n  classes:\n", lambda _: "  - x\n", 1
    ),
    "classes in circles": lambda: _circle(13_000),
    "rules of unknown fields": lambda: _filled(
        HEAD + "rules:\n", lambda n: f"- {{titel{n}: 1}}\n", 4
    ),
    "rules without their fields": lambda: _filled(
        HEAD + "rules:\n", lambda n: f"- {{id: r{n}}}\n", 4
    ),
    "a field given again and again": lambda: _filled(HEAD, lambda _: "aa: 1\n", 2),
    "names like fields": lambda: _filled(HEAD, lambda n: f"clazzes{n}: 1\n", 2),
    "a flat list": lambda: _filled(HEAD + "rules: [", lambda _: "a,", 1, "]"),
    "a flat list of numbers": lambda: _filled(HEAD + "rules: [", lambda n: f"{n}.5,", 1, "]"),
    "lists in lists": lambda: _filled(HEAD + "x:\n", lambda _: f"- {'[' * 16}a{']' * 16}\n", 33),
    "more values than allowed": lambda: HEAD + "x: [" + "1," * 500_000 + "]",
    "aliases": lambda: HEAD + "x: &a [a]\ny: [" + "*a," * 300_000 + "]",
    "one text": lambda: HEAD + "x: " + "a" * (MAX_FILE_BYTES - 100),
    "one number of base 60": lambda: HEAD + "x: 1" + ":59" * 340_000,
    "tabs": lambda: HEAD + "\t" * (MAX_FILE_BYTES - 100),
    "names with tabs": lambda: _filled(HEAD + "x:\n", lambda n: f" a{n}:\t1\n", 2),
    "exceptions from unknown rules": lambda: _filled(
        HEAD + "exceptions:\n",
        lambda n: (
            f"- {{id: e{n}, rule: r{n}, subject: {_id(n)}, from: 2026-01-01, until: 2026-02-01, "
            "reason: r, requestedBy: a, approvedBy: b}\n"
        ),
        18,
    ),
    "patterns that fit everything": lambda: _filled(
        HEAD + "classes:\n a:\n  packages:\n", lambda _: "  - {name: '*'}\n", 4
    ),
    "two opposite rules for 20,000 packages": lambda: _rules(
        20_000, "atMost: {count: 1, classes: [a]}"
    ),
    "opposite rules for one pair": lambda: _rules(1, _BETWEEN),
    "rules that share a class of 10,000 packages": lambda: _rules(10_000, _BETWEEN),
    "sets that share a class of 10,000 packages": lambda: _rules(
        10_000, "atMost: {count: 1, classes: [a]}"
    ),
}
