"""Where Graph differs from what the rules ask for and from what the ledger remembers. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.entra import Reference, ReferenceKind


class DriftKind(StrEnum):
    MISSING = "missing"  # ours by the ledger and still asked for, but somebody removed it
    EXTRA = "extra"  # ours by the ledger and there, but no rule asks for it any more
    ASYMMETRIC = "asymmetric"  # a pair of packages is referenced in one direction only
    ORPHANED = "orphaned"  # ours by the ledger, on or to a package or group that is gone
    FOREIGN = "foreign"  # there, made by others, asked for by no rule: left alone


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """One difference, and the reference it is about."""

    kind: DriftKind
    reference: Reference


def find_drift(
    desired: Iterable[DesiredReference],
    present: Collection[Reference],
    ours: Collection[Reference],
    *,
    in_view: Collection[str],
    gone: Collection[str] = (),
) -> list[Drift]:
    """Compare wishes, Graph and ledger.

    Args:
        desired: what the rules in view ask for.
        present: what Graph lists on the packages in view.
        ours: what the ledger says that this app wrote.
        in_view: the packages whose lists were read.
        gone: packages and groups that Graph says do not exist.

    Returns:
        Every difference once for each kind it is of, in order. What is desired, absent and never
        was ours is no drift but work to do: the plan has it.
    """
    wanted, there, written = {each.reference for each in desired}, set(present), set(ours)
    orphaned = {each for each in written if each.on in gone or each.target in gone}
    found = {
        DriftKind.MISSING: (written & wanted) - there - orphaned,
        DriftKind.EXTRA: (written & there) - wanted - orphaned,
        DriftKind.ASYMMETRIC: _one_directional(there, in_view),
        DriftKind.ORPHANED: orphaned,
        DriftKind.FOREIGN: there - wanted - written,
    }
    return sorted(Drift(kind, each) for kind, references in found.items() for each in references)


def _one_directional(there: set[Reference], in_view: Collection[str]) -> set[Reference]:
    """References to packages whose mirror is absent, where the other package was read."""
    return {
        each
        for each in there
        if each.kind is ReferenceKind.PACKAGE
        and each.target in in_view
        and Reference(each.target, ReferenceKind.PACKAGE, each.on) not in there
    }
