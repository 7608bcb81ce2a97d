"""Queues, sweeps, rules and clocks: what is wrong with them, all in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from entra_sod.core.errors import Unlicensed
from entra_sod.domain.messages import CHECK_QUEUE, SWEEP_QUEUE
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.roles.model import READ_WRITE_ALL, TokenPrincipal
from entra_sod.domain.rules.language import PackageSelector, Side
from entra_sod.ports.storage import Row
from entra_sod.services.doctor import probe_storage
from entra_sod.services.doctor.diagnosis import (
    Diagnosis,
    DiagnosisResult,
    is_healthy,
    ok,
    summed_up,
    unknown,
)
from entra_sod.services.doctor.diagnosis import wrong as wrong_diagnosis
from entra_sod.services.doctor.run import run_diagnostics
from entra_sod.stores.dead_letters import DeadLetters
from entra_sod.stores.ledger import TABLE as LEDGER
from entra_sod.stores.sweeps import SweepStore
from local.memory.storage import SentMessage
from tests.builders import rule, side
from tests.services.doctor.contexts import RULES, WellPatient, of, wrong

type Harm = Callable[[WellPatient], Awaitable[None]]


async def old_message(context: WellPatient) -> None:
    at = context.clock.now() - timedelta(hours=2)
    context.storage.sent.append(SentMessage(CHECK_QUEUE, b"{}", 0, at))


async def poison_untaken(context: WellPatient) -> None:
    await context.storage.queues.send(f"{SWEEP_QUEUE}-poison", b"{}")


async def letter(context: WellPatient) -> None:
    letters = DeadLetters(context.storage.blobs, context.clock)
    await letters.store(queue=CHECK_QUEUE, message_id="m", body=b"{}", reason="no role")


async def sweep(context: WellPatient, status: SweepStatus | None, hours: float) -> None:
    store = SweepStore(context.storage, context.clock)
    record = await store.create("s")
    if status:
        await store.end(record, status, b"{}")
    context.clock.advance(hours * 3600)


async def failed_sweep(context: WellPatient) -> None:
    await sweep(context, SweepStatus.FAILED, 1)


async def missed_timer(context: WellPatient) -> None:
    await sweep(context, SweepStatus.COMPLETED, 50)


async def stuck_sweep(context: WellPatient) -> None:
    await sweep(context, None, 21)


async def broken_rules(context: WellPatient) -> None:
    context.rules.text = "rules: ["


async def newly_broken_rules(context: WellPatient) -> None:
    await context.book.current()
    context.clock.advance(120)
    context.rules.text = "rules: ["


async def clock_ahead(context: WellPatient) -> None:
    context.roles.skew = timedelta(seconds=-90)


async def unlisted_behind_a_group(context: WellPatient) -> None:
    context.rules.write([*RULES, rule("guarded", side("e"), side("", ["2"]))])


async def no_writer(context: WellPatient) -> None:
    context.roles.held.clear()


MISSPELT = rule("misspelt", side("a"), Side(packages=[PackageSelector(name="Aprove*")]))


async def misspelt_name(context: WellPatient) -> None:
    context.rules.write([*RULES, MISSPELT])


async def no_licence(context: WellPatient) -> None:
    async def refused() -> Any:
        raise Unlicensed("no licence", status=403)

    context.rules.write([*RULES, MISSPELT])
    context.graph.packages = refused  # type: ignore[method-assign]  # as Graph answers then


async def damaged_row(context: WellPatient) -> None:
    await context.storage.table(LEDGER).insert(Row(partition="p", key="k"))


HARMS: dict[str, tuple[Harm, str]] = {
    "oldest message": (old_message, "queue conflict-checks"),
    "poison without a worker": (poison_untaken, "poison of sweep-pairs"),
    "letters": (letter, "poison of conflict-checks"),
    "a damaged row of the ledger": (damaged_row, "ledger"),
    "a failed sweep": (failed_sweep, "last sweep"),
    "a missed timer": (missed_timer, "last sweep"),
    "a stuck sweep": (stuck_sweep, "last sweep"),
    "broken rules": (broken_rules, "rules"),
    "rules that broke later": (newly_broken_rules, "rules"),
    "a rule that selects no pair": (misspelt_name, "rules: side 2 of rule misspelt"),
    "no licence, while rules name patterns": (no_licence, "Graph: licence"),
    "a clock": (clock_ahead, "clock"),
    "a package that stands against a group and is gone": (
        unlisted_behind_a_group,
        "Graph: packages of the rules",
    ),
    "no role that writes": (no_writer, "catalog Finance: write"),
}


async def test_a_well_app_lacks_nothing() -> None:
    """Nothing is wrong, and nothing could not be looked at."""
    diagnoses = await run_diagnostics(WellPatient().patient)
    assert wrong(diagnoses) == of(diagnoses, DiagnosisResult.UNKNOWN) == []
    assert {"settings", "storage: queues", "rules", "clock"} <= set(
        of(diagnoses, DiagnosisResult.OK)
    )


@pytest.mark.parametrize("harm", HARMS)
async def test_one_harm_is_one_line(harm: str) -> None:
    """Exactly what was harmed is wrong, and the line says what to do."""
    context = WellPatient()
    do, expected = HARMS[harm]
    await do(context)
    diagnoses = await run_diagnostics(context.patient)
    assert wrong(diagnoses) == [expected]
    assert all(each.advice for each in diagnoses if each.result is DiagnosisResult.WRONG)


async def test_of_a_large_ledger_the_first_rows_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller waits for the answer; the line says that there may be more."""
    context = WellPatient()
    for key in "abc":
        await context.storage.table(LEDGER).insert(Row(partition="p", key=key))
    monkeypatch.setattr(probe_storage, "MAX_LEDGER_ROWS", 2)
    [line] = [each for each in await run_diagnostics(context.patient) if each.what == "ledger"]
    assert line.detail == "2 rows are damaged (the first 2 rows were read): p a, p b"


async def test_a_message_that_waits_for_its_time_is_no_fault() -> None:
    """A copy that Graph's Retry-After put off is hidden, and counted."""
    context = WellPatient()
    await context.storage.queues.send(SWEEP_QUEUE, b"{}", delay_seconds=7200)
    assert wrong(await run_diagnostics(context.patient)) == []


async def test_a_sweep_that_is_due_weekly_is_not_judged_by_its_age() -> None:
    """Only a schedule of every day says what two missed nights are."""
    context = WellPatient(SWEEP_SCHEDULE="0 0 2 * * 1")
    await missed_timer(context)
    assert wrong(await run_diagnostics(context.patient)) == []


async def test_gaps_are_worth_a_note() -> None:
    """The sweep did its work; what it could not see has an owner elsewhere."""
    context = WellPatient()
    await sweep(context, SweepStatus.COMPLETED_WITH_GAPS, 1)
    assert "last sweep" in of(await run_diagnostics(context.patient), DiagnosisResult.NOTE)


async def test_a_permission_for_the_whole_tenant_may_write() -> None:
    """No role on the catalog is needed then."""
    context = WellPatient()
    await no_writer(context)
    context.roles.asking = TokenPrincipal(permissions=frozenset({READ_WRITE_ALL}), principal_id="p")
    assert wrong(await run_diagnostics(context.patient)) == []


async def test_no_secret_of_a_person_is_told() -> None:
    """Diagnoses name ids, counts and reasons; an identity that says nothing is no fault."""
    context = WellPatient()
    context.roles.asking = TokenPrincipal()
    diagnoses = await run_diagnostics(context.patient)
    assert wrong(diagnoses) == []
    assert "catalog Finance: write" in of(diagnoses, DiagnosisResult.UNKNOWN)


def test_unknown_alone_is_healthy_and_wrong_is_not() -> None:
    """What could not be looked at has a line of its own for the cause."""
    fine: list[Diagnosis] = [ok("a"), unknown("b", "?")]
    assert (is_healthy(fine), summed_up(fine).status) == (True, "ready")
    assert summed_up([*fine, wrong_diagnosis("c", "x", "y")]).status == "not-ready"
