"""Writes rules made of references as files of rules, and knows such a file again. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.cli.operations.matrix.import_plan import (
    DEFAULT_OWNER,
    DEFAULT_SEVERITY,
    MAX_WRITTEN,
    rules_file,
)
from entra_sod.cli.operations.matrix.model import MAX_TEXT, clean, shortened
from entra_sod.cli.operations.matrix.rules_yaml import comment, pieces
from entra_sod.cli.operations.references.rules import ReferenceRule
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.rules.language import Severity
from entra_sod.domain.rules.yaml_text import scalar

MAX_NAMED = 2  # of a side, in a title
MAX_NAME = 60  # characters of a name in a title
MAX_MISSING = 20  # references back that the comment of a rule names
_FIRST = "# Written by `entra-sod import references`."
_HASH_LINE = re.compile(r"# sha256 of what follows: ([0-9a-f]{64})\n")

type NameOf = Callable[[ReferenceKind, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WritingOptions:
    """What rules say of which a tenant says nothing, and where they come from.

    Attributes:
        name_of: the name of a package with its catalog, or of a group; empty if it is not known.
        source: of the references, for the head of the file.
        graph: where the references were read, for the source of each rule.
    """

    name_of: NameOf
    source: str
    graph: str
    owner: str = DEFAULT_OWNER
    severity: Severity = DEFAULT_SEVERITY


def write_files(
    stem: str, rules: Sequence[ReferenceRule], options: WritingOptions
) -> Mapping[str, str]:
    """Write rules as files, as many as their size takes; the first has the name `stem`.yaml."""
    texts = [rule_text(each, options) for each in rules]
    head = _head(options)
    room = MAX_WRITTEN - len(head.encode())
    return {
        rules_file(stem, number): _sealed(head, piece)
        for number, piece in enumerate(pieces(texts, room, room), start=1)
    }


def empty_file(options: WritingOptions) -> str:
    """Return the text of a file that an earlier import needed, and this one does not."""
    return _sealed(_head(options), ())


def is_as_written(text: str) -> bool:
    """Whether a file is as an import of references wrote it, without a later change."""
    found = _HASH_LINE.search(text)
    return (
        text.startswith(_FIRST)
        and found is not None
        and hashlib.sha256(text[found.end() :].encode()).hexdigest() == found[1]
    )


def _head(options: WritingOptions) -> str:
    return (
        f"{_FIRST} The rules name incompatible access packages and groups\n"
        "# that the tenant has. They record conflicts and write nothing, until you change their\n"
        "# mode. If you change this file, a later import no longer overwrites it.\n"
        f"# Source: {comment(options.source)}\n"
    )


def _sealed(head: str, texts: Sequence[str]) -> str:
    body = "version: 1\nrules:\n" + "".join(texts) if texts else "version: 1\nrules: []\n"
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f"{head}# sha256 of what follows: {digest}\n{body}"


def rule_text(rule: ReferenceRule, options: WritingOptions) -> str:
    """Write a rule as an entry of a list, with names beside ids."""
    return "\n".join(_lines(rule, options)) + "\n"


def _lines(rule: ReferenceRule, options: WritingOptions) -> Iterator[str]:
    yield from (f"  # {comment(each)}" for each in _one_way(rule, options.name_of))
    yield f"  - id: {rule.id}"
    yield f"    title: {scalar(title(rule, options.name_of))}"
    yield f"    severity: {options.severity}"
    yield f"    owner: {scalar(options.owner)}"
    yield "    mode: record"
    yield f"    source: {_origin(rule, options)}"
    yield f"    references: {rule.kind}s"
    if rule.is_exclusive:
        yield from ("    atMost:", "      count: 1", "      of:")
        for (package,) in rule.sides:
            yield f"        - {_entry(ReferenceKind.PACKAGE, package, options.name_of)}"
        return
    yield "    between:"
    for kind, side in zip(_kinds(rule), rule.sides, strict=True):
        yield f"      - {kind}s:"
        yield from (f"          - {_entry(kind, each, options.name_of)}" for each in side)


def _origin(rule: ReferenceRule, options: WritingOptions) -> str:
    """Say where a rule was found. It is the same as long as the tenant has the same."""
    noun = "reference" if len(rule.present) == 1 else "references"
    note = scalar(f"made of {len(rule.present)} {noun} of the tenant")
    return f"{{file: {scalar(options.graph)}, note: {note}}}"


def _kinds(rule: ReferenceRule) -> Sequence[ReferenceKind]:
    if rule.kind is ReferenceKind.GROUP:
        return (ReferenceKind.PACKAGE, ReferenceKind.GROUP)
    return (ReferenceKind.PACKAGE,) * len(rule.sides)


def _entry(kind: ReferenceKind, key: str, name_of: NameOf) -> str:
    name = comment(name_of(kind, key)) or "its name cannot be read"
    return f"id: {key}  # {name}"


def _one_way(rule: ReferenceRule, name_of: NameOf) -> Iterator[str]:
    if rule.missing:
        count = len(rule.missing)
        yield f"One way. References back that are missing, and that enforce writes: {count}"
        yield from (missing_text(each, name_of) for each in rule.missing[:MAX_MISSING])
    if len(rule.missing) > MAX_MISSING:
        yield f"and {len(rule.missing) - MAX_MISSING} more"
    if rule.unknown:
        yield f"Not known: {len(rule.unknown)} references back, on packages that cannot be read."


def missing_text(reference: Reference, name_of: NameOf) -> str:
    """Say what a reference that is missing lets through."""
    package = ReferenceKind.PACKAGE
    on, target = (_quoted(package, each, name_of) for each in (reference.on, reference.target))
    return f"holders of {target} can get {on}"


def _quoted(kind: ReferenceKind, key: str, name_of: NameOf) -> str:
    name = clean(name_of(kind, key))
    return f'"{shortened(name, MAX_NAME)}"' if name else key


def title(rule: ReferenceRule, name_of: NameOf) -> str:
    """Say in a sentence what a rule keeps apart."""
    if rule.is_exclusive:
        packages = [side[0] for side in rule.sides]
        text = f"At most one of {_some(ReferenceKind.PACKAGE, packages, name_of)}"
    else:
        pairs = zip(_kinds(rule), rule.sides, strict=True)
        text = " against ".join(_some(kind, side, name_of) for kind, side in pairs)
        if rule.kind is ReferenceKind.GROUP:
            text = text.replace(" against ", " against members of group ")
    return shortened(text, MAX_TEXT)


def _some(kind: ReferenceKind, keys: Sequence[str], name_of: NameOf) -> str:
    named = [_quoted(kind, each, name_of) for each in keys[:MAX_NAMED]]
    more = len(keys) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
