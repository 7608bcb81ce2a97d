"""The functions that this version of the app has, compared with those that a host lists."""

from __future__ import annotations

from collections.abc import Collection

from entra_sod.domain.callers.routes import ELSEWHERE, ROUTES
from entra_sod.domain.messages import QUEUE_FUNCTIONS
from entra_sod.services.doctor.diagnosis import Diagnosis, ok, wrong

TIMER_FUNCTION = "start_sweep"
EXPECTED = frozenset({*ROUTES, ELSEWHERE.function, TIMER_FUNCTION}.union(*QUEUE_FUNCTIONS.values()))


def compare_functions(listed: Collection[str], expected: Collection[str]) -> Diagnosis:
    """Compare what the host lists with what this version has."""
    missing, extra = sorted(set(expected) - set(listed)), sorted(set(listed) - set(expected))
    if not listed:
        return wrong(
            "functions",
            "the host lists none",
            "The app fails while it is imported, or was deployed without its packages: see the "
            "host's log, and docs/how-to/operate.md, No functions.",
        )
    if not missing and not extra:
        return ok("functions", f"all {len(listed)}")
    words = [f"missing: {', '.join(missing)}"] if missing else []
    words += [f"not of this version: {', '.join(extra)}"] if extra else []
    return wrong("functions", "; ".join(words), "Deploy this version again, whole.")
