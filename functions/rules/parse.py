"""From the text of rules files to a book of rules, or to every mistake with its place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from functions.errors import RulesError
from functions.rules.document import Document, Problem, SourceFile
from functions.rules.language import (
    ExceptionEntry,
    PackageSelector,
    Rule,
    RulesFile,
    Side,
)
from functions.shape import Mistake, Path, find_mistakes, nearest

LONGEST_EXCEPTION = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a rule, class or exception stands."""

    document: Document
    path: Path

    def place(self, mistake: Mistake, *, is_warning: bool = False) -> Problem:
        whole = Mistake((*self.path, *mistake.path), mistake.detail, mistake.key)
        return self.document.place(whole, is_warning=is_warning)


@dataclass(slots=True)
class Book:
    """All rules, classes and exceptions of all files, and where each stands.

    Attributes:
        problems: everything wrong; with any in it, the book is not to be used.
    """

    rules: dict[str, Rule] = field(default_factory=dict)
    classes: dict[str, Side] = field(default_factory=dict)
    exceptions: dict[str, ExceptionEntry] = field(default_factory=dict)
    origins: dict[tuple[str, str], Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def origin(self, kind: str, name: str) -> Origin:
        """Where a thing of the book stands; kind is `rules`, `classes` or `exceptions`."""
        return self.origins[kind, name]


def parse_rules(files: Iterable[SourceFile]) -> Book:
    """Read all files into one book without mistakes.

    Raises:
        RulesError: with every mistake of every file.
    """
    book = read_book(files)
    if book.problems:
        raise RulesError([str(problem) for problem in book.problems])
    return book


def read_book(files: Iterable[SourceFile]) -> Book:
    """Read all files into one book, mistakes included."""
    book = Book()
    for file in files:
        _read_file(book, Document(file))
    for name in book.classes:
        _check_class(book, name)
    for rule in book.rules.values():
        _check(book, "rules", rule.id, _rule_mistakes(rule, book.classes))
    for entry in book.exceptions.values():
        _check(book, "exceptions", entry.id, _exception_mistakes(entry, book.rules))
    book.problems.sort()
    return book


def _read_file(book: Book, document: Document) -> None:
    book.problems += document.problems
    if document.problems:
        return
    mistakes = find_mistakes(RulesFile, document.value)
    book.problems += [document.place(mistake) for mistake in mistakes]
    if mistakes:
        return
    file = msgspec.convert(document.value, RulesFile)
    for name, side in file.classes.items():
        if _is_new(book, "classes", name, Origin(document, ("classes", name))):
            book.classes[name] = side
    for index, rule in enumerate(file.rules):
        if _is_new(book, "rules", rule.id, Origin(document, ("rules", index))):
            book.rules[rule.id] = rule
    for index, entry in enumerate(file.exceptions):
        if _is_new(book, "exceptions", entry.id, Origin(document, ("exceptions", index))):
            book.exceptions[entry.id] = entry


def _is_new(book: Book, kind: str, name: str, origin: Origin) -> bool:
    if (kind, name) in book.origins:
        place: Path = () if kind == "classes" else ("id",)
        book.problems.append(origin.place(Mistake(place, f"{name} exists already")))
        return False
    book.origins[kind, name] = origin
    return True


def _check(book: Book, kind: str, name: str, mistakes: Iterable[Mistake]) -> None:
    origin = book.origin(kind, name)
    book.problems += [origin.place(mistake) for mistake in mistakes]


def _check_class(book: Book, name: str) -> None:
    side = book.classes[name]
    mistakes = list(_side_mistakes(side, book.classes, ()))
    if cycle := _cycle(book.classes, name):
        mistakes.append(Mistake(("classes",), f"lead in a circle: {' → '.join(cycle)}"))
    _check(book, "classes", name, mistakes)


def _cycle(classes: Mapping[str, Side], start: str) -> list[str]:
    """The way from a class back to itself, or nothing. No class is visited twice."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for name in classes[way[-1]].classes if way[-1] in classes else ():
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _rule_mistakes(rule: Rule, classes: Mapping[str, Side]) -> Iterator[Mistake]:
    if (rule.between is None) == (rule.at_most is None):
        yield Mistake((), "needs either between or atMost")
    if rule.effective and not rule.effective.is_possible:
        yield Mistake(("effective", "until"), "is before its from")
    if rule.between is not None:
        yield from _between_mistakes(rule.between, classes)
    if rule.at_most is not None:
        set_of = Side(packages=rule.at_most.of, classes=rule.at_most.classes)
        yield from _side_mistakes(set_of, classes, ("atMost",), packages_key="of")


def _between_mistakes(sides: Sequence[Side], classes: Mapping[str, Side]) -> Iterator[Mistake]:
    if len(sides) < 2:  # noqa: PLR2004 - apart takes two
        yield Mistake(("between",), "needs two sides or more to keep apart")
        return
    for index, side in enumerate(sides):
        yield from _side_mistakes(side, classes, ("between", index))
    if not any(side.packages or side.classes for side in sides):
        yield Mistake(("between",), "keeps nothing apart: no side has a package")
    elif _is_one_package_against_itself(sides):
        yield Mistake(("between",), "keeps nothing apart: all sides are the same package")


def _is_one_package_against_itself(sides: Sequence[Side]) -> bool:
    if any(side.groups or side.classes for side in sides):
        return False
    selectors = {selector for side in sides for selector in side.packages}
    return len(selectors) == 1 and all(selector.id for selector in selectors)


def _side_mistakes(
    side: Side, classes: Mapping[str, Side], path: Path, *, packages_key: str = "packages"
) -> Iterator[Mistake]:
    if not (side.packages or side.groups or side.classes):
        yield Mistake(path, f"selects nothing: give {packages_key}, groups or classes")
    for index, selector in enumerate(side.packages):
        yield from _selector_mistakes(selector, (*path, packages_key, index))
    for index, name in enumerate(side.classes):
        if name not in classes:
            detail = f"{name} is no class{nearest(name, classes)}"
            yield Mistake((*path, "classes", index), detail)


def _selector_mistakes(selector: PackageSelector, path: Path) -> Iterator[Mistake]:
    has_pattern = selector.name is not None or selector.catalog is not None
    if selector.id is None and not has_pattern:
        yield Mistake(path, "selects nothing: give an id, or a name and catalog pattern")
    if selector.id is not None and has_pattern:
        yield Mistake(path, "has an id and a pattern: an id selects by itself")


def _exception_mistakes(entry: ExceptionEntry, rules: Mapping[str, Rule]) -> Iterator[Mistake]:
    if entry.rule not in rules:
        yield Mistake(("rule",), f"{entry.rule} is no rule{nearest(entry.rule, rules)}")
    if entry.end < entry.start:
        yield Mistake(("until",), "is before its from")
    elif entry.end - entry.start > LONGEST_EXCEPTION:
        yield Mistake(("until",), "is more than a year after its from")
    approver = entry.approved_by.casefold()
    if approver == entry.requested_by.casefold():
        yield Mistake(("approvedBy",), "must differ from requestedBy")
    if approver == str(entry.subject).casefold():
        yield Mistake(("approvedBy",), "must differ from the subject")
