"""How much a report takes, so that it opens anywhere. What is over is counted, and said."""

from __future__ import annotations

from entra_sod.domain.results.coverage import Skipped

MOST_FINDINGS = 20_000
MOST_PAIRS = 100_000
MOST_RULES = 2_000
MOST_EXCEPTIONS = 5_000
MOST_LINES = 1_000
MOST_SWEEPS = 30


def cut[T](items: list[T], most: int, what: str, left_out: list[Skipped]) -> list[T]:
    """The first so many of a list; where it has more, `left_out` says how many."""
    if len(items) > most:
        why = f"a report takes {most:,} of them at most, and there are {len(items):,}"
        left_out.append(Skipped(what=f"{len(items) - most:,} {what}", why=why))
    return items[:most]
