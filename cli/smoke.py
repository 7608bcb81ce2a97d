"""The first questions to an app that was just deployed: is it whole, and is it honest?"""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import uuid4

from cli.expected import judge_functions
from cli.running_app import AppError, RunningApp
from functions.checks.result import CheckResult, Outcome
from functions.clock import Clock
from functions.doctor.finding import Finding, Result, ok, wrong

# Access packages that no tenant has: an honest app does not know about them.
CANARY = {
    "accessPackageId": "00000000-0000-4000-8000-000000000001",
    "incompatibleAccessPackageId": "00000000-0000-4000-8000-000000000002",
    "enforcement": "off",
    "reference": "smoke test",
}
WAIT_SECONDS = 5.0
MOST_LOOKS = 60


async def smoke(
    app: RunningApp, expected: Collection[str], clock: Clock, tell: Callable[[str], None]
) -> list[Finding]:
    """List the functions, send the canary, and judge both.

    Raises:
        AppError: the app does not answer, or refuses.
    """
    functions = await _functions(app, expected, clock, tell)
    if functions.result is Result.WRONG:
        return [functions]
    check_id = await app.start_check(CANARY, idempotency_key=f"smoke-{uuid4()}")
    tell(f"canary {check_id} sent")
    return [functions, judge_canary(await _ended(app, check_id, clock))]


async def _functions(
    app: RunningApp, expected: Collection[str], clock: Clock, tell: Callable[[str], None]
) -> Finding:
    """What the host lists, once it does: a deployment takes a while to be seen."""
    for looks in range(1, MOST_LOOKS + 1):
        try:
            finding = judge_functions(await app.functions(), expected)
        except AppError as error:
            advice = "See that it runs, then its address and the master key."
            finding = wrong("functions", str(error), advice)
        if finding.result is not Result.WRONG or looks == MOST_LOOKS:
            break
        tell(f"not yet: {finding.detail}")
        await clock.sleep(WAIT_SECONDS)
    return finding


async def _ended(app: RunningApp, check_id: str, clock: Clock) -> CheckResult | None:
    for _ in range(MOST_LOOKS):
        if result := await app.check(check_id):
            return result
        await clock.sleep(WAIT_SECONDS)
    return None


def judge_canary(result: CheckResult | None) -> Finding:
    """Only `unknown` is an honest answer about packages that do not exist. Pure."""
    what = "canary check"
    if result is None:
        minutes = WAIT_SECONDS * MOST_LOOKS / 60
        advice = "Nobody works on the queue conflict-checks: entra-sod doctor --url … says why."
        return wrong(what, f"not ended after {minutes:.0f} min", advice)
    if result.outcome is Outcome.UNKNOWN:
        reasons = "; ".join(each.why for each in result.coverage.skipped[:1])
        return ok(what, f"unknown, as it should be: {reasons}")
    return wrong(
        what,
        f"{result.outcome} for two packages that do not exist",
        "Do not use this deployment: it gives answers that it cannot know.",
    )
