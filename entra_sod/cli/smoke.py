"""The first questions to an app that was just deployed: is it whole, and is it honest?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from uuid import uuid4

from entra_sod.adapters.graph.client import READING_PACKAGE
from entra_sod.adapters.graph.failures import graph_error
from entra_sod.cli.expected import compare_functions
from entra_sod.cli.running_app import AppError, NotAdmitted, RunningApp
from entra_sod.core.clock import Clock
from entra_sod.domain.results.check import CheckResult
from entra_sod.domain.results.coverage import Outcome
from entra_sod.domain.results.status import CheckStatus
from entra_sod.services.doctor.diagnosis import Diagnosis, DiagnosisResult, ok, unknown, wrong

# Access packages that no tenant has: an honest app does not know about them.
_PACKAGES = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")
CANARY = {
    "accessPackageId": _PACKAGES[0],
    "incompatibleAccessPackageId": _PACKAGES[1],
    "enforcement": "off",
    "reference": "smoke test",
}
# What Graph says of such a package to an identity with roles on catalogs, and to one with more.
_HONEST_STATUSES = (403, 404)
WAIT_SECONDS = 5.0
MAX_ATTEMPTS = 60


type Listing = Callable[[], Awaitable[Sequence[str]]]


async def smoke(
    app: RunningApp,
    listing: Listing,
    expected: Collection[str],
    clock: Clock,
    tell: Callable[[str], None],
) -> list[Diagnosis]:
    """List the functions, send the canary, and judge both.

    Args:
        app: to be asked.
        listing: gives the functions that the platform lists.
        expected: the functions of this version.
        clock: for the waits between looks.
        tell: takes a line on how far it is.

    Raises:
        AppError: the app does not answer.
    """
    functions = await _functions(listing, expected, clock, tell)
    if functions.result is DiagnosisResult.WRONG:
        return [functions]
    try:
        check_id = await app.start_check(CANARY, idempotency_key=f"smoke-{uuid4()}")
        tell(f"canary {check_id} sent")
        return [functions, evaluate_canary(await _ended(app, check_id, clock))]
    except NotAdmitted as error:
        return [functions, unknown("canary check", f"not asked: {error}", _GIVE_ROLE)]


_GIVE_ROLE = (
    "Nothing is known of its answers. Give yourself the app role SoD.Check "
    "(docs/how-to/give-access-to-callers.md), or set ENTRA_SOD_KEY, and run scripts/smoke.py again."
)


async def _functions(
    listing: Listing, expected: Collection[str], clock: Clock, tell: Callable[[str], None]
) -> Diagnosis:
    """What the platform lists, once it does: a deployment takes a while to be seen."""
    diagnosis = await _listed(listing, expected)
    for _ in range(MAX_ATTEMPTS - 1):
        if diagnosis.result is not DiagnosisResult.WRONG:
            break
        tell(f"not yet: {diagnosis.detail}")
        await clock.sleep(WAIT_SECONDS)
        diagnosis = await _listed(listing, expected)
    return diagnosis


async def _listed(listing: Listing, expected: Collection[str]) -> Diagnosis:
    try:
        return compare_functions(await listing(), expected)
    except AppError as error:
        advice = "Check that the app runs, then its address and the key, or az login."
        return wrong("functions", str(error), advice)


async def _ended(app: RunningApp, check_id: str, clock: Clock) -> CheckResult | None:
    for _ in range(MAX_ATTEMPTS):
        if result := await app.check(check_id):
            return result
        await clock.sleep(WAIT_SECONDS)
    return None


def evaluate_canary(result: CheckResult | None) -> Diagnosis:
    """Only `unknown` for the reason that Graph shows no such packages is an honest answer. Pure."""
    what = "canary check"
    if result is None:
        minutes = WAIT_SECONDS * MAX_ATTEMPTS / 60
        advice = (
            "The app does not process the queue conflict-checks: entra-sod doctor --url … says why."
        )
        return wrong(what, f"not ended after {minutes:.0f} min", advice)
    if result.outcome is not Outcome.UNKNOWN:
        return wrong(
            what,
            f"{result.outcome} for two packages that do not exist",
            "Do not use this deployment: it gives answers that it cannot know.",
        )
    reasons = "; ".join(each.why for each in result.coverage.skipped[:2])
    if result.status == CheckStatus.COMPLETED and _saw_none(result):
        return ok(what, f"unknown, as it should be: {reasons}")
    return wrong(what, f"{result.status}, unknown: {reasons}", _CANNOT_WORK)


_CANNOT_WORK = (
    "It did not come so far as to learn that there are no such packages, and so cannot answer for "
    "any: entra-sod doctor --url … says why."
)


def _saw_none(result: CheckResult) -> bool:
    """Whether Graph answered about both packages, and showed neither."""
    whys = [each.why for each in result.coverage.skipped]
    return all(any(why.startswith(_honest(key)) for why in whys) for key in _PACKAGES)


def _honest(package_id: str) -> tuple[str, ...]:
    """How an error begins that says of a package that there is none, or none to be seen."""
    what = READING_PACKAGE % package_id
    return tuple(str(graph_error(what, status, {})) for status in _HONEST_STATUSES)
