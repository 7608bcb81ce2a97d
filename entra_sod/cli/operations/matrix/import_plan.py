"""What an import adds to a folder of rules. It adds, and never changes what is there. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from entra_sod.cli.operations.matrix.model import (
    MAX_NAME,
    CellPlace,
    Matrix,
    MatrixError,
    MatrixRule,
    Remark,
    RemarkKind,
)
from entra_sod.cli.operations.matrix.pairs import RefusedRow, quoted, refusal
from entra_sod.cli.operations.matrix.rules_yaml import (
    BINDING_HEAD,
    CONTROLS_HEAD,
    RULES_HEAD,
    can_be_written,
    class_text,
    control_text,
    form_of,
    pieces,
    rule_text,
)
from entra_sod.cli.operations.rules.unbound import (
    NOT_NAMED,
    is_one_class,
    sides_of,
    unbound_classes,
)
from entra_sod.core.errors import RulesError
from entra_sod.core.validation import Mistake
from entra_sod.domain.rules.document import MAX_FILE_BYTES, SourceFile
from entra_sod.domain.rules.language import Control, Rule, RuleForm, Severity
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from entra_sod.domain.text import fold

BINDING, CONTROLS = "binding.yaml", "controls.yaml"
MAX_WRITTEN = MAX_FILE_BYTES * 3 // 4  # bytes of a file that an import writes; people add to it
DEFAULT_OWNER, DEFAULT_SEVERITY = NOT_NAMED, Severity.MEDIUM
MATRIX_FORMS = (RuleForm.BETWEEN, RuleForm.ALL_OF)  # that a matrix can state
_HASH, _MAX_SLUG = 6, 40  # characters
_NOT_A_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class RulesFolder:
    """The rules files of a folder, by their names in it, and what they say."""

    files: Mapping[str, str]
    parsed: ParsedRules

    def file_of(self, rule_id: str) -> str:
        return self.parsed.origin("rules", rule_id).place(Mistake((), "")).file


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDefaults:
    """What new rules say of which the matrix says nothing."""

    owner: str = DEFAULT_OWNER
    severity: Severity = DEFAULT_SEVERITY


@dataclass(slots=True)
class ImportPlan:
    """What is to be written.

    Attributes:
        files: the new text of each file that changes, in the order in which they are written.
        new: the ids of rules that are added.
        present: the ids of rules that are there already.
        classes: the classes of all these rules.
        unbound: the classes of them that are not bound.
    """

    files: dict[str, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    classes: Sequence[str] = ()
    unbound: Sequence[str] = ()
    remarks: list[Remark] = field(default_factory=list)


def plan_import(
    matrix: Matrix, folder: RulesFolder, name: str, defaults: RuleDefaults
) -> ImportPlan:
    """Plan the files that a matrix adds to a folder.

    Args:
        matrix: what was read.
        folder: as it is.
        name: of the file with the rules, without an ending.
        defaults: of new rules.

    Raises:
        MatrixError: the folder's files cannot be added to.
    """
    plan = ImportPlan(remarks=list(matrix.remarks))
    spelled = _with_known_names(matrix.rules, folder.parsed)
    controls = _Controls(folder.parsed, defaults.owner)
    texts: list[str] = []
    wanted: list[MatrixRule] = []
    for rule_id, rule in _with_ids(spelled, folder.parsed):
        if why := _why_not(rule_id, rule, folder, plan):
            plan.remarks.append(refusal(rule.origin, why))
            continue
        wanted.append(rule)
        if existing := folder.parsed.rules.get(rule_id):
            plan.present.append(rule_id)
            plan.remarks += _differences(rule, existing, folder.file_of(rule_id))
        else:
            plan.new.append(rule_id)
            reference, said = controls.reference(rule)
            plan.remarks += said
            texts.append(rule_text(rule_id, _complete(rule, defaults), reference))
    plan.classes = list(dict.fromkeys(duty for rule in wanted for duty in rule.duties))
    new = [each for each in plan.classes if each not in folder.parsed.classes]
    _add(plan, folder, BINDING, BINDING_HEAD, [_class(each, matrix) for each in new])
    _add(plan, folder, CONTROLS, CONTROLS_HEAD, [control_text(each) for each in controls.new])
    _add_rules(plan, folder, name, texts)
    plan.remarks += _gone(plan, folder, name)
    known = unbound_classes(folder.parsed)
    plan.unbound = [each for each in plan.classes if each in new or each in known]
    _require_sound(plan, folder)
    return plan


def _class(name: str, matrix: Matrix) -> str:
    return class_text(name, matrix.meanings.get(fold(name)))


def _complete(rule: MatrixRule, defaults: RuleDefaults) -> MatrixRule:
    return msgspec.structs.replace(
        rule, owner=rule.owner or defaults.owner, severity=rule.severity or defaults.severity
    )


def _with_known_names(rules: Iterable[MatrixRule], parsed: ParsedRules) -> Iterator[MatrixRule]:
    """Spell duties as the folder does, or as the matrix does at first."""
    names = {fold(name): name for name in parsed.classes}
    for rule in rules:
        duties = tuple(names.setdefault(fold(duty), duty) for duty in rule.duties)
        yield msgspec.structs.replace(rule, duties=duties)


def _with_ids(rules: Iterable[MatrixRule], parsed: ParsedRules) -> Iterator[tuple[str, MatrixRule]]:
    """Give each rule its id: the file's own, if that is enough to tell it from others."""
    every = list(rules)
    counts = Counter(rule.id for rule in every)
    for rule in every:
        yield _id(rule, parsed, is_alone=counts[rule.id] == 1), rule


def _id(rule: MatrixRule, parsed: ParsedRules, *, is_alone: bool) -> str:
    digest = hashlib.sha256("\n".join(sorted(rule.key)).encode()).hexdigest()[:_HASH]
    if rule.id is None:
        names = (slug(duty, _MAX_SLUG) for duty in sorted(rule.key)[:2])
        return "-".join(filter(None, (*names, digest)))
    longer = f"{rule.id[: MAX_NAME - _HASH - 1]}-{digest}"
    if longer in parsed.rules:
        return longer
    existing = parsed.rules.get(rule.id)
    is_known = existing is not None and duties_of(existing) == rule.key
    return rule.id if is_alone or is_known else longer


def slug(text: str, most: int) -> str:
    return _NOT_A_SLUG.sub("-", fold(text)).strip("-")[:most].rstrip("-")


def duties_of(rule: Rule) -> frozenset[str] | None:
    """Return the duties of a rule whose sides are one class each, as an import writes it."""
    sides = sides_of(rule)
    is_each_from_each = rule.form is RuleForm.BETWEEN and len(sides) > 2  # noqa: PLR2004 - a pair
    if rule.form not in MATRIX_FORMS or is_each_from_each or not sides:
        return None
    if any(side.every for side in sides) or not all(map(is_one_class, sides)):
        return None
    return frozenset(fold(side.classes[0]) for side in sides)


def _why_not(
    rule_id: str, rule: MatrixRule, folder: RulesFolder, plan: ImportPlan
) -> RefusedRow | None:
    if not can_be_written(rule):
        form = form_of(rule)
        detail = f"It has {len(rule.duties)} duties that count only together ({form})."
        return RefusedRow(detail, f"this version has no {form} for rules: leave it out.")
    if rule_id in plan.new or rule_id in plan.present:
        detail = f"{quoted(rule_id)} is the id of another rule of the file."
        return RefusedRow(detail, "give it an id of its own.")
    existing = folder.parsed.rules.get(rule_id)
    if existing is not None and duties_of(existing) != rule.key:
        detail = f"{quoted(rule_id)} keeps other duties apart in {folder.file_of(rule_id)}."
        return RefusedRow(detail, "change the rule there, or delete it and import again.")
    return None


def _differences(rule: MatrixRule, existing: Rule, file: str) -> Iterator[Remark]:
    """Say where a rule that is there differs from the matrix; what people wrote is kept."""
    pairs = {
        "severity": (existing.severity, rule.severity),
        "owner": (existing.owner, rule.owner),
        "title": (existing.title, rule.title),
        "advice": (existing.advice, rule.advice),
        "effective": (existing.effective, rule.effective),
    }
    differing = [name for name, (kept, stated) in pairs.items() if stated and kept != stated]
    if differing:
        what = f"{existing.id} is in {file} with another {', '.join(differing)}, and stays so."
        yield Remark(kind=RemarkKind.KEPT, place=rule.origin, what=what)


class _Controls:
    """The compensating controls that rules name, each once."""

    def __init__(self, parsed: ParsedRules, owner: str) -> None:
        self._titles = {name: each.title for name, each in parsed.controls.items()}
        self._owner = owner
        self._owners: dict[str, str] = {}  # of the first rule that names each control
        self.new: list[Control] = []

    def reference(self, rule: MatrixRule) -> tuple[str | None, Sequence[Remark]]:
        """Return the reference of a rule's control, and what is to be said of it."""
        name = rule.control or (control_id(rule.mitigation) if rule.mitigation else None)
        if name is not None:
            self._owners.setdefault(name, rule.owner or self._owner)
        if name is None or rule.mitigation is None:
            return name, ()
        if name not in self._titles:
            self._titles[name] = rule.mitigation
            self.new.append(
                Control(
                    id=name,
                    title=rule.mitigation,
                    owner=self._owners[name],
                    days=1,
                    evidence=NOT_NAMED,
                )
            )
        elif (title := self._titles[name]) != rule.mitigation and name == rule.control:
            what = f"Control {name} has another text already, which stays: {quoted(title)}."
            return name, [Remark(kind=RemarkKind.KEPT, place=rule.origin, what=what)]
        return name, ()


def control_id(mitigation: str) -> str:
    """Return the id of a control that has none, stable for its text."""
    return f"control-{hashlib.sha256(fold(mitigation).encode()).hexdigest()[:_HASH]}"


def _add(plan: ImportPlan, folder: RulesFolder, name: str, head: str, texts: Sequence[str]) -> None:
    if texts:
        before = plan.files.get(name) or folder.files.get(name) or head
        plan.files[name] = before.rstrip("\n") + "\n" + "".join(texts)


def _add_rules(plan: ImportPlan, folder: RulesFolder, name: str, texts: Sequence[str]) -> None:
    """Add to the last file of this import, and begin another one before it is too large."""
    if not texts:
        return
    number = max(_numbers(folder, name), default=1)
    first = folder.files.get(rules_file(name, number), RULES_HEAD)
    if not first.startswith(RULES_HEAD.splitlines()[0]):
        raise MatrixError(
            f"{rules_file(name, number)} is there, and no import wrote it. "
            "Fix: give the file with the matrix another name, or choose another folder by --out."
        )
    for piece in pieces(texts, MAX_WRITTEN - len(first.encode()), MAX_WRITTEN):
        _add(plan, folder, rules_file(name, number), RULES_HEAD, piece)
        number += 1


def rules_file(name: str, number: int) -> str:
    return f"{name}.yaml" if number == 1 else f"{name}.{number}.yaml"


def _numbers(folder: RulesFolder, name: str) -> Iterator[int]:
    pattern = re.compile(rf"{re.escape(name)}(?:\.([1-9]\d*))?\.yaml")
    for file in folder.files:
        if found := pattern.fullmatch(file):
            yield int(found[1] or 1)


def _gone(plan: ImportPlan, folder: RulesFolder, name: str) -> Iterator[Remark]:
    """Name the rules of earlier imports that the matrix states no more."""
    ours = {rules_file(name, number) for number in _numbers(folder, name)}
    for rule_id in folder.parsed.rules:
        file = folder.file_of(rule_id)
        if file in ours and rule_id not in plan.present:
            what = f"{rule_id} is not in what was imported now, and stays."
            yield Remark(kind=RemarkKind.KEPT, place=CellPlace(file), what=what)


def _require_sound(plan: ImportPlan, folder: RulesFolder) -> None:
    """Read what would be written, before anything is.

    Raises:
        MatrixError: the rules that are there would change, or there would be a mistake.
    """
    if not plan.files:
        return
    before = folder.parsed
    try:
        files = {**folder.files, **plan.files}
        after = parse_rules(SourceFile(name, text) for name, text in files.items())
    except RulesError as error:
        problem = error.problems[0]
    else:
        pairs = (
            (before.rules, after.rules),
            (before.classes, after.classes),
            (before.controls, after.controls),
        )
        if all(_stays(*pair) for pair in pairs) and set(plan.new) <= after.rules.keys():
            return
        problem = "what is there would change"
    raise MatrixError(
        f"Nothing was written, because these files cannot be added to: {', '.join(plan.files)} "
        f"({problem}). Fix: let classes, rules and controls be the last entry of their file, in "
        "block form, or choose another folder by --out."
    )


def _stays(before: Mapping[str, object], after: Mapping[str, object]) -> bool:
    return all(after.get(name) == value for name, value in before.items())
