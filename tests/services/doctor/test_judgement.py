"""Queues, sweeps, rules and clocks: what is wrong with them, all in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from entra_sod.domain.messages import CHECK_QUEUE, SWEEP_QUEUE
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.roles.model import READ_WRITE_ALL, TokenPrincipal
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
from entra_sod.stores.sweeps import SweepStore
from local.memory.storage import SentMessage
from tests.builders import rule, side
from tests.services.doctor.patients import RULES, WellPatient, of, wrong

type Harm = Callable[[WellPatient], Awaitable[None]]


async def old_message(patient: WellPatient) -> None:
    at = patient.clock.now() - timedelta(hours=2)
    patient.storage.sent.append(SentMessage(CHECK_QUEUE, b"{}", 0, at))


async def poison_untaken(patient: WellPatient) -> None:
    await patient.storage.queues.send(f"{SWEEP_QUEUE}-poison", b"{}")


async def letter(patient: WellPatient) -> None:
    letters = DeadLetters(patient.storage.blobs, patient.clock)
    await letters.store(queue=CHECK_QUEUE, message_id="m", body=b"{}", reason="no role")


async def sweep(patient: WellPatient, status: SweepStatus | None, hours: float) -> None:
    store = SweepStore(patient.storage, patient.clock)
    record = await store.create("s")
    if status:
        await store.end(record, status, b"{}")
    patient.clock.advance(hours * 3600)


async def failed_sweep(patient: WellPatient) -> None:
    await sweep(patient, SweepStatus.FAILED, 1)


async def missed_timer(patient: WellPatient) -> None:
    await sweep(patient, SweepStatus.COMPLETED, 50)


async def stuck_sweep(patient: WellPatient) -> None:
    await sweep(patient, None, 21)


async def broken_rules(patient: WellPatient) -> None:
    patient.rules.text = "rules: ["


async def newly_broken_rules(patient: WellPatient) -> None:
    await patient.book.current()
    patient.clock.advance(120)
    patient.rules.text = "rules: ["


async def clock_ahead(patient: WellPatient) -> None:
    patient.roles.skew = timedelta(seconds=-90)


async def unlisted_behind_a_group(patient: WellPatient) -> None:
    patient.rules.write([*RULES, rule("guarded", side("e"), side("", ["2"]))])


async def no_writer(patient: WellPatient) -> None:
    patient.roles.held.clear()


HARMS: dict[str, tuple[Harm, str]] = {
    "oldest message": (old_message, "queue conflict-checks"),
    "poison that nobody takes": (poison_untaken, "poison of sweep-pairs"),
    "letters": (letter, "poison of conflict-checks"),
    "a failed sweep": (failed_sweep, "last sweep"),
    "a missed timer": (missed_timer, "last sweep"),
    "a stuck sweep": (stuck_sweep, "last sweep"),
    "broken rules": (broken_rules, "rules"),
    "rules that broke later": (newly_broken_rules, "rules"),
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
    patient = WellPatient()
    do, expected = HARMS[harm]
    await do(patient)
    diagnoses = await run_diagnostics(patient.patient)
    assert wrong(diagnoses) == [expected]
    assert all(each.advice for each in diagnoses if each.result is DiagnosisResult.WRONG)


async def test_a_message_that_waits_for_its_time_is_no_fault() -> None:
    """A copy that Graph's Retry-After put off is hidden, and counted."""
    patient = WellPatient()
    await patient.storage.queues.send(SWEEP_QUEUE, b"{}", delay_seconds=7200)
    assert wrong(await run_diagnostics(patient.patient)) == []


async def test_a_sweep_that_is_due_weekly_is_not_judged_by_its_age() -> None:
    """Only a schedule of every day says what two missed nights are."""
    patient = WellPatient(SWEEP_SCHEDULE="0 0 2 * * 1")
    await missed_timer(patient)
    assert wrong(await run_diagnostics(patient.patient)) == []


async def test_gaps_are_worth_a_note() -> None:
    """The sweep did its work; what it could not see has an owner elsewhere."""
    patient = WellPatient()
    await sweep(patient, SweepStatus.COMPLETED_WITH_GAPS, 1)
    assert "last sweep" in of(await run_diagnostics(patient.patient), DiagnosisResult.NOTE)


async def test_a_permission_for_the_whole_tenant_may_write() -> None:
    """No role on the catalog is needed then."""
    patient = WellPatient()
    await no_writer(patient)
    patient.roles.asking = TokenPrincipal(permissions=frozenset({READ_WRITE_ALL}), principal_id="p")
    assert wrong(await run_diagnostics(patient.patient)) == []


async def test_no_secret_of_a_person_is_told() -> None:
    """Diagnoses name ids, counts and reasons; an identity that says nothing is no fault."""
    patient = WellPatient()
    patient.roles.asking = TokenPrincipal()
    diagnoses = await run_diagnostics(patient.patient)
    assert wrong(diagnoses) == []
    assert "catalog Finance: write" in of(diagnoses, DiagnosisResult.UNKNOWN)


def test_unknown_alone_is_healthy_and_wrong_is_not() -> None:
    """What could not be looked at has a line of its own for the cause."""
    fine: list[Diagnosis] = [ok("a"), unknown("b", "?")]
    assert (is_healthy(fine), summed_up(fine).status) == (True, "ready")
    assert summed_up([*fine, wrong_diagnosis("c", "x", "y")]).status == "not-ready"
