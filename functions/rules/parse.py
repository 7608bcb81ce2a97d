"""From the text of rules files to rules, or to every mistake as `file:line:column: message`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec
import yaml

from functions.errors import RulesError
from functions.rules.language import Rule, RulesFile, Side
from functions.shape import Mistake, Path, find_mistakes

LARGEST_FILE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One rules file, by the name that messages use."""

    name: str
    text: str


def parse_rules(files: Iterable[SourceFile]) -> list[Rule]:
    """Read all rules of all files, in order of their ids.

    Raises:
        RulesError: with every mistake of every file.
    """
    problems: list[str] = []
    rules: dict[str, Rule] = {}
    for file in files:
        document = _Document(file)
        for rule, path in document.rules():
            if rule.id in rules:
                document.complain(Mistake((*path, "id"), f"rule {rule.id} exists already"))
            rules[rule.id] = rule
        problems += document.problems
    if problems:
        raise RulesError(problems)
    return [rules[key] for key in sorted(rules)]


class _Document:
    """One file while it is read: its YAML nodes know where everything stands."""

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self._root: yaml.Node | None = None
        self.problems: list[str] = []

    def rules(self) -> Iterator[tuple[Rule, Path]]:
        if not self._compose() or not self._check(find_mistakes(RulesFile, self._value())):
            return
        parsed = msgspec.convert(self._value(), RulesFile)
        for index, rule in enumerate(parsed.rules):
            path: Path = ("rules", index)
            if self._check(list(_meaningless(rule, path))):
                yield rule, path

    def complain(self, mistake: Mistake) -> None:
        mark = _mark(self._root, mistake)
        words = ".".join(str(step) for step in (*mistake.path, mistake.key) if step is not None)
        self._say(mark.line, mark.column, f"{words} {mistake.detail}".strip())

    def _check(self, mistakes: Sequence[Mistake]) -> bool:
        for mistake in mistakes:
            self.complain(mistake)
        return not mistakes

    def _compose(self) -> bool:
        if len(self._file.text) > LARGEST_FILE:
            self._say(0, 0, f"a rules file may have {LARGEST_FILE} characters; split it")
            return False
        try:
            self._refuse_aliases()
            self._root = yaml.compose(self._file.text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line, mark.column) if mark else (0, 0)
            self._say(line, column, f"not YAML: {error.problem or error.context}")
        except yaml.YAMLError as error:
            self._say(0, 0, f"not YAML: {error}")
        if self._root is None and not self.problems:
            self._say(0, 0, "the file is empty: give version: 1 and rules")
        return not self.problems and self._check(list(_repeated_keys(self._root, ())))

    def _refuse_aliases(self) -> None:
        """Aliases let a small file stand for an endless one, and rules have no need of them."""
        for event in yaml.parse(self._file.text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise yaml.MarkedYAMLError(
                    problem="aliases (*name) are not for rules files; write it out",
                    problem_mark=cast("yaml.Mark", event.start_mark),
                )

    def _value(self) -> object:
        return _plain(self._root)

    def _say(self, line: int, column: int, message: str) -> None:
        self.problems.append(f"{self._file.name}:{line + 1}:{column + 1}: {message}")


def _meaningless(rule: Rule, path: Path) -> Iterator[Mistake]:
    """Find what the grammar allows and nobody can mean."""
    between: Path = (*path, "between")
    if len(rule.between) < 2:  # noqa: PLR2004 - apart takes two
        yield Mistake(between, "needs two sides or more to keep apart")
        return
    for index, side in enumerate(rule.between):
        if not side.packages and not side.groups:
            yield Mistake((*between, index), "selects nothing: give packages, groups or both")
    if not _keeps_apart(rule.between):
        yield Mistake(between, "keeps nothing apart: no package stands against another side")


def _keeps_apart(sides: Sequence[Side]) -> bool:
    for index, side in enumerate(sides):
        others = [other for place, other in enumerate(sides) if place != index]
        packages = {selector.id for other in others for selector in other.packages}
        groups = any(other.groups for other in others)
        if any(groups or packages - {selector.id} for selector in side.packages):
            return True
    return False


def _repeated_keys(node: yaml.Node | None, path: Path) -> Iterator[Mistake]:
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


def _plain(node: yaml.Node | None) -> object:
    if node is None:
        return None
    constructor = yaml.constructor.SafeConstructor()
    return constructor.construct_document(node)


def _mark(root: yaml.Node | None, mistake: Mistake) -> yaml.Mark:
    """Where a mistake stands: its own node, or the nearest one around it."""
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
