"""A YAML document that knows where everything stands, for messages as `file:line:column`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import msgspec
import yaml

from entra_sod.core.names import visible
from entra_sod.core.validation import Mistake
from entra_sod.domain.rules.nodes import Composer, Node, Unfit
from entra_sod.domain.rules.yaml_slips import is_wide, why_not_utf8, why_not_yaml

MAX_FILE_BYTES = 1024 * 1024
_TOO_LARGE = f"a rules file may have {MAX_FILE_BYTES} bytes; split it"
MAX_PROBLEMS = 1000  # mistakes of one file


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One rules file, by the name that messages use."""

    name: str
    text: str


class RulesProblem(msgspec.Struct, frozen=True, order=True):
    """Something to say about a place in a file, counted from 1.

    A warning is worth a look; without `is_warning` the file cannot be used as it stands.
    """

    file: str
    line: int
    column: int
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.is_warning else ""
        return visible(f"{self.file}:{self.line}:{self.column}: {kind}{self.message}")


_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # what YAML takes for one
_NO_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def decode(name: str, data: bytes) -> SourceFile | RulesProblem:
    """Make a rules file of bytes, or say why they are none."""
    if len(data) > MAX_FILE_BYTES:
        return RulesProblem(name, 1, 1, _TOO_LARGE)
    if is_wide(data):
        return RulesProblem(name, 1, 1, "this is UTF-16, save as UTF-8")
    try:
        return SourceFile(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="replace")
        line, column = _position(before)
        return RulesProblem(name, line + 1, column + 1, why_not_utf8(data, error.start))


def _position(before: str) -> tuple[int, int]:
    """The line and column, from 0, that follow a text."""
    lines = _LINE_END.split(before)
    return len(lines) - 1, len(lines[-1])


_START = yaml.Mark("", 0, 0, 0, None, 0)


def _told(error: yaml.MarkedYAMLError, text: str) -> str:
    """What the parser says, or this file's own words for what rules have no use for."""
    if isinstance(error, Unfit):
        return str(error.problem)
    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark]
    last = max(marks, default=0)
    lines = islice(text.splitlines(), max(0, last - 1), last + 1)
    return why_not_yaml(" ".join(filter(None, (error.problem, error.context))), lines)


class Document:
    """One file, parsed.

    Attributes:
        problems: what is wrong with it as YAML.
        is_read: whether there is a `value`; it may have problems all the same.
    """

    def __init__(self, file: SourceFile) -> None:
        self._name = file.name
        self._last_line = 0
        self._root: Node | None = None
        self._room = MAX_PROBLEMS + 1
        self.problems: list[RulesProblem] = []
        self.is_read = False
        self.value: object = None
        if len(file.text) > MAX_FILE_BYTES:
            self._add_problem(0, 0, _TOO_LARGE)
        else:
            self._last_line = _position(file.text)[0]
            self._load(file.text)

    def place(self, mistake: Mistake, *, is_warning: bool = False) -> RulesProblem:
        """Say where in the file a mistake stands: at its node, or the nearest one around it."""
        mark = self._mark(mistake)
        steps = (*mistake.path, mistake.key)
        words = ".".join(str(step) for step in steps if step is not None)
        return self._problem(
            mark.line, mark.column, f"{words} {mistake.detail}".strip(), is_warning
        )

    def add_mistakes(self, mistakes: Iterable[Mistake]) -> list[RulesProblem]:
        """Place mistakes until the file has one more than are named; others are not looked for.

        A small file can have half a million, which no person reads and a log cannot hold.
        """
        taken = [self.place(mistake) for mistake in islice(mistakes, self._room)]
        self._room -= len(taken)
        return taken

    def _load(self, text: str) -> None:
        if found := _NO_TEXT.search(text):
            line, column = _position(text[: found.start()])
            self._add_problem(line, column, f"holds U+{ord(found[0]):04X}, which is no text")
            return
        composer = Composer(text)
        self._compose(composer, text)
        for path, place, detail in islice(composer.slips, MAX_PROBLEMS + 1):
            words = ".".join(map(str, path))
            self._add_problem(place.line, place.column, f"{words} {detail}")

    def _compose(self, composer: Composer, text: str) -> None:
        try:
            self._root = composer.root()
            if self._root is None:
                self._add_problem(0, 0, "the file is empty: give version: 1 and rules")
                return
            self.value, self.is_read = self._root.value, True
        except yaml.MarkedYAMLError as error:
            is_open = "quoted scalar" in (error.context or "")
            mark = (error.context_mark if is_open else error.problem_mark) or _START
            self._add_problem(mark.line, mark.column, _told(error, text))
        except (yaml.YAMLError, ValueError) as error:
            self._add_problem(0, 0, f"not YAML: {str(error).splitlines()[0]}")

    def _mark(self, mistake: Mistake) -> yaml.Mark:
        node, mark = self._root, self._root.mark if self._root else _START
        for step in (*mistake.path, mistake.key):
            found = node.child(step) if node else None
            if found is None:
                break
            place, node = found
            mark = place if step == mistake.key else node.mark
        return mark

    def _add_problem(self, line: int, column: int, message: str) -> None:
        self.problems.append(self._problem(line, column, message, is_warning=False))

    def _problem(self, line: int, column: int, message: str, is_warning: bool) -> RulesProblem:  # noqa: FBT001
        # The end of the text counts as a line of its own in libyaml's marks.
        line = min(line, self._last_line)
        return RulesProblem(self._name, line + 1, column + 1, message, is_warning)
