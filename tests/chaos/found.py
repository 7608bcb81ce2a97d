"""What a run of chaos left behind: answers, references, ledger, queues, poison; as values.

How the app's answers are read is said here and nowhere else.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from entra_sod.domain.sweeps.parts import SweepPlan
from tests.chaos.truth import Breach, PairKey, Wanted

SWEEPS, PART = "sweep-pairs", "part-"


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What an answer says of references."""

    planned: frozenset[Wanted]
    written: frozenset[Wanted]
    failed: frozenset[Wanted]


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer says of one pair."""

    outcome: str
    holders: int


@dataclass(frozen=True, slots=True)
class Gap:
    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepAnswer:
    """What a sweep says; `sets` by the rules that count them."""

    status: str
    strategy: str
    pairs: Mapping[PairKey, Seen]
    sets: Mapping[str, Seen]
    references: References
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    id: str
    first: str
    second: str
    status: str
    seen: Seen
    references: References
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a part of a sweep asks for: pairs, packages' holders, their grants."""

    part: int
    pairs: frozenset[PairKey] = frozenset()
    packages: frozenset[str] = frozenset()
    enforced: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message that was given up.

    Attributes:
        message: its body, as far as it is JSON.
        asked: of a sweep's part.
    """

    queue: str
    reason: str
    message: str
    asked: Asked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Of a sweep: how many there are to be, and those that are done.

    Attributes:
        done: by their numbers; those that were given up, too.
        given_up: why, by their numbers.
    """

    total: int = 0
    done: frozenset[int] = frozenset()
    given_up: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    breach: Breach
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What verifying the evidence gave: how many packs hold, and where one does not."""

    packs: int = 0
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """How many of all requests Graph refused because of its limit, where the app knows that."""

    refused: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What another sweep left, that ran in peace after a freeze.

    Attributes:
        references: in the tenant then, with how often each was added by the app since the start.
        told: what its answer says of references; None without an answer.
    """

    references: Mapping[Wanted, int]
    told: References | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What `entra-sod rollback` of the whole run left, when all else had ended.

    Attributes:
        code: the exit code; None where the command did not end in time.
        said: the last line that it printed.
        before: the references in the tenant before, with how often each was added by the app.
        after: the same when it had ended.
        ledger: the references that the ledger still has.
        breaks: where the chain of evidence does not hold.
    """

    code: int | None
    said: str
    before: Mapping[Wanted, int]
    after: Mapping[Wanted, int]
    ledger: frozenset[Wanted]
    breaks: tuple[str, ...]

    @property
    def removed(self) -> frozenset[Wanted]:
        return frozenset(self.before.keys() - self.after.keys())


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that the verdict looks at.

    Attributes:
        sweep: None where there is no answer.
        checks: in the order they were asked; None where there is no answer.
        references: in the tenant now, with how often each was added by the app.
        ledger: state by reference.
        queues: messages left, by queue.
        budget: how many writes the app was allowed; None for as many as come.
        is_held_back: whether writing was frozen for a while, or the budget may have ended.
        aftermath: None for a run that no sweep follows.
        rolled_back: None where no rollback was run, which is a fault of the run.
        blocked: packages of which Graph never told who holds them.
        last_tries: packages of parts whose message came with no try left: what Graph does not
            answer for once stays a gap.
        answers_for_pairs: whether Graph does, to this app.
        refusals: None for a run in which Graph refuses for other reasons, too.
    """

    sweep: SweepAnswer | None
    checks: tuple[CheckAnswer | None, ...]
    references: Mapping[Wanted, int]
    ledger: Mapping[Wanted, str]
    queues: Mapping[str, int]
    letters: tuple[Letter, ...]
    parts: Parts
    findings: tuple[StoredFinding, ...]
    evidence: Evidence
    blocked: frozenset[str] = frozenset()
    last_tries: frozenset[str] = frozenset()
    refusals: Refusals | None = None
    answers_for_pairs: bool = True
    budget: int | None = None
    is_held_back: bool = False
    aftermath: Aftermath | None = None
    rolled_back: RolledBack | None = None


def read_sweep(answer: Mapping[str, Any]) -> SweepAnswer:
    """Read what `GET /api/sweeps/{id}` answers with 200."""
    return SweepAnswer(
        status=answer["status"],
        strategy=answer["strategy"]["chosen"],
        pairs={
            _key(each): Seen(each["outcome"], each["holderCount"]) for each in answer["results"]
        },
        sets={each["rule"]: Seen(each["outcome"], each["holderCount"]) for each in answer["sets"]},
        references=read_references(answer["references"]),
        gaps=_gaps(answer),
    )


def read_check(answer: Mapping[str, Any]) -> CheckAnswer:
    """Read what `GET /api/checks/{id}` answers with 200."""
    pair = answer["pair"]
    return CheckAnswer(
        id=answer["id"],
        first=pair["accessPackageId"],
        second=pair["incompatibleAccessPackageId"],
        status=answer["status"],
        seen=Seen(answer["outcome"], answer["holderCount"]),
        references=read_references(answer["references"]),
        gaps=_gaps(answer),
    )


def read_letter(content: bytes, plan: SweepPlan | None) -> Letter:
    """Read a blob of the container `poison`; the plan is that of the sweep."""
    dead_letter = msgspec.json.decode(content)
    message = base64.b64decode(dead_letter["body"]).decode(errors="replace")
    return Letter(
        queue=dead_letter["queue"],
        reason=dead_letter["reason"],
        message=message,
        asked=_asked(message, plan) if dead_letter["queue"] == SWEEPS else None,
    )


def read_parts(rows: Sequence[Mapping[str, Any]], read: Callable[[str], bytes]) -> Parts:
    """Read the rows of one sweep in the table `sweeps`, and by `read` the blobs they name."""
    done = {
        int(row["RowKey"].removeprefix(PART)): msgspec.json.decode(read(row["blob"]))
        for row in rows
        if row["RowKey"].startswith(PART)
    }
    return Parts(
        total=next((int(row["parts"]) for row in rows if row["RowKey"] == "sweep"), 0),
        done=frozenset(done),
        given_up={number: part["failed"] for number, part in done.items() if part["failed"]},
    )


def read_finding(row: Mapping[str, Any]) -> StoredFinding:
    """Read a row of the table `findings`."""
    packages = tuple(sorted(row["packages"].split()))
    return StoredFinding(breach=Breach(row["rule"], packages, row["subjectId"]), state=row["state"])


def _asked(message: str, plan: SweepPlan | None) -> Asked | None:
    """What is asked for; None for the message that starts a sweep."""
    number = msgspec.json.decode(message).get("part")
    if number is None or plan is None:
        return None
    part = plan.parts[number]
    # Pairs that were only to be confirmed are known without it.
    pairs = () if part.confirms else part.pairs
    return Asked(
        part=number,
        pairs=frozenset((min(pair), max(pair)) for pair in pairs),
        packages=frozenset(part.packages),
        enforced=frozenset(part.enforced),
    )


def _key(pair: Mapping[str, str]) -> PairKey:
    one, other = sorted((pair["accessPackageId"], pair["incompatibleAccessPackageId"]))
    return one, other


def _gaps(answer: Mapping[str, Any]) -> tuple[Gap, ...]:
    return tuple(Gap(each["what"], each["why"]) for each in answer["coverage"]["skipped"])


def read_references(answer: Mapping[str, Any]) -> References:
    return References(
        planned=_set(answer["planned"]),
        written=_set(answer["written"]),
        failed=_set(answer["failed"]),
    )


def _set(references: Sequence[Mapping[str, str]]) -> frozenset[Wanted]:
    return frozenset(
        Wanted(each["accessPackageId"], each["kind"], each["targetId"]) for each in references
    )
