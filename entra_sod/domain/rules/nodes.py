"""YAML text to values that know where they begin, in one pass; refuses what rules do not need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import yaml

from entra_sod.core.validation import Path
from entra_sod.domain.rules.yaml_slips import why_not_text

MAX_DEPTH = 20
MAX_EVENTS = 125_000  # a mebibyte of packages by id has 90,000, of usual rules likewise
# Longer digits are no number that a rule has, and slow to read. Nor is base 60: 12:30 is text.
MAX_NUMBER_LENGTH = 40

# libyaml reads a file of the largest size in a fifth of a second; Python alone takes seven.
_FastLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Dates stay text: the language's own types read them, and say what is wrong with them. So do `<<`
# and `=`: as unknown fields they are named where they stand.
_READ = {
    "tag:yaml.org,2002:null": yaml.constructor.SafeConstructor.construct_yaml_null,
    "tag:yaml.org,2002:bool": yaml.constructor.SafeConstructor.construct_yaml_bool,
    "tag:yaml.org,2002:int": yaml.constructor.SafeConstructor.construct_yaml_int,
    "tag:yaml.org,2002:float": yaml.constructor.SafeConstructor.construct_yaml_float,
}
_RESOLVERS: Mapping[str, list[tuple[str, re.Pattern[str]]]] = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _READ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_CONSTRUCTOR = yaml.constructor.SafeConstructor()


@dataclass(slots=True)
class Node:
    """A value, where it begins, and what is within: by index, or by name with the name's place."""

    mark: yaml.Mark
    value: object
    children: list[Node] | dict[str, tuple[yaml.Mark, Node]] | None = None

    def child(self, step: str | int | None) -> tuple[yaml.Mark, Node] | None:
        """The place of a name, or of an element, and the node there."""
        if isinstance(self.children, list) and isinstance(step, int):
            element = self.children[step]
            return element.mark, element
        if isinstance(self.children, dict) and isinstance(step, str):
            return self.children.get(step)
        return None


class Composer:
    """Reads one text.

    Attributes:
        slips: the path, the place and what is wrong, for each name that is given again, of which
            YAML would keep the last in silence, and each without a value, such as `name: #1`.
    """

    def __init__(self, text: str) -> None:
        self._events = self._limited(text)
        self._path: list[str | int] = []
        self._unfit: yaml.Mark | None = None
        self.slips: list[tuple[Path, yaml.Mark, str]] = []

    def root(self) -> Node | None:
        """Compose the one document of the text; None where there is none.

        Raises:
            yaml.YAMLError: the text is no YAML, or YAML that rules have no use for.
        """
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _refused("but found another document", _start(event))
                root = self._node(next(self._events))
        if self._unfit:
            raise _refused("a name must be text, not a list or mapping", self._unfit)
        return root

    def _node(self, event: yaml.Event) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            if event.implicit[0] and (why := why_not_text(event.value)):
                raise _refused(why, _start(event))
            return Node(_start(event), _scalar(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event)
        return self._mapping(event)

    def _sequence(self, start: yaml.Event) -> Node:
        found: list[Node] = []
        self._path.append(0)
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            self._path[-1] = len(found)
            found.append(self._node(event))
        self._path.pop()
        return Node(_start(start), [each.value for each in found], found)

    def _mapping(self, start: yaml.Event) -> Node:
        found: dict[str, tuple[yaml.Mark, Node]] = {}
        values: dict[object, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event)
            if key.children is not None:
                self._unfit = self._unfit or key.mark
            name = str(key.value)
            self._path.append(name)
            if name in found:
                self.slips.append((tuple(self._path), key.mark, "is given twice"))
            event = next(self._events)
            if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and not event.value:
                self.slips.append(
                    (tuple(self._path), key.mark, "is empty: leave it out or quote it")
                )
            node = self._node(event)
            self._path.pop()
            found[name] = key.mark, node
            values[key.value if key.children is None else name] = node.value
        return Node(_start(start), values, found)

    def _limited(self, text: str) -> Iterator[yaml.Event]:
        """Aliases, deep nesting and endless lists let a small file cost much; rules need none.

        Tags would have YAML make values of text that is none: `!!bool perhaps` ends in a KeyError.
        """
        depth = 0
        for number, event in enumerate(yaml.parse(text, Loader=_FastLoader)):
            if number > MAX_EVENTS:
                raise _refused("too many values for one file: split it", _start(event))
            if mark := _mark_of_yaml(event):
                what = f"{mark} is a mark of YAML, for which rules have no use: quote the pattern"
                raise _refused(f"{what} or text", _start(event))
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH:
                raise _refused("nested too deep", _start(event))
            yield event


def _start(event: yaml.Event) -> yaml.Mark:
    return cast("yaml.Mark", event.start_mark)


class Unfit(yaml.MarkedYAMLError):
    """YAML that rules have no use for."""


def _refused(problem: str, mark: yaml.Mark) -> Unfit:
    return Unfit(problem=problem, problem_mark=mark)


def _mark_of_yaml(event: yaml.Event) -> str | None:
    """An alias, a tag or an anchor, as it is written."""
    anchor: str | None = getattr(event, "anchor", None)
    if isinstance(event, yaml.AliasEvent):
        return f"*{anchor}"
    if tag := getattr(event, "tag", None):
        return str(tag).replace("tag:yaml.org,2002:", "!!")
    return f"&{anchor}" if anchor else None


def _scalar(event: yaml.ScalarEvent) -> object:
    """What a scalar says: text, unless it is plain and reads as null, a truth or a number."""
    text: str = event.value
    is_plain: bool = event.implicit[0]
    if not is_plain or len(text) > MAX_NUMBER_LENGTH or ":" in text:
        return text
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            return _number(tag, text)
    return text


def _number(tag: str, text: str) -> object:
    try:
        return _READ[tag](_CONSTRUCTOR, yaml.ScalarNode(tag, text))
    except ValueError:  # such as 0x_, which fits the pattern
        return text
