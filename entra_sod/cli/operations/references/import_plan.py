"""What an import of references writes, and what it says. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.cli.operations.matrix.import_plan import RulesFolder
from entra_sod.cli.operations.matrix.model import CellPlace, MatrixError, Remark, RemarkKind
from entra_sod.cli.operations.references.rules import ReferenceRule, make_rules
from entra_sod.cli.operations.references.write_rules import (
    WritingOptions,
    empty_file,
    is_as_written,
    missing_text,
    write_files,
)
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.core.errors import RulesError
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import parse_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencesOutput:
    """Where rules go: files by name, in their folder.

    Attributes:
        stem: the name of the first file without its ending.
        before: the text of each file of this output, as it is.
    """

    stem: str
    before: Mapping[str, str]

    @property
    def file(self) -> str:
        return f"{self.stem}.yaml"

    @property
    def changed(self) -> Sequence[str]:
        """Files that people have changed, or that no import of references wrote."""
        return [name for name, text in sorted(self.before.items()) if not is_as_written(text)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencesImport:
    """What is to be written.

    Attributes:
        rules: that the references make.
        files: the text of each file that changes.
        named: how many references other rules name, so that they are left out.
    """

    rules: Sequence[ReferenceRule]
    files: Mapping[str, str]
    named: int
    remarks: Sequence[Remark]

    @property
    def references(self) -> int:
        return len(frozenset[Reference]().union(*(each.present for each in self.rules)))


def own_groups(references: Collection[Reference], state: TenantState) -> frozenset[Reference]:
    """Return references to a group that their own package grants: no rule asks for them.

    Every holder of the package is in the group, so no holder could renew it.
    """
    return frozenset(
        each
        for each in references
        if each.kind is ReferenceKind.GROUP and each.target in state.packages[each.on].groups
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedReferences:
    """What is to become rules.

    Attributes:
        references: of the tenant.
        named: what rules of other files name.
        state: of the tenant.
        gaps: why there may be more references.
    """

    references: frozenset[Reference]
    named: frozenset[Reference]
    state: TenantState
    gaps: Sequence[Skipped]


def plan_references(
    wanted: WantedReferences, output: ReferencesOutput, options: WritingOptions
) -> ReferencesImport:
    """Plan rules for references, and the files that have them.

    Args:
        wanted: the references.
        output: the files, as they are.
        options: for what the tenant does not say.

    Raises:
        MatrixError: the files cannot be written.
    """
    refused = own_groups(wanted.references, wanted.state)
    unread = {each.target for each in wanted.references} - wanted.state.packages.keys()
    rules = make_rules(wanted.references - wanted.named - refused, unread)
    files = _files(rules, wanted.gaps, output, options)
    remarks = [
        *(_refused(each, output, options) for each in sorted(refused)),
        *(_remark(output, RemarkKind.UNREAD, f"{gap.what}: {gap.why}") for gap in wanted.gaps),
        *(each for rule in rules for each in _one_way(rule, output, options)),
        *_dropped(rules, output, files),
    ]
    count = len(wanted.references & wanted.named)
    return ReferencesImport(rules=rules, files=files, named=count, remarks=remarks)


def _files(
    rules: Sequence[ReferenceRule],
    gaps: Sequence[Skipped],
    output: ReferencesOutput,
    options: WritingOptions,
) -> Mapping[str, str]:
    """Return the files that change.

    Raises:
        MatrixError: people have changed one, or rules would go of which the references are unread.
    """
    if rules and output.changed:
        raise MatrixError(
            f"{', '.join(output.changed)} was changed since it was imported, or no import wrote "
            f"it, and {len(rules)} rules are new. Nothing was written. Fix: write the new rules to "
            f"a file beside it, such as --out {output.stem}-new.yaml."
        )
    if output.changed or not (rules or output.before):
        return {}
    files = {name: empty_file(options) for name in output.before}
    files |= write_files(output.stem, rules, options)
    if gaps and (gone := _ids_in(output.before) - {each.id for each in rules}):
        raise MatrixError(
            f"Not everything could be read ({gaps[0].what}: {gaps[0].why}), so {len(gone)} rules "
            f"of {output.file} might go although the tenant has their references. Nothing was "
            "written. Fix: give the identity the missing roles, or choose another file by --out."
        )
    return {name: text for name, text in files.items() if output.before.get(name) != text}


def _ids_in(files: Mapping[str, str]) -> frozenset[str]:
    # One by one: an import that died between two files leaves a rule in both.
    parsed = (parse_rules([SourceFile(name, text)]) for name, text in files.items())
    return frozenset[str]().union(*(each.rules for each in parsed))


def _dropped(
    rules: Sequence[ReferenceRule], output: ReferencesOutput, files: Mapping[str, str]
) -> Iterator[Remark]:
    """Name rules that were in the file and are not in what the tenant has now."""
    if files:
        for each in sorted(_ids_in(output.before) - {rule.id for rule in rules}):
            what = f"{each} is taken out: the tenant has other references now, or other rules."
            yield _remark(output, RemarkKind.NOTE, what)


def _one_way(
    rule: ReferenceRule, output: ReferencesOutput, options: WritingOptions
) -> Iterator[Remark]:
    for each in rule.missing:
        what = (
            f"{rule.id} is one way: {missing_text(each, options.name_of)}. The reference on "
            f"{each.on} to {each.target} is missing."
        )
        fix = "under enforce the app writes it."
        yield _remark(output, RemarkKind.NOTE, what, fix)
    for each in rule.unknown:
        what = f"{rule.id}: whether {each.on} refers back to {each.target} is not known."
        yield _remark(output, RemarkKind.UNREAD, what, "give the identity a role on its catalog.")


def _refused(each: Reference, output: ReferencesOutput, options: WritingOptions) -> Remark:
    name = options.name_of(ReferenceKind.PACKAGE, each.on)
    what = (
        f"{name or each.on} grants membership of group {each.target} itself, and its members "
        "cannot get it. So no holder can renew it, and no rule asks for that."
    )
    fix = f"remove the group from the incompatible groups of {each.on}, if it is a mistake."
    return _remark(output, RemarkKind.REFUSED, what, fix)


def _remark(output: ReferencesOutput, kind: RemarkKind, what: str, fix: str = "") -> Remark:
    return Remark(kind=kind, place=CellPlace(output.file), what=what, fix=fix)


def require_sound(plan: ReferencesImport, folder: RulesFolder) -> None:
    """Read what would be written, before anything is.

    Args:
        plan: of the import.
        folder: the files beside those that are written.

    Raises:
        MatrixError: there would be a mistake.
    """
    files = {**folder.files, **plan.files}
    try:
        parse_rules(SourceFile(name, text) for name, text in files.items())
    except RulesError as error:
        raise MatrixError(
            f"Nothing was written, because the rules would have a mistake: {error.problems[0]}. "
            "Fix: choose another file by --out."
        ) from error
