"""The canonical form of rules files: what it looks like, and that it changes nothing else."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entra_sod.cli.operations.rules.format_yaml import format_yaml
from entra_sod.core.errors import RulesError
from entra_sod.domain.rules.document import Document, SourceFile
from local.processes import CHECKOUT

FILES = [
    *sorted((CHECKOUT / "rules").rglob("*.yaml")),
    *sorted((CHECKOUT / "packs").rglob("*.yaml")),
]
TEXTS = ["a", "Pay invoices", "it's", 'say "no"', "# none", "a: b", "ü", "🙂", "12", "true", ""]


def formatted(text: str) -> str:
    return format_yaml(SourceFile("r.yaml", text))


def value_of(text: str) -> object:
    document = Document(SourceFile("r.yaml", text))
    assert document.problems == []
    return document.value


WIDE = """\
version:   1
rules:
      # about a
      - id: a       # the first
        between:

            - packages: [   # two
                  {id: x},  # named X
                  # and
                  {id:   z}
              ]
            -   groups: [ {id: g},
                          {id: h} ]


        # the end of a
      # before b
      -
        # inside b
        id: b
      # the end of rules
# the end
classes: {}
"""
NARROW = """\
version: 1
rules:
  # about a
  - id: a  # the first
    between:
      - packages:  # two
          - {id: x}  # named X
          # and
          - {id: z}
      - groups: [{id: g}, {id: h}]

    # the end of a
  # before b
  # inside b
  - id: b
  # the end of rules
# the end
classes: {}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WIDE, NARROW),
        ("a:\n- x\n# about b\nb: 1\n", "a:\n  - x\n# about b\nb: 1\n"),
        ("a:\n  b:\n  - x\n  # about c\n  c: 1\n", "a:\n  b:\n    - x\n  # about c\n  c: 1\n"),
        ('a: "x\n  y"  # z\n', "a: x y  # z\n"),
        ("a: x\n  y\n", "a: x y\n"),
        ("? a\n: b\n", "a: b\n"),
        ("---\na: 1\n...\n", "a: 1\n"),
        ("a: 1 # b\r\nc: 2\r\n", "a: 1  # b\nc: 2\n"),
        ("\n\n# a\n\n\n\n# b\n\na: 1", "# a\n\n# b\n\na: 1\n"),
        ("a:\n    |  # why\n    one\n      two\n\nb: 1\n", "a: |  # why\n  one\n    two\n\nb: 1\n"),
        ("a: >-\n        one\n        two\n", "a: >-\n  one\n  two\n"),
        ("a: |2\n    one\n", 'a: "  one\\n"\n'),
        ("a: |+\n one\n\nb: 1\n", "a: |+\n  one\n\nb: 1\n"),
        ("- - a\n  -   b\n", "- - a\n  - b\n"),
        ("{a: [1,2], 'b' : c}", "{a: [1, 2], 'b': c}\n"),
        ("[a: 1]\n", "[{a: 1}]\n"),
        ("a: []  # none\n", "a: []  # none\n"),
        ("a: [  # none\n  ]\n", "a: []\n# none\n"),
        ("-\n- a\n", "-\n- a\n"),
        ("'yes'\n", "'yes'\n"),
    ],
)
def test_the_form_is_the_same_whatever_the_layout_was(text: str, expected: str) -> None:
    """Indentation, blank lines, comments, flow and block style each have one way."""
    assert formatted(text) == expected
    assert formatted(expected) == expected
    assert value_of(expected) == value_of(text)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_our_own_files_are_in_it(file: Path) -> None:
    """What the project ships needs no change."""
    text = file.read_text(encoding="utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [1\nb: 2\n", "r.yaml:2:", ""),
        ("a: 1\na: 2\n", "r.yaml:2:1:", "given twice"),
        ("a: &x 1\nb: *x\n", "r.yaml:1:", "mark of YAML"),
        ("", "r.yaml:1:1:", "empty"),
        ("# only a comment\n", "r.yaml:1:1:", "empty"),
        ("a:\n\t- b\n", "r.yaml:2:", "tab"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(text: str, place: str, words: str) -> None:
    """A mistake of the file, as `validate` names it."""
    with pytest.raises(RulesError) as caught:
        formatted(text)
    assert caught.value.problems[0].startswith(place)
    assert words in caught.value.problems[0]


class Scribe:
    """Writes a value as YAML in an untidy way, with comments in any place that may have one."""

    def __init__(self, seed: int) -> None:
        self._any = random.Random(seed)  # noqa: S311 - layout, no secret
        self.comments: list[str] = []

    def document(self, value: object) -> str:
        return "".join([*self._alone(0), *self._block(value, 0), *self._alone(0)])

    def _chance(self, of: float = 0.3) -> bool:
        return self._any.random() < of

    def _mark(self) -> str:
        self.comments.append(f"#{' ' * self._any.randint(0, 2)}c{len(self.comments)}: {{'\"")
        return self.comments[-1]

    def _alone(self, depth: int) -> list[str]:
        lines: list[str] = []
        while self._chance():
            lines.append("\n" if self._chance() else f"{' ' * depth}{self._mark()}\n")
        return lines

    def _end(self) -> str:
        return f"{' ' * self._any.randint(1, 4)}{self._mark()}\n" if self._chance(0.2) else "\n"

    def _block(self, value: object, depth: int) -> list[str]:
        if isinstance(value, dict) and value:
            return [line for each in value.items() for line in self._pair(*each, depth)]
        if isinstance(value, list) and value:
            return [line for each in value for line in self._element(each, depth)]
        return [" " * depth + self._flow(value, depth + 1) + self._end()]

    def _pair(self, key: str, value: object, depth: int) -> list[str]:
        lines = [*self._alone(depth), f"{' ' * depth}{self._text(key, is_key=True)}:"]
        return self._below(lines, value, depth, self._any.randint(1, 4))

    def _element(self, value: object, depth: int) -> list[str]:
        lines = [*self._alone(depth), f"{' ' * depth}-"]
        return self._below(lines, value, depth, self._any.randint(1, 4))

    def _below(self, lines: list[str], value: object, depth: int, step: int) -> list[str]:
        if isinstance(value, dict | list) and value and self._chance(0.6):
            lines[-1] += self._end()
            return [*lines, *self._alone(depth + step), *self._block(value, depth + step)]
        lines[-1] += " " * self._any.randint(1, 3) + self._flow(value, depth + 1) + self._end()
        return lines

    def _flow(self, value: object, depth: int) -> str:
        match value:
            case dict():
                pairs = (self._flow_pair(*each, depth) for each in value.items())
                return self._bracketed("{}", list(pairs), depth)
            case list():
                return self._bracketed("[]", [self._flow(each, depth) for each in value], depth)
            case str():
                return self._text(value)
            case _:
                return json.dumps(value)

    def _flow_pair(self, key: str, value: object, depth: int) -> str:
        gap = self._gap(depth) or " "
        return f"{self._text(key, is_key=True)}:{gap}{self._flow(value, depth)}"

    def _bracketed(self, brackets: str, parts: list[str], depth: int) -> str:
        inner = ",".join(f"{self._gap(depth)}{part}{self._gap(depth)}" for part in parts)
        return f"{brackets[0]}{inner}{self._gap(depth) if parts else ''}{brackets[1]}"

    def _gap(self, depth: int) -> str:
        if not self._chance(0.2):
            return " " * self._any.randint(0, 2)
        comment = f" {self._mark()}" if self._chance() else ""
        return f"{comment}\n{' ' * depth}"

    def _text(self, text: str, *, is_key: bool = False) -> str:
        is_plain = re.fullmatch(r"[a-zA-Zü🙂][\w ]*", text) and text not in {"true", "null"}
        if is_plain and self._chance(0.6):
            return text
        if self._chance() and not is_key and "\n" not in text:
            return "'" + text.replace("'", "''") + "'"
        return json.dumps(text, ensure_ascii=self._chance())


SCALARS = st.one_of(
    st.sampled_from(TEXTS),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8),
    st.integers(),
    st.booleans(),
    st.none(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from([each for each in TEXTS if each]), inner, max_size=4),
    ),
    max_leaves=12,
)


def marks(text: str) -> list[str]:
    return sorted(re.findall(r"#\s*c\d+: \{'\"", text))


@settings(max_examples=400, deadline=None)
@given(VALUES, st.integers(0, 2**32))
def test_meaning_and_comments_stay_and_twice_is_once(value: Any, seed: int) -> None:
    """Of any value in any layout with comments anywhere: no file is refused, none loses a word."""
    scribe = Scribe(seed)
    text = scribe.document(value)
    before = Document(SourceFile("r.yaml", text))
    if before.problems:  # rules have no use for it: an unprintable sign, an empty value
        return
    once = formatted(text)
    assert repr(value_of(once)) == repr(before.value)
    assert marks(once) == sorted(each.rstrip() for each in scribe.comments)
    assert formatted(once) == once
