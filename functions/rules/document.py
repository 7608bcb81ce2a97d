"""A YAML document that knows where everything stands, for messages as `file:line:column`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import yaml

from functions.shape import Mistake, Path

LARGEST_FILE = 1024 * 1024
_TOO_LARGE = f"a rules file may have {LARGEST_FILE} bytes; split it"
DEEPEST = 20
MOST_NODES = 200_000  # a mebibyte of real rules has fewer


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One rules file, by the name that messages use."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Problem:
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
        return f"{self.file}:{self.line}:{self.column}: {kind}{self.message}"


# libyaml reads a file of the largest size in a second; Python alone takes seven.
_FastLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LEFT_AS_TEXT = {f"tag:yaml.org,2002:{kind}" for kind in ("timestamp", "merge", "value")}
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # what YAML takes for one
_NO_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Loader(_FastLoader):  # type: ignore[valid-type,misc]  # one of two, as installed
    """Dates stay text: the language's own types read them, and say what is wrong with them.

    So do `<<` and `=`: as unknown fields they are named where they stand.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class's way
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _LEFT_AS_TEXT]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def decode(name: str, data: bytes) -> SourceFile | Problem:
    """Make a rules file of bytes, or say why they are none."""
    if len(data) > LARGEST_FILE:
        return Problem(name, 1, 1, _TOO_LARGE)
    try:
        return SourceFile(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="replace")
        line, column = _position(before)
        return Problem(name, line + 1, column + 1, f"not UTF-8 text: {error.reason}")


def _position(before: str) -> tuple[int, int]:
    """The line and column, from 0, that follow a text."""
    lines = _LINE_END.split(before)
    return len(lines) - 1, len(lines[-1])


type _Child = tuple[yaml.Node, yaml.Node]
_START = yaml.Mark("", 0, 0, 0, None, 0)


class Document:
    """One file, parsed.

    Attributes:
        problems: what is wrong with it as YAML.
        is_read: whether there is a `value`; it may have problems all the same.
    """

    def __init__(self, file: SourceFile) -> None:
        self._name = file.name
        self._last_line = 0
        self._root: yaml.Node | None = None
        self._children: dict[int, Mapping[object, _Child]] = {}
        self.problems: list[Problem] = []
        self.is_read = False
        self.value: object = None
        if len(file.text) > LARGEST_FILE:
            self._say(0, 0, _TOO_LARGE)
        else:
            self._last_line = _position(file.text)[0]
            self._load(file.text)

    def place(self, mistake: Mistake, *, is_warning: bool = False) -> Problem:
        """Say where in the file a mistake stands: at its node, or the nearest one around it."""
        mark = self._mark(mistake)
        steps = (*mistake.path, mistake.key)
        words = ".".join(str(step) for step in steps if step is not None)
        return self._problem(
            mark.line, mark.column, f"{words} {mistake.detail}".strip(), is_warning
        )

    def _load(self, text: str) -> None:
        if found := _NO_TEXT.search(text):
            line, column = _position(text[: found.start()])
            self._say(line, column, f"not YAML: U+{ord(found[0]):04X} is not allowed")
            return
        try:
            _refuse_endless(text)
            self._root = yaml.compose(text, Loader=_Loader)
            if self._root is None:
                self._say(0, 0, "the file is empty: give version: 1 and rules")
                return
            self.problems += [self.place(mistake) for mistake in _repeated_keys(self._root, ())]
            self.value = yaml.constructor.SafeConstructor().construct_document(self._root)
            self.is_read = True
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line, mark.column) if mark else (0, 0)
            self._say(line, column, f"not YAML: {error.problem or error.context}")
        except (yaml.YAMLError, ValueError) as error:
            self._say(0, 0, f"not YAML: {str(error).splitlines()[0]}")

    def _mark(self, mistake: Mistake) -> yaml.Mark:
        node, mark = self._root, self._root.start_mark if self._root else _START
        for step in (*mistake.path, mistake.key):
            found = self._child(node, step)
            if found is None:
                break
            key, node = found
            mark = key.start_mark if step == mistake.key else node.start_mark
        return mark

    def _child(self, node: yaml.Node | None, step: str | int | None) -> _Child | None:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            element = node.value[step]
            return element, element
        if isinstance(node, yaml.MappingNode):
            if id(node) not in self._children:
                self._children[id(node)] = {
                    key.value: (key, value)
                    for key, value in node.value
                    if isinstance(key, yaml.ScalarNode)
                }
            return self._children[id(node)].get(step)
        return None

    def _say(self, line: int, column: int, message: str) -> None:
        self.problems.append(self._problem(line, column, message, is_warning=False))

    def _problem(self, line: int, column: int, message: str, is_warning: bool) -> Problem:  # noqa: FBT001
        # The end of the text counts as a line of its own in libyaml's marks.
        line = min(line, self._last_line)
        return Problem(self._name, line + 1, column + 1, message, is_warning)


def _refuse_endless(text: str) -> None:
    """Aliases, deep nesting and endless lists let a small file cost much; rules need none.

    Tags would have YAML make values of text that is none: `!!bool perhaps` ends in a KeyError.
    """
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_FastLoader)):
        mark = cast("yaml.Mark", event.start_mark)
        if number > MOST_NODES:
            raise yaml.MarkedYAMLError(
                problem="too many values for one file: split it", problem_mark=mark
            )
        if getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(
                problem="tags (!name) are not for rules files", problem_mark=mark
            )
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="aliases (*name) are not for rules files; use classes", problem_mark=mark
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem="nested too deep", problem_mark=mark)


def _repeated_keys(node: yaml.Node, path: Path) -> Iterator[Mistake]:
    """A key given twice: YAML would keep the last in silence."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield Mistake(path, "is given twice", name)
            seen.add(name)
            yield from _repeated_keys(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, element in enumerate(node.value):
            yield from _repeated_keys(element, (*path, index))
