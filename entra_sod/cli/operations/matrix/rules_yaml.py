"""Writes what was imported as YAML of the rule language, for people to go on with. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from entra_sod.cli.operations.matrix.model import Clause, MatrixRule, shortened
from entra_sod.cli.operations.rules.unbound import NOT_BOUND
from entra_sod.domain.rules.language import Control, Effective, Rule
from entra_sod.domain.rules.yaml_text import UNFIT, scalar

# What the language of this version has; the rest stays in comments.
RULE_FIELDS = frozenset(field.encode_name for field in msgspec.structs.fields(Rule))
MAX_COMMENT = 300
RULES_HEAD = """\
# Written by `entra-sod import`. The rules record conflicts and enforce nothing, until you change
# their mode. Their classes are bound to access packages in binding.yaml. Importing again adds what
# is new, and changes nothing that is here.
version: 1
rules:
"""
BINDING_HEAD = f"""\
# Which access packages give each duty. An import never guesses it: put packages, groups or
# grants in place of {{name: {NOT_BOUND}}}. Until then a class selects nothing, its rules cover
# nothing, and `entra-sod validate` and each sweep say so.
version: 1
classes:
"""
CONTROLS_HEAD = """\
# Compensating controls of imported rules, for exceptions to name. A matrix has no days and no
# evidence: fill them in.
version: 1
controls:
"""


def rule_text(rule_id: str, rule: MatrixRule, control: str | None) -> str:
    """Write a rule as an entry of a list.

    Args:
        rule_id: unique in its folder.
        rule: what the matrix states.
        control: the reference of its control.
    """
    return "\n".join(_rule_lines(rule_id, rule, control)) + "\n"


def _rule_lines(rule_id: str, rule: MatrixRule, control: str | None) -> Iterator[str]:
    yield from _source_lines(rule)
    yield f"  - id: {scalar(rule_id)}"
    yield f"    title: {scalar(rule.title)}"
    yield f"    severity: {rule.severity}"
    yield f"    owner: {scalar(rule.owner or '')}"
    yield "    mode: record"
    yield f"    {form_of(rule)}:"
    for duty in rule.duties:
        yield f"      - classes: [{scalar(duty)}]"
    if rule.effective:
        yield f"    effective: {_dates(rule.effective)}"
    if control:
        yield f"    control: {scalar(control)}"
    if rule.advice:
        yield f"    advice: {scalar(rule.advice)}"
    for name, value in _optional(rule).items():
        if name in RULE_FIELDS:
            yield f"    {name}: {value}"


def _source_lines(rule: MatrixRule) -> Iterator[str]:
    """Say where a rule comes from, and what the language has no field for."""
    if "source" not in RULE_FIELDS or rule.origin.sheet:
        yield _comment(f"{rule.origin}")
    if "source" not in RULE_FIELDS:
        yield _comment(f"sha256 {rule.sha256}")
    if rule.also:
        yield _comment(f"also {', '.join(rule.also)}")
    for name, value in _optional(rule).items():
        if name not in RULE_FIELDS and name != "source":
            yield _comment(f"{name}: {value}")


def _optional(rule: MatrixRule) -> Mapping[str, str]:
    """Fields that are written as such where the language has them, and else as comments."""
    source = {
        "file": scalar(shortened(rule.origin.file)),
        "sha256": f'"{rule.sha256}"',
        "row": str(rule.origin.row),
    }
    found = {
        "process": scalar(rule.process) if rule.process else "",
        "frameworks": f"[{', '.join(map(_clause, rule.frameworks))}]" if rule.frameworks else "",
        "source": _flow(source),
    }
    return {name: value for name, value in found.items() if value}


def _clause(clause: Clause) -> str:
    return _flow({"id": scalar(clause.id), "ref": scalar(clause.ref)})


def _dates(effective: Effective) -> str:
    days = {"from": effective.start, "until": effective.end}
    return _flow({name: day.isoformat() for name, day in days.items() if day})


def _flow(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + "}"


def form_of(rule: MatrixRule) -> str:
    """Name the form of a rule: more than two duties count only if one subject has all of them."""
    return "between" if len(rule.duties) == 2 else "allOf"  # noqa: PLR2004 - a pair


def can_be_written(rule: MatrixRule) -> bool:
    """Whether the language of this version has what the rule takes."""
    return form_of(rule) in RULE_FIELDS


def class_text(name: str, meaning: str | None) -> str:
    """Write a class that is not bound yet as an entry of `classes`."""
    lines = [_comment(meaning)] if meaning else []
    lines += [f"  {scalar(name)}:", f"    packages: [{{name: {NOT_BOUND}}}]"]
    return "\n".join(lines) + "\n"


def control_text(control: Control) -> str:
    """Write a control as an entry of a list."""
    return (
        f"  - id: {scalar(control.id)}\n"
        f"    title: {scalar(control.title)}\n"
        f"    owner: {scalar(control.owner)}\n"
        f"    days: {control.days}  # no matrix says it: the shortest, until you know better\n"
        f"    evidence: {scalar(control.evidence)}\n"
    )


def _comment(text: str) -> str:
    return f"  # {comment(text)}"


def comment(text: str) -> str:
    """Return a text as a comment of YAML may have it: one line, cut, of YAML's characters."""
    return UNFIT.sub("", shortened(" ".join(text.split()), MAX_COMMENT))


def pieces(texts: Sequence[str], first: int, most: int) -> Iterator[Sequence[str]]:
    """Split texts so that no piece is larger than a file may be; the first has its own room."""
    piece: list[str] = []
    room = first
    for text in texts:
        size = len(text.encode())
        if size > room:
            yield piece
            piece, room = [], most
        piece.append(text)
        room -= size
    yield piece
