"""The rows of the table: which tenant, which Graph, and how many workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.sweep.tenants import fewest_counted, index_requests
from local.graph.scale import Scale

WINDOW_SECONDS = 10
# Requests that simulator and worker together manage in a second, whatever Graph would take.
_SLOWEST_MACHINE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One sweep.

    Attributes:
        limit: requests that Graph takes in ten seconds; the app is told the same number.
        mode: of the rules; `record` reads and writes no references.
        has_budget: whether this is the tenant that the budgets are given for.
        nights_before: sweeps that are run before the one that is measured, as it is every night
            but the first: they leave the numbers of pages behind.
    """

    name: str
    scale: Scale
    page_size: int = 100
    limit: int = 1_000
    workers: int = 1
    mode: Literal["record", "enforce"] = "record"
    has_budget: bool = False
    nights_before: int = 0

    @property
    def rate(self) -> float:
        """Requests per second that Graph takes in the long run."""
        return self.limit / WINDOW_SECONDS

    @property
    def shortest_seconds(self) -> float:
        """What the cheapest way that we know of would take at the full rate."""
        return fewest_counted(self.scale, self.page_size) / self.rate

    @property
    def patience_seconds(self) -> float:
        """After so long the row says that its sweep has not ended."""
        requests = index_requests(self.scale, self.page_size)
        if self.mode == "enforce":
            # Each package itself, and both lists of its references.
            requests += 3 * self.scale.packages
        return 120 + 4 * requests / min(self.rate, _SLOWEST_MACHINE)


SMALL = Scale(packages=100, assignments=30_000, teams=2, requesters=20, approvers=25)
BUDGET = Scale(packages=1_000, assignments=300_000, teams=20, requesters=20, approvers=25)
LARGE = Scale(packages=5_000, assignments=300_000, teams=50, requesters=40, approvers=50)
# As many packages as Entra allows in a tenant.
MAX = Scale(packages=20_000, assignments=300_000, teams=250, requesters=40, approvers=40)
TINY = Scale(packages=30, assignments=600, teams=2, requesters=3, approvers=4)

# The budget's tenant with fewer assignments, with fewer pairs, and with more.
LESS_HELD = Scale(packages=1_000, assignments=30_000, teams=20, requesters=20, approvers=25)
MIN_HELD = Scale(packages=1_000, assignments=3_000, teams=20, requesters=20, approvers=25)
FEW_PAIRS = Scale(packages=1_000, assignments=300_000, teams=250, requesters=2, approvers=2)
MANY_PAIRS = Scale(packages=1_000, assignments=300_000, teams=2, requesters=200, approvers=250)

FULL = (
    Case(name="slow", scale=SMALL, page_size=999, limit=20, workers=4),
    Case(name="small", scale=SMALL, limit=100),
    Case(name="enforce", scale=SMALL, limit=100, mode="enforce"),
    Case(name="budget", scale=BUDGET, limit=100, has_budget=True),
    Case(
        name="budget-workers",
        scale=BUDGET,
        page_size=999,
        limit=100,
        workers=4,
        has_budget=True,
        nights_before=1,
    ),
    Case(name="budget-fast", scale=BUDGET, has_budget=True),
    Case(name="budget-fast-workers", scale=BUDGET, workers=4, has_budget=True),
    Case(name="budget-fast-pages", scale=BUDGET, page_size=999, has_budget=True, nights_before=1),
    Case(name="less-held", scale=LESS_HELD),
    Case(name="least-held", scale=MIN_HELD),
    Case(name="few-pairs", scale=FEW_PAIRS),
    Case(name="many-pairs", scale=MANY_PAIRS),
    Case(name="large", scale=LARGE, workers=4),
    Case(name="max", scale=MAX, limit=5_000),
    Case(name="max-enforce", scale=MAX, limit=5_000, mode="enforce"),
    Case(name="enforce-1000", scale=BUDGET, limit=5_000, mode="enforce"),
)
QUICK = (
    Case(name="tiny", scale=TINY, workers=2, mode="enforce", has_budget=True, nights_before=1),
)

# Tenants as large as Entra allows, and the rules' own mode on many packages.
MAX_TENANT = ("max", "max-enforce", "enforce-1000")
# Drawn over the pairs, and over the assignments: all else is equal.
OVER_PAIRS = ("few-pairs", "budget-fast", "many-pairs")
OVER_ASSIGNMENTS = ("least-held", "less-held", "budget-fast")
# Their workers' memory is compared.
FLAT = ("less-held", "budget-fast")
