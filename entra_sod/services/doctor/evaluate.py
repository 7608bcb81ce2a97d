"""What the doctor makes of what was seen: diagnoses, each with what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from entra_sod.core.errors import GraphError, SodError
from entra_sod.domain.enforcement.result import Enforcement
from entra_sod.domain.results.coverage import selection_gaps
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.storage import QueueState
from entra_sod.services.doctor.diagnosis import Diagnosis, note, ok, unknown, wrong
from entra_sod.services.doctor.evaluate_graph import evaluate_graph
from entra_sod.services.doctor.evaluate_packages import evaluate_packages
from entra_sod.services.doctor.probe_results import (
    LedgerProbe,
    ProbedRight,
    ProbeResults,
    QueueProbe,
)
from entra_sod.services.sweeps.start import GIVE_UP_AFTER
from entra_sod.settings import Settings

MAX_WORK_AGE = timedelta(hours=1)
# Two nights and an hour: one that was missed may be an upgrade, two are a fault.
MAX_SWEEP_AGE = timedelta(hours=49)
MAX_ROWS_NAMED = 5
STORAGE_ROLES = {
    "queues": "Storage Queue Data Contributor",
    "tables": "Storage Table Data Contributor",
    "blobs": "Storage Blob Data Owner",
}


def evaluate_probes(seen: ProbeResults) -> list[Diagnosis]:
    """Give the state of everything that was examined, and what to do."""
    return [
        *_settings(seen.problems),
        *(_storage(seen.storage) if seen.storage is not None else ()),
        *(diagnosis for each in seen.queues for diagnosis in _queue(each, seen.now)),
        *([_ledger(seen.ledger)] if seen.ledger is not None else ()),
        *([_sweep(seen)] if seen.storage is not None else ()),
        *(_rules(seen.rules) if seen.rules is not None else ()),
        *(evaluate_packages(seen.packages) if seen.packages is not None else ()),
        *(evaluate_graph(seen.graph, _enforcement(seen)) if seen.graph else ()),
    ]


def _enforcement(seen: ProbeResults) -> Enforcement:
    return seen.settings.enforcement if seen.settings else Enforcement.PLAN


def _settings(problems: Sequence[str]) -> list[Diagnosis]:
    if not problems:
        return [ok("settings")]
    advice = "Correct it among the app's settings; docs/reference/settings.md lists them all."
    return [wrong("settings", problem, advice) for problem in problems]


def _storage(tried: Sequence[ProbedRight]) -> Iterator[Diagnosis]:
    for service in STORAGE_ROLES:
        mine = [each for each in tried if each.service == service]
        failed = [each for each in mine if each.error]
        if not failed:
            yield ok(f"storage: {service}", ", ".join(each.right for each in mine))
        elif len(failed) == len(mine) > 1:
            yield wrong(f"storage: {service}", str(failed[0].error), _to_do_of(service))
        else:
            for each in failed:
                what = f"storage: {service}: {each.right}"
                yield wrong(what, str(each.error), _to_do_of(service))


def _to_do_of(service: str) -> str:
    return (
        f"Give the app's identity {STORAGE_ROLES[service]} on the account; where it has it, look "
        f"at the account's firewall and at AzureWebJobsStorage__{service[:-1]}ServiceUri."
    )


def _queue(seen: QueueProbe, now: datetime) -> Iterator[Diagnosis]:
    what = f"queue {seen.queue}"
    if isinstance(seen.work, SodError):
        yield unknown(what, str(seen.work))
    else:
        yield _work(what, seen.work, now)
    yield _poison(f"poison of {seen.queue}", seen)


def _work(what: str, state: QueueState, now: datetime) -> Diagnosis:
    if state.oldest is None:
        waiting = f"{state.length} messages that wait for their time" if state.length else "empty"
        return ok(what, waiting)
    # Storage has a clock of its own.
    age = max(now - state.oldest, timedelta(0))
    words = f"{state.length} messages, the oldest {age // timedelta(minutes=1)} min old"
    if age <= MAX_WORK_AGE:
        return ok(what, words)
    return wrong(
        what,
        words,
        "No worker reads it, or not fast enough: see the functions that the host lists, the log "
        "action work_deferred, and docs/how-to/operate.md, Oldest message.",
    )


def _poison(what: str, seen: QueueProbe) -> Diagnosis:
    if isinstance(seen.poison, SodError):
        return unknown(what, str(seen.poison))
    if isinstance(seen.dead_letters, SodError):
        return unknown(what, str(seen.dead_letters))
    if seen.poison.length:
        return wrong(
            what,
            f"{seen.poison.length} messages that no poison function has taken",
            "See whether the host lists the function, and its log.",
        )
    if seen.dead_letters:
        return wrong(
            what,
            f"{seen.dead_letters} messages failed too often and are stored as dead letters",
            "Read the reasons, fix the cause, and send them again: entra-sod redrive.",
        )
    return ok(what, "none")


def _ledger(seen: LedgerProbe | SodError) -> Diagnosis:
    what = "ledger"
    if isinstance(seen, SodError):
        return unknown(what, str(seen))
    words = f"{seen.rows} rows" if seen.is_whole else f"the first {seen.rows} rows were read"
    if not seen.damaged:
        return ok(what, words)
    named = ", ".join(each.row for each in seen.damaged[:MAX_ROWS_NAMED])
    more = len(seen.damaged) - MAX_ROWS_NAMED
    return wrong(
        what,
        f"{len(seen.damaged)} rows are damaged ({words}): {named}"
        + (f", and {more} more" if more > 0 else ""),
        "Their references are never removed. See docs/how-to/operate.md, A damaged row.",
    )


def _sweep(seen: ProbeResults) -> Diagnosis:
    what, sweep = "last sweep", seen.sweep
    if isinstance(sweep, SodError):
        return unknown(what, str(sweep))
    if sweep is None:
        return note(what, "none yet", "entra-sod sweep --url … starts one now.")
    age = seen.now - sweep.started_at
    words = f"{sweep.id}, {age // timedelta(hours=1)} h ago: {sweep.status}"
    if fault := _fault_of_sweep(sweep.status, age, seen.settings):
        return wrong(what, words, fault)
    if sweep.status is SweepStatus.COMPLETED_WITH_GAPS:
        return note(what, words, "GET /api/sweeps/latest names what could not be read.")
    return ok(what, words)


def _fault_of_sweep(status: SweepStatus, age: timedelta, settings: Settings | None) -> str:
    """What to do about it; empty where nothing is wrong with it."""
    if status is SweepStatus.FAILED:
        return "GET /api/sweeps/latest gives the reason. Fix the cause and sweep again."
    if not status.has_ended and age > GIVE_UP_AFTER:
        return "It is stuck: see the queue sweep-pairs and the log, and sweep again."
    if age > MAX_SWEEP_AGE and _is_nightly(settings):
        return "The timer start_sweep was missed twice: see that the host lists it, and its log."
    return ""


def _is_nightly(settings: Settings | None) -> bool:
    """Whether a sweep is due every day: what is due more seldom is not judged by its age."""
    return settings is not None and settings.sweep_schedule.split()[3:] == ["*", "*", "*"]


def _rules(rules: RuleSet | SodError) -> Iterator[Diagnosis]:
    what = "rules"
    advice = "Correct the files (entra-sod validate names every mistake) or the setting RULES."
    if isinstance(rules, GraphError):
        yield unknown(what, rules)  # what is wrong with Graph has a line of its own
    elif isinstance(rules, SodError):
        yield wrong(what, rules, advice)
    elif rules.refused:
        yield wrong(what, f"older rules stay in force: {rules.refused}", advice)
    else:
        gaps = selection_gaps(rules)
        if not any(gap.hides for gap in gaps):
            pairs = f"{len(rules.constraints)} pairs"
            yield ok(what, f"{len(rules.rules)} rules, {pairs}, {rules.hash}")
        for gap in gaps:
            tell, how = (wrong, _SELECTS_NOTHING) if gap.hides else (note, _LEFT)
            yield tell(f"rules: {gap.what}", gap.why, how)


_LEFT = "Look at it with entra-sod selection show; approve it, or correct the rule."
_SELECTS_NOTHING = "Correct the name, or give the app a role on the catalog: entra-sod grant."
