"""From the text of rules files to a book of rules, or to every mistake with its place. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, date, timedelta
from itertools import chain, groupby, islice
from uuid import UUID

import msgspec

from entra_sod.core.errors import RulesError
from entra_sod.core.validation import Mistake, Path, find_mistakes, nearest
from entra_sod.domain.rules.all_packages import find_all_packages
from entra_sod.domain.rules.class_cycles import find_class_cycles
from entra_sod.domain.rules.document import MAX_PROBLEMS, Document, RulesProblem, SourceFile
from entra_sod.domain.rules.forms import find_requirement_circles, form_mistakes
from entra_sod.domain.rules.grant_language import grant_mistakes
from entra_sod.domain.rules.language import (
    Control,
    ExceptionEntry,
    Name,
    Override,
    PackageSelector,
    Protected,
    Rule,
    RulesFile,
    Side,
    override_id,
)
from entra_sod.domain.subjects.names import person_key, subject_id
from entra_sod.domain.text import fold

MAX_SUGGESTIONS = 100
MAX_COMPARED_LETTERS = 20_000  # letters of a word times letters of all names: some milliseconds

type _Entry = Side | Rule | Control | ExceptionEntry | Override

_KINDS: Mapping[str, type[_Entry]] = {
    "classes": Side,
    "rules": Rule,
    "controls": Control,
    "exceptions": ExceptionEntry,
    "overrides": Override,
}
# Where it is said that a thing exists already, and how, if it has no id.
_EXISTING: Mapping[str, tuple[Path, str]] = {
    "classes": ((), ""),
    "overrides": (("package",), "has an override for this rule already"),
}
# Harmless values of required fields, for those that have a mistake.
_PLACEHOLDERS: Mapping[str, object] = {
    "severity": "low",
    "mode": "record",
    "days": 1,
    "maxDays": 1,
    "package": str(UUID(int=0)),
    "subject": str(UUID(int=0)),
    "from": "2000-01-01",
    "until": "2000-01-01",
    "requestedBy": "nobody",
}


class _NameIndex:
    """The names that the files give.

    Comparing words takes milliseconds where there are many or long ones: it has its limits.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names, self._letters = names, sum(map(len, names))
        self._suggestions = MAX_SUGGESTIONS

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def nearest(self, name: str) -> str:
        if not self._suggestions or len(name) * self._letters > MAX_COMPARED_LETTERS:
            return ""
        self._suggestions -= 1
        return nearest(name, self._names)


# By kind; none where a file could not be read: then no name is called unknown.
type _KnownNames = Mapping[str, _NameIndex]


@dataclass(frozen=True, slots=True)
class SourceOrigin:
    """Where a rule, class or exception stands."""

    document: Document
    path: Path

    def place(self, mistake: Mistake, *, is_warning: bool = False) -> RulesProblem:
        return self.document.place(self._whole(mistake), is_warning=is_warning)

    def add_mistakes(self, mistakes: Iterable[Mistake]) -> list[RulesProblem]:
        """Place mistakes, while the file has not too many."""
        return self.document.add_mistakes(map(self._whole, mistakes))

    def _whole(self, mistake: Mistake) -> Mistake:
        return Mistake((*self.path, *mistake.path), mistake.detail, mistake.key)


@dataclass(frozen=True, slots=True)
class _InvalidEntry:
    """An entry with mistakes in some fields; what the others say is looked at all the same."""

    origin: SourceOrigin
    entry: _Entry
    fields: Collection[str | int | None]

    def mistakes(self, known: _KnownNames) -> Iterator[Mistake]:
        match self.entry:
            case Rule():
                found = _rule_mistakes(self.entry, known)
            case ExceptionEntry():
                found = _exception_mistakes(self.entry, known)
            case Override():
                found = _override_mistakes(self.entry, known)
            case Side():
                found = _class_mistakes(self.entry, known)
            case Control():
                return
        for mistake in found:
            if mistake.path and mistake.path[0] not in self.fields:
                yield mistake


@dataclass(slots=True)
class ParsedRules:
    """All rules, classes, controls, exceptions and overrides of all files, and where each stands.

    Attributes:
        protected: what each file protects, with the place of it.
        problems: everything wrong; with any in it, the book is not to be used.
    """

    rules: dict[str, Rule] = field(default_factory=dict)
    classes: dict[str, Side] = field(default_factory=dict)
    controls: dict[str, Control] = field(default_factory=dict)
    exceptions: dict[str, ExceptionEntry] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)
    protected: list[tuple[SourceOrigin, Protected]] = field(default_factory=list)
    origins: dict[tuple[str, str], SourceOrigin] = field(default_factory=dict)
    problems: list[RulesProblem] = field(default_factory=list)

    def origin(self, kind: str, name: str) -> SourceOrigin:
        """Where a thing of the book stands; kind is the name of a field of `RulesFile`."""
        return self.origins[kind, name]

    def place(self, kind: str, name: str) -> RulesProblem:
        """The file and line of a thing of the book, as of a problem there."""
        return self.origins[kind, name].place(Mistake((), ""))

    def names(self, kind: str) -> Collection[str]:
        """The names of a kind that the files give, with a mistake in it or not."""
        return {name for given, name in self.origins if given == kind}


def parse_rules(files: Iterable[SourceFile]) -> ParsedRules:
    """Read all files into one book without mistakes.

    Raises:
        RulesError: with every mistake of every file.
    """
    parsed = read_rules(files)
    if parsed.problems:
        raise RulesError([str(problem) for problem in parsed.problems])
    return parsed


def read_rules(files: Iterable[SourceFile], unread: Sequence[RulesProblem] = ()) -> ParsedRules:
    """Read all files into one book, mistakes included.

    What has no mistake is in the book, whatever stands beside it, so that one run finds them all.

    Args:
        files: that are text.
        unread: what is wrong with the files that are not.
    """
    parsed = ParsedRules(problems=list(unread))
    documents = [Document(file) for file in files]
    damaged = [each for document in documents for each in _read_file(parsed, document)]
    is_whole = not unread and all(document.is_read for document in documents)
    known = {kind: _NameIndex(parsed.names(kind)) for kind in _KINDS} if is_whole else {}
    for origin, protected in parsed.protected:
        parsed.problems += origin.add_mistakes(_protected_mistakes(protected))
    for name, side in parsed.classes.items():
        _check(parsed, "classes", name, _class_mistakes(side, known))
    for name, circle in islice(find_class_cycles(parsed.classes), MAX_PROBLEMS):
        _check(parsed, "classes", name, [Mistake(("classes",), circle)])
    for rule in parsed.rules.values():
        _check(parsed, "rules", rule.id, _rule_mistakes(rule, known))
    for name, circle in islice(find_requirement_circles(parsed.rules.values()), MAX_PROBLEMS):
        _check(parsed, "rules", name, [Mistake(("requires",), circle)])
    for name, mistake in find_all_packages(
        parsed.rules, parsed.classes, lambda each: each.is_everything
    ):
        _check(parsed, "rules", name, [mistake])
    for entry in parsed.exceptions.values():
        _check(parsed, "exceptions", entry.id, _exception_mistakes(entry, known))
    for override in parsed.overrides.values():
        _check(parsed, "overrides", override.id, _override_mistakes(override, known))
    for each in damaged:
        parsed.problems += each.origin.add_mistakes(each.mistakes(known))
    parsed.exceptions = {
        name: _with_end(parsed, entry) for name, entry in parsed.exceptions.items()
    }
    parsed.problems = list(in_reason(sorted(parsed.problems)))
    return parsed


def _with_end(parsed: ParsedRules, entry: ExceptionEntry) -> ExceptionEntry:
    """An exception with a last day: its own, or as its control says; on a mistake, its first."""
    if entry.until is not None:
        return entry
    control = parsed.controls.get(entry.control or "")
    return entry.lasting(control) if control else msgspec.structs.replace(entry, until=entry.start)


def in_reason(problems: Iterable[RulesProblem]) -> Iterator[RulesProblem]:
    """Name so many problems of each file, and say where there are more."""
    for name, group in groupby(problems, key=lambda problem: problem.file):
        found = list(group)
        if len(found) > MAX_PROBLEMS:
            has_only_warnings = all(problem.is_warning for problem in found)
            what = "warnings" if has_only_warnings else "mistakes"
            detail = f"more than {MAX_PROBLEMS} {what} in this file; the others are not named"
            yield RulesProblem(name, 1, 1, detail, has_only_warnings)
        yield from found[:MAX_PROBLEMS]


def _read_file(parsed: ParsedRules, document: Document) -> Iterator[_InvalidEntry]:
    """Take in what has no mistake and a new name; yield the other rules and exceptions."""
    parsed.problems += document.problems
    if not document.is_read:
        return
    mistakes = _file_mistakes(document.value)
    parsed.problems += document.add_mistakes(mistakes)
    is_hopeless = len(mistakes) > MAX_PROBLEMS  # then not all are known
    broken: dict[Path, set[str | int | None]] = {}
    for mistake in mistakes:
        broken.setdefault(mistake.path[:2], set()).update((*mistake.path[2:3], mistake.key))
    if ("protected",) not in {path[:1] for path in broken}:
        value = _mapping(document.value).get("protected", {})
        origin = SourceOrigin(document, ("protected",))
        parsed.protected.append((origin, msgspec.convert(value, Protected)))
    for path, name, value in _entries(document.value):
        kind, origin = str(path[0]), SourceOrigin(document, path)
        is_new = _is_new(parsed, kind, name, origin)
        if is_hopeless:
            continue
        if is_new and path not in broken:
            getattr(parsed, kind)[name] = msgspec.convert(value, _KINDS[kind])
        else:
            yield _invalid_entry(origin, _mapping(value), broken.get(path, set()))


def _invalid_entry(
    origin: SourceOrigin, value: Mapping[object, object], fields: set[str | int | None]
) -> _InvalidEntry:
    """Read an entry with harmless values in place of the wrong ones."""
    kind = _KINDS[str(origin.path[0])]
    stand_ins = {
        field.encode_name: _PLACEHOLDERS.get(field.encode_name, "-")
        for field in msgspec.structs.fields(kind)
        if field.required or field.encode_name == "until"
    }
    if fields & {"from", "until"}:
        fields |= {"from", "until"}
    named = {name: given for name, given in value.items() if isinstance(name, str)}
    sound: dict[str, object] = {key: named[key] for key in named.keys() - fields}
    return _InvalidEntry(origin, msgspec.convert({**stand_ins, **sound}, kind), fields)


def _file_mistakes(value: object) -> list[Mistake]:
    maximum = MAX_PROBLEMS + 1
    found = find_mistakes(RulesFile, value, maximum=maximum)
    return list(islice(chain(found, _class_name_mistakes(value)), maximum))


def _class_name_mistakes(value: object) -> Iterator[Mistake]:
    """YAML reads `7:` and `yes:` as other things than text."""
    for name in _mapping(_mapping(value).get("classes")):
        if not isinstance(name, str):
            yield Mistake(("classes",), "must be text: put the name into quotes", str(name))
        elif find_mistakes(Name, name):
            yield Mistake(("classes", name), "must have a name of 1 to 100 characters")


def _entries(value: object) -> Iterator[tuple[Path, str, object]]:
    """Everything of a file that has a name, and where it stands."""
    file = _mapping(value)
    for name, side in _mapping(file.get("classes")).items():
        yield ("classes", str(name)), str(name), side
    for kind in ("rules", "controls", "exceptions"):
        found = file.get(kind)
        for index, entry in enumerate(found if isinstance(found, list) else ()):
            if isinstance(name := _mapping(entry).get("id"), str):
                yield (kind, index), name, entry
    overrides = file.get("overrides")
    for index, entry in enumerate(overrides if isinstance(overrides, list) else ()):
        rule, package = (_mapping(entry).get(key) for key in ("rule", "package"))
        if isinstance(rule, str) and isinstance(package, str):
            yield ("overrides", index), override_id(rule, package), entry


def _mapping(value: object) -> Mapping[object, object]:
    return value if isinstance(value, dict) else {}


def _is_new(parsed: ParsedRules, kind: str, name: str, origin: SourceOrigin) -> bool:
    if (kind, name) in parsed.origins:
        place, detail = _EXISTING.get(kind, (("id",), f"{name} exists already"))
        parsed.problems += origin.add_mistakes([Mistake(place, detail or f"{name} exists already")])
        return False
    parsed.origins[kind, name] = origin
    return True


def _check(parsed: ParsedRules, kind: str, name: str, mistakes: Iterable[Mistake]) -> None:
    parsed.problems += parsed.origin(kind, name).add_mistakes(mistakes)


def _rule_mistakes(rule: Rule, known: _KnownNames) -> Iterator[Mistake]:
    yield from form_mistakes(rule)
    if rule.effective and not rule.effective.is_possible:
        yield Mistake(("effective", "until"), "is before its from")
    for path, side in rule.placed_sides:
        yield from _side_mistakes(side, known, path)
    if rule.at_most is not None:
        yield from _side_mistakes(rule.at_most.as_side, known, ("atMost",), packages_key="of")


def _class_mistakes(side: Side, known: _KnownNames) -> Iterator[Mistake]:
    yield from _side_mistakes(side, known, ())
    if side.every:
        yield Mistake(("every",), "is for the side of a rule, not for a class")


def _side_mistakes(
    side: Side, known: _KnownNames, path: Path, *, packages_key: str = "packages"
) -> Iterator[Mistake]:
    if not (side.packages or side.groups or side.classes or side.grants):
        yield Mistake(path, f"selects nothing: give {packages_key}, groups, grants or classes")
    elif side.alike and not (side.packages or side.classes or side.grants):
        detail = "compares what packages grant, and there are none: give packages or classes"
        yield Mistake((*path, "alike"), detail)
    for index, grant in enumerate(side.grants):
        yield from grant_mistakes(grant, (*path, "grants", index))
    for index, selector in enumerate(side.packages):
        yield from _selector_mistakes(selector, (*path, packages_key, index))
    for index, name in enumerate(side.classes):
        yield from _unknown(name, "class", known.get("classes"), (*path, "classes", index))


def _protected_mistakes(protected: Protected) -> Iterator[Mistake]:
    for index, selector in enumerate(protected.packages):
        yield from _selector_mistakes(selector, ("packages", index))
        if selector.is_everything:
            yield Mistake(("packages", index), "protects every access package: nothing is written")


def _unknown(name: str, what: str, names: _NameIndex | None, path: Path) -> Iterator[Mistake]:
    if names is not None and name not in names:
        yield Mistake(path, f"{name} is no {what}{names.nearest(name)}")


def _selector_mistakes(selector: PackageSelector, path: Path) -> Iterator[Mistake]:
    has_pattern = selector.name is not None or selector.catalog is not None
    if selector.id is None and not has_pattern:
        yield Mistake(path, "selects nothing: give an id, or a name and catalog pattern")
    if selector.id is not None and has_pattern:
        yield Mistake(path, "has an id and a pattern: an id selects by itself")


def _override_mistakes(override: Override, known: _KnownNames) -> Iterator[Mistake]:
    yield from _unknown(override.rule, "rule", known.get("rules"), ("rule",))


def _exception_mistakes(entry: ExceptionEntry, known: _KnownNames) -> Iterator[Mistake]:
    yield from _unknown(entry.rule, "rule", known.get("rules"), ("rule",))
    if entry.control:
        yield from _unknown(entry.control, "control", known.get("controls"), ("control",))
    yield from _end_mistakes(entry)
    approver, requester = person_key(entry.approved_by), person_key(entry.requested_by)
    texts = {"reason": fold(entry.reason), "requestedBy": requester, "approvedBy": approver}
    yield from (Mistake((name,), "is blank") for name, text in texts.items() if not text)
    if approver and approver == requester:
        yield Mistake(("approvedBy",), "must differ from requestedBy")
    if approver in {person_key(each) for each in (entry.subject, entry.upn) if each}:
        yield Mistake(("approvedBy",), "must differ from the subject")
    if entry.upn and subject_id(entry.subject.strip()) is None:
        yield Mistake(("upn",), "stands beside an id: give the id as subject, or leave it out")


def _end_mistakes(entry: ExceptionEntry) -> Iterator[Mistake]:
    if entry.until is None:
        if entry.control is None:
            yield Mistake(("until",), "is missing: give it, or a control that says how long")
    elif entry.until < entry.start:
        yield Mistake(("until",), "is before its from")
    elif entry.until > _a_year_after(entry.start):
        yield Mistake(("until",), "is more than a year after its from")


def _a_year_after(day: date) -> date:
    if day.year == MAXYEAR:
        return date.max
    if (day.month, day.day) == (2, 29):
        day -= timedelta(days=1)
    return day.replace(year=day.year + 1)
