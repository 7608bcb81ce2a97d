"""What lies where in the app's storage, for the reference.

docs/reference/tables-and-blobs.md is made of it. A test compares the names with those of infra/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One table, container or queue.

    Attributes:
        content: what is in it.
        people: what it holds of people; empty if nothing.
        kept: how long.
        if_lost: what follows, and what to do.
    """

    kind: Literal["table", "container", "queue"]
    name: str
    content: str
    people: str = ""
    kept: str
    if_lost: str


PLACES: Sequence[Place] = (
    Place(
        kind="table",
        name="checks",
        content="A row for each check, and one while a worker works on it. Results up to 60 KiB "
        "are in the row.",
        people="Ids, names and states of holders.",
        kept="Answered for 30 days. No job deletes the rows; `entra-sod erase` does.",
        if_lost="Results answer 404. Callers ask again.",
    ),
    Place(
        kind="table",
        name="controls",
        content="The freeze, the budget of 24 hours, and the lease of a rollback.",
        people="Who froze or unfroze writing, and why.",
        kept="Until the freeze ends.",
        if_lost="Nothing is frozen, and the budget starts anew.",
    ),
    Place(
        kind="table",
        name="evidence",
        content="The head of the chain, and drafts that are not sealed yet.",
        kept="Always.",
        if_lost="The next run follows the newest pack, logs `evidence_head_lost`, and its manifest "
        "says `headless`. Note its number: `evidence verify --first NUMBER` proves what follows. "
        "Never restore an old copy of the row, because the next pack would reuse a number.",
    ),
    Place(
        kind="table",
        name="findings",
        content="A row for each finding, with its history and the salt of its hash in evidence.",
        people="Ids, display name and states; who claimed a finding, and why.",
        kept="`FINDINGS_RETENTION_DAYS` after it was resolved or put on hold.",
        if_lost="The next sweep finds each conflict anew, with the same id, without history or "
        "claims. Digests and tickets are sent again. Hashes in earlier evidence match no person.",
    ),
    Place(
        kind="table",
        name="idempotency",
        content="Idempotency keys, by the SHA-256 of their holder and key.",
        kept="30 days; the sweep removes at most 10,000 a night.",
        if_lost="A repeated request starts a second check.",
    ),
    Place(
        kind="table",
        name="ledger",
        content="A row for each reference that the app wrote or adopted, by package.",
        kept="As long as the reference is the app's.",
        if_lost="References stay in Entra and count as made by people: `PRUNE` removes none, drift "
        "names them foreign. Later writes are the app's again.",
    ),
    Place(
        kind="table",
        name="selections",
        content="Which reviewed selection of each rule counts; whom exceptions by name are for.",
        people="Id and user principal name of subjects of exceptions.",
        kept="As long as the rule.",
        if_lost="The next sweep or check takes what rules select then as reviewed. Look at "
        "`entra-sod plan` before it runs.",
    ),
    Place(
        kind="table",
        name="subscriptions",
        content="Addresses of callbacks and subscriptions. **It holds secrets of callers.**",
        people="A hash of the caller's id.",
        kept="Until they end.",
        if_lost="No receiver is told. Receivers subscribe again.",
    ),
    Place(
        kind="table",
        name="sweeps",
        content="Rows of each sweep and its parts.",
        kept="Always; results answer 410 after 30 days.",
        if_lost="Results answer 404. Run `entra-sod sweep`.",
    ),
    Place(
        kind="table",
        name="throttle",
        content="One row: the request rate that all instances share.",
        kept="Always.",
        if_lost="The rate starts anew. A wait that Graph asked for is also in the memory of each "
        "process: restart the app to end it.",
    ),
    Place(
        kind="container",
        name="checks",
        content="Large results of checks, and all holders for evidence.",
        people="Ids, names and states of holders.",
        kept="`RESULT_DAYS`.",
        if_lost="As the table `checks`.",
    ),
    Place(
        kind="container",
        name="sweeps",
        content="What parts found, the index of who holds what, results, and digests.",
        people="Ids, names and user principal names of holders.",
        kept="`RESULT_DAYS`.",
        if_lost="As the table `sweeps`.",
    ),
    Place(
        kind="container",
        name="events",
        content="Bodies of events about writing, and which held references were announced.",
        people="Who froze writing, and why.",
        kept="`RESULT_DAYS`.",
        if_lost="Held references are announced once more.",
    ),
    Place(
        kind="container",
        name="evidence",
        content="The sealed packs of all runs.",
        people="Salted hashes; rules files with subjects, requesters and approvers of exceptions.",
        kept="As the retention policy says (`EVIDENCE_DAYS`).",
        if_lost="What was found then cannot be shown. Restore the blobs; no other place has them.",
    ),
    Place(
        kind="container",
        name="evidence-drafts",
        content="Packs before they are sealed.",
        people="As the container `evidence`.",
        kept="Until the pack is sealed.",
        if_lost="The run makes its draft again.",
    ),
    Place(
        kind="container",
        name="grants",
        content="A copy of what each package grants.",
        kept="Always.",
        if_lost="The next run reads it anew, one request for each package.",
    ),
    Place(
        kind="container",
        name="poison",
        content="Messages that failed for good: the bytes in base64, the queue, the reason.",
        kept="Until `entra-sod redrive`.",
        if_lost="These messages cannot be sent again.",
    ),
    Place(
        kind="container",
        name="rules",
        content="Versions of the rules, if `RULES=blob:rules`.",
        people="Subjects, requesters and approvers of exceptions.",
        kept="Always.",
        if_lost="The rules in memory stay until the process ends, then work fails. Run "
        "`entra-sod rules push`.",
    ),
    Place(
        kind="container",
        name="selections",
        content="What was reviewed of each rule, by its content.",
        kept="As long as the rule.",
        if_lost="Sweeps and checks fail and name the rule. Run `entra-sod selection approve`.",
    ),
    Place(
        kind="queue",
        name="conflict-checks",
        content="Checks that wait for a worker.",
        kept="Until they are done.",
        if_lost="These checks stay queued. Callers ask again.",
    ),
    Place(
        kind="queue",
        name="sweep-pairs",
        content="Sweeps to plan, and parts of sweeps.",
        kept="Until they are done.",
        if_lost="The next sweep does the work.",
    ),
    Place(
        kind="queue",
        name="deliveries",
        content="Events to send, one message for each receiver.",
        kept="A day.",
        if_lost="These events are not sent.",
    ),
)
