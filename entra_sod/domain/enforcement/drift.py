"""Where Graph differs from what the rules ask for and from what the ledger remembers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.entra import Reference


class DriftKind(StrEnum):
    MISSING = "missing"  # ours by the ledger and still asked for, but a person removed it
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
    is_one_way: Callable[[Reference], bool],
    gone: Collection[str] = (),
) -> list[Drift]:
    """Compare wishes, Graph and ledger.

    Args:
        desired: what the rules ask for on the packages in view.
        present: what Graph lists on them.
        ours: what the ledger says that this app wrote on them.
        is_one_way: whether the other package was read, and does not refer back.
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
        DriftKind.ASYMMETRIC: {each for each in there if is_one_way(each)},
        DriftKind.ORPHANED: orphaned,
        DriftKind.FOREIGN: there - wanted - written,
    }
    return sorted(Drift(kind, each) for kind, references in found.items() for each in references)
