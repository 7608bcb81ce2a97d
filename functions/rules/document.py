"""A YAML document that knows where everything stands, for messages as `file:line:column`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import yaml

from functions.shape import Mistake, Path

LARGEST_FILE = 1024 * 1024
DEEPEST = 20


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


class _Loader(yaml.SafeLoader):
    """Dates stay text: the language's own types read them, and say what is wrong with them."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class's way
        first: [
            (tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class Document:
    """One file, parsed; `value` is None where `problems` has what kept it from that."""

    def __init__(self, file: SourceFile) -> None:
        self._name = file.name
        self._root: yaml.Node | None = None
        self.problems: list[Problem] = []
        self.value: object = None
        self._load(file.text)

    def place(self, mistake: Mistake, *, is_warning: bool = False) -> Problem:
        """Say where in the file a mistake stands: at its node, or the nearest one around it."""
        mark = _mark(self._root, mistake)
        steps = (*mistake.path, mistake.key)
        words = ".".join(str(step) for step in steps if step is not None)
        return self._problem(
            mark.line, mark.column, f"{words} {mistake.detail}".strip(), is_warning
        )

    def _load(self, text: str) -> None:
        if len(text) > LARGEST_FILE:
            self._say(0, 0, f"a rules file may have {LARGEST_FILE} characters; split it")
            return
        try:
            _refuse_endless(text)
            self._root = yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line, mark.column) if mark else (0, 0)
            self._say(line, column, f"not YAML: {error.problem or error.context}")
        except yaml.YAMLError as error:
            self._say(0, 0, f"not YAML: {str(error).splitlines()[0]}")
        else:
            self._read()

    def _read(self) -> None:
        if self._root is None:
            self._say(0, 0, "the file is empty: give version: 1 and rules")
            return
        self.problems += [self.place(mistake) for mistake in _repeated_keys(self._root, ())]
        if not self.problems:
            try:
                self.value = yaml.constructor.SafeConstructor().construct_document(self._root)
            except (yaml.YAMLError, ValueError) as error:
                self._say(0, 0, f"not YAML: {str(error).splitlines()[0]}")

    def _say(self, line: int, column: int, message: str) -> None:
        self.problems.append(self._problem(line, column, message, is_warning=False))

    def _problem(self, line: int, column: int, message: str, is_warning: bool) -> Problem:  # noqa: FBT001
        return Problem(self._name, line + 1, column + 1, message, is_warning)


def _refuse_endless(text: str) -> None:
    """Aliases and deep nesting let a small file cost much; rules have no need of either."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        mark = cast("yaml.Mark", event.start_mark)
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


def _mark(root: yaml.Node | None, mistake: Mistake) -> yaml.Mark:
    node, mark = root, root.start_mark if root else yaml.Mark("", 0, 0, 0, None, 0)
    for step in (*mistake.path, mistake.key):
        found = _child(node, step)
        if found is None:
            break
        key, node = found
        mark = key.start_mark if step == mistake.key else node.start_mark
    return mark


def _child(node: yaml.Node | None, step: str | int | None) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        element = node.value[step]
        return element, element
    if isinstance(node, yaml.MappingNode):
        children: Mapping[object, tuple[yaml.Node, yaml.Node]] = {
            key.value: (key, value) for key, value in node.value
        }
        return children.get(step)
    return None
