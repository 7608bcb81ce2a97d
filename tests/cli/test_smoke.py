"""What the smoke test makes of an app that is late, not whole, or not honest."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from entra_sod.adapters.graph.client import READING_PACKAGE
from entra_sod.adapters.graph.failures import graph_error
from entra_sod.cli.expected import EXPECTED, compare_functions
from entra_sod.cli.run_smoke import synchronized
from entra_sod.cli.smoke import CANARY, MAX_ATTEMPTS, evaluate_canary, smoke
from entra_sod.domain.results.check import CheckResult
from entra_sod.domain.results.coverage import Coverage, Skipped
from entra_sod.services.doctor.diagnosis import DiagnosisResult
from tests.app import app_functions
from tests.cli.remote import ADDRESS, Asked, answering

NAMES = frozenset({"a", "b"})
PACKAGES = [CANARY["accessPackageId"], CANARY["incompatibleAccessPackageId"]]


def refusals(status: int, body: bytes = b"") -> list[dict[str, str]]:
    """What the app skips where Graph answers so to both packages."""
    errors = {key: graph_error(READING_PACKAGE % key, status, {}, body=body) for key in PACKAGES}
    return [{"what": f"access package {key}", "why": str(each)} for key, each in errors.items()]


RESULT: dict[str, object] = {
    "id": "c",
    "status": "completed",
    "outcome": "unknown",
    "pair": None,
    "reference": None,
    "enforcement": "off",
    "holders": [],
    "holderCount": 0,
    "rules": [],
    "sets": [],
    "references": {},
    "coverage": {"checked": [], "skipped": refusals(403)},
    "rulesHash": "",
    "asOf": "2026-01-01T00:00:00Z",
}


def app(listed: list[object], outcomes: list[object]) -> Asked:
    """An app whose host lists these functions, one look after the other, and answers so."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/admin/functions":
            seen = listed.pop(0) if len(listed) > 1 else listed[0]
            if isinstance(seen, int):
                return httpx.Response(seen)
            return httpx.Response(200, json=[{"name": name} for name in seen])  # type: ignore[attr-defined]
        if request.method == "POST" and outcomes != [403]:
            assert request.url == f"{ADDRESS}/checks"
            assert request.headers["Idempotency-Key"].startswith("smoke-")
            return httpx.Response(202, json={"id": "c", "status": "queued", "self": "x"})
        if outcomes == [403]:
            return httpx.Response(403)
        outcome = outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
        if outcome is None:
            return httpx.Response(202, json={"id": "c", "status": "queued"})
        return httpx.Response(200, json={**RESULT, "outcome": outcome})

    return answering(handler, "master")


async def results(asked: Asked) -> dict[str, DiagnosisResult]:
    diagnoses = await smoke(asked.app, asked.app.functions, NAMES, asked.clock, asked.told.append)
    await asked.http.aclose()
    return {each.what: each.result for each in diagnoses}


async def test_an_app_that_comes_up_late_is_waited_for() -> None:
    """Neither a host that does not answer yet, nor half of the functions, is the end."""
    asked = app([503, [], ["a"], ["a", "b"]], [None, None, "unknown"])
    assert await results(asked) == {
        "functions": DiagnosisResult.OK,
        "canary check": DiagnosisResult.OK,
    }
    assert len(asked.clock.slept) == 5


async def test_azure_is_made_to_look_again_between_two_listings() -> None:
    """On Flex Consumption Azure may list no functions until a client calls its synchronization."""
    listed = [[], ["a", "b"]]
    asked = app([["a", "b"]], ["unknown"])
    looked: list[bool] = []

    async def known() -> list[str]:
        return listed[len(looked)]

    async def look_again() -> None:
        looked.append(True)

    listing = synchronized(known, look_again)
    diagnoses = await smoke(asked.app, listing, NAMES, asked.clock, asked.told.append)
    await asked.http.aclose()
    assert diagnoses[0].result is DiagnosisResult.OK
    assert looked == [True]


@pytest.mark.parametrize("listed", [[], ["a"], ["a", "b", "c"]])
async def test_an_app_that_is_not_whole_is_sent_no_canary(listed: list[str]) -> None:
    """None, too few, or some of another version: the deployment failed, after patience."""
    asked = app([listed], ["unknown"])
    assert await results(asked) == {"functions": DiagnosisResult.WRONG}
    assert len(asked.clock.slept) == MAX_ATTEMPTS - 1


@pytest.mark.parametrize("outcome", ["clear", "conflict"])
async def test_an_app_that_knows_what_it_cannot_know_fails(outcome: str) -> None:
    """An all-clear for packages that do not exist is the worst answer there is."""
    assert (await results(app([["a", "b"]], [outcome])))["canary check"] is DiagnosisResult.WRONG


def canary(skipped: list[dict[str, str]], status: str = "completed") -> CheckResult:
    coverage = Coverage(skipped=msgspec.convert(skipped, list[Skipped]))
    result = msgspec.convert(RESULT, CheckResult)
    return msgspec.structs.replace(result, status=status, coverage=coverage)


@pytest.mark.parametrize("status", [403, 404])
def test_packages_that_graph_does_not_show_are_an_honest_reason(status: int) -> None:
    """An identity with roles on catalogs is refused; one that may read all learns of nothing."""
    found = evaluate_canary(canary(refusals(status)))
    assert found.result is DiagnosisResult.OK
    assert f"Graph answers {status}" in found.detail


def test_a_canary_that_failed_fails_the_deployment_with_its_reason() -> None:
    """A worker without a token, storage or rules fails every check, and says unknown of each."""
    why = "no token: the managed identity is off"
    found = evaluate_canary(canary([{"what": "the whole check", "why": why}], "failed"))
    assert (found.result, why in found.detail) == (DiagnosisResult.WRONG, True)
    assert evaluate_canary(canary(refusals(403), "failed")).result is DiagnosisResult.WRONG


@pytest.mark.parametrize(
    "skipped",
    [
        [],
        refusals(403)[:1],
        refusals(400),
        refusals(401),
        refusals(403, b'{"error": {"code": "NoLicense"}}'),
        [{**refusals(403)[0], "why": "there is no such thing"}, refusals(403)[1]],
    ],
)
def test_a_canary_that_is_unknown_for_another_reason_fails(skipped: list[dict[str, str]]) -> None:
    """Graph has to have answered about both packages, and not about the token or the licence."""
    assert evaluate_canary(canary(skipped)).result is DiagnosisResult.WRONG


async def test_a_canary_that_is_not_let_in_is_said_to_be_unknown() -> None:
    """A deployer need not have a role; nothing is called good because of that."""
    found = await results(app([["a", "b"]], [403]))
    assert found == {"functions": DiagnosisResult.OK, "canary check": DiagnosisResult.UNKNOWN}


async def test_a_canary_without_a_worker_fails() -> None:
    """The wait has an end."""
    assert (await results(app([["a", "b"]], [None])))["canary check"] is DiagnosisResult.WRONG


def test_the_canary_writes_nothing_and_names_two_packages() -> None:
    """Enforcement is off whatever the app's setting, and the two are distinct."""
    assert CANARY["enforcement"] == "off"
    assert CANARY["accessPackageId"] != CANARY["incompatibleAccessPackageId"]
    assert evaluate_canary(None).result is DiagnosisResult.WRONG


def test_the_expected_functions_are_those_of_the_app() -> None:
    """The command line knows them without the app, which is not in its package."""
    assert {each.get_function_name() for each in app_functions()} == EXPECTED
    assert "none" in compare_functions([], EXPECTED).detail
