"""What each `action` of a log line means: docs/reference/log-actions.md is made of it.

A test compares the names with those that the code logs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LogAction:
    """One kind of log line.

    Attributes:
        name: as the property `action` has it.
        meaning: what happened.
        remedy: what the reader does about it; empty if nothing.
        runbook: heading of docs/how-to/operate.md that has the steps.
    """

    name: str
    level: Literal["info", "warning", "error"]
    meaning: str
    remedy: str = ""
    runbook: str = ""


LOG_ACTIONS: Sequence[LogAction] = (
    LogAction("sweep_started", "info", "A sweep was asked for; `by` is `timer` or `hand`."),
    LogAction("sweep_ended", "info", "A sweep ended.", runbook="Timer missed"),
    LogAction("reference_written", "info", "A reference was written, and Graph lists it."),
    LogAction("reference_removed", "info", "A reference was removed, and is off Graph's list."),
    LogAction(
        "references_written",
        "info",
        "A run or a command wrote or removed references; the event is sent.",
        runbook="References written",
    ),
    LogAction(
        "references_held",
        "info",
        "A run holds references that were not held before; the event is sent.",
        runbook="References held",
    ),
    LogAction(
        "selection_changed",
        "info",
        "Rules select something else than before; the event is sent.",
        "Run `entra-sod selection show`.",
    ),
    LogAction(
        "budget_exhausted",
        "info",
        "A run left writes planned because it met a limit; the event is sent.",
        runbook="Budget exhausted",
    ),
    LogAction(
        "frozen", "info", "Writing was frozen, or a freeze stopped a run; the event is sent."
    ),
    LogAction("unfrozen", "info", "Writing is allowed again; the event is sent."),
    LogAction(
        "writing_frozen",
        "warning",
        "Writing is frozen; logged each night with the `hours`.",
        runbook="Frozen",
    ),
    LogAction(
        "selection_approved",
        "info",
        "A caller approved what a rule selects; `rule` and `caller` say which and who.",
    ),
    LogAction("evidence_sealed", "info", "The evidence of a run is in the chain."),
    LogAction(
        "evidence_head_lost",
        "error",
        "The head of the chain was gone. The evidence follows the newest pack that was found.",
        "Find out who deleted rows of the table `evidence`.",
    ),
    LogAction(
        "tickets_over_limit",
        "warning",
        "A run changed more findings than the app sends ticket events for.",
        "Read the digests, or `GET /api/findings`.",
    ),
    LogAction("event_void", "info", "An event was about a finding that is no longer kept."),
    LogAction(
        "rules_refused",
        "error",
        "The rules files have a mistake; older rules stay in force.",
        "`GET /api/ready` has the places.",
    ),
    LogAction(
        "rules_file_left_out",
        "warning",
        "A file of the rules folder looks like rules and is not read; the line says why.",
        "Rename or remove it.",
    ),
    LogAction(
        "grants_cache",
        "warning",
        "The stored copy of what packages grant could not be read or written. It is read anew.",
        "Check storage if it repeats.",
    ),
    LogAction(
        "work_deferred",
        "warning",
        "Work waits or failed, and is tried again; the text says why.",
        "Look when it repeats.",
        "Oldest message",
    ),
    LogAction(
        "work_interrupted",
        "warning",
        "The worker died five times without an error.",
        "Look for out-of-memory and deployments.",
    ),
    LogAction(
        "message_poisoned",
        "error",
        "A message failed for good; it is in `poison/QUEUE/ID.json`.",
        "Read its `reason`.",
        "Poison",
    ),
    LogAction(
        "throttled",
        "warning",
        "Graph answered 429. All instances go slower, and recover by themselves.",
        "If it repeats, lower `GRAPH_REQUESTS_PER_10S`.",
        "Throttled",
    ),
    LogAction(
        "throttle_not_shared",
        "warning",
        "A 429 could not be told to the other instances.",
        "Follows a storage fault, or many instances that write at once.",
        "Throttled",
    ),
    LogAction(
        "rate_written_anew",
        "warning",
        "The row of the shared rate was damaged, of another version or from the future. The rate "
        "starts anew. Each process logs it once.",
        "If it repeats, compare the clocks of the instances.",
    ),
    LogAction(
        "turn_awaited",
        "info",
        "A part of a sweep, or a check, waits because the shared rate is used up.",
    ),
    LogAction("callback_delivered", "info", "A receiver accepted an event."),
    LogAction("callback_gone", "info", "A receiver answered 410, so the subscription ended."),
    LogAction(
        "callback_deferred",
        "warning",
        "A receiver did not accept an event, and is tried again.",
        "Look when it repeats.",
    ),
    LogAction(
        "callback_given_up",
        "error",
        "A receiver did not accept an event for a day, or four times in a row it answered with a "
        "redirect or had an address that is not called.",
        "Read the reason; `DELETE` a subscription that is dead.",
    ),
    LogAction(
        "caller_admitted",
        "info",
        "Who (`principal:OBJECT-ID`, `key:NAME`) asked for what. Not logged for `GET`.",
    ),
    LogAction(
        "caller_refused",
        "warning",
        "Who was refused what, and why. Of a flood the first request.",
        "Give the role, or find out who guesses.",
    ),
    LogAction(
        "webhook_refused",
        "warning",
        "A webhook did not prove its origin, or came too late; the line names the source.",
        "If the sender is yours, compare secrets and clocks.",
    ),
    LogAction(
        "not_set_up", "error", "Settings or rules are wrong.", "`GET /api/ready` names them."
    ),
    LogAction(
        "storage_unavailable",
        "error",
        "Storage did not answer an HTTP call.",
        "Check the storage account.",
    ),
    LogAction("note_not_kept", "warning", "A status note could not be written to storage."),
)
