"""The newest sweep's index, with what it does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from entra_sod.core.errors import GraphError, SodError
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.coverage import Skipped, rule_gaps
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.rules.names import read_names
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.sweeps.summary import SweepSummary, last_summary
from entra_sod.stores.sweeps import SweepStore


class IndexMissing(SodError):
    """No sweep has stored an index, or its files were deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHolders:
    """What is known of who holds what.

    Attributes:
        summary: of the newest sweep that was closed.
        rules: in force; None where that is not known.
        gaps: what was not read.
        names: the tenant's list of packages, as far as it is known.
    """

    summary: SweepSummary
    rules: RuleSet | None
    gaps: list[Skipped]
    names: Mapping[str, AccessPackage]

    @property
    def is_whole(self) -> bool:
        return not any(each.hides for each in self.gaps)

    @property
    def unread(self) -> frozenset[str]:
        """Packages of rules that the index does not have."""
        named = self.rules.named_packages if self.rules else frozenset[str]()
        return named.union(self.summary.unread).difference(self.summary.pages)


async def read_known_holders(sweeps: SweepStore, provider: RulesProvider) -> KnownHolders:
    """Read what the newest sweep has left, and hold it against the rules in force.

    Raises:
        IndexMissing: there is none.
    """
    summary = await last_summary(sweeps)
    if summary is None:
        raise IndexMissing("No sweep has ended yet that left an index of who holds what.")
    names = await read_names(provider)
    try:
        rules = await provider.at_hand()
    except GraphError as error:
        gap = Skipped.of("which packages the rules name", error)
        return KnownHolders(summary=summary, rules=None, gaps=[*_unread(summary), gap], names=names)
    gaps = [*_unread(summary), *_not_indexed(summary, rules), *rule_gaps(rules)]
    return KnownHolders(summary=summary, rules=rules, gaps=gaps, names=names)


def _unread(summary: SweepSummary) -> Iterator[Skipped]:
    for package, why in sorted(summary.unread.items()):
        yield Skipped(what=f"who holds access package {package}", why=why)


def _not_indexed(summary: SweepSummary, rules: RuleSet) -> Iterator[Skipped]:
    """Say how many packages the sweep did not index, such as those of rules that came later."""
    missing = rules.named_packages.difference(summary.pages, summary.unread)
    if missing:
        first = rules.named(min(missing))
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        why = (
            f"sweep {summary.sweep_id} read no list of all holders: it asked for pairs, or the "
            "rules name the package since then"
        )
        yield Skipped(what=f"who holds {first}{more}", why=why)
