"""What a run of chaos left behind: answers, references, ledger, queues, poison; as values.

How the app's answers are read is said here and nowhere else.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.chaos.truth import PairKey, Wanted


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
    status: str
    pairs: Mapping[PairKey, Seen]
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
class Letter:
    """A message that was given up; `message` is its body, as far as it is JSON."""

    queue: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Of a sweep: how many there are to be, and the numbers of those that are done."""

    total: int = 0
    done: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that the verdict looks at.

    Attributes:
        sweep: None where there is no answer.
        checks: in the order they were asked; None where there is no answer.
        references: in the tenant now, with how often each was added by the app.
        ledger: state by reference.
        queues: messages left, by queue.
    """

    sweep: SweepAnswer | None
    checks: tuple[CheckAnswer | None, ...]
    references: Mapping[Wanted, int]
    ledger: Mapping[Wanted, str]
    queues: Mapping[str, int]
    letters: tuple[Letter, ...]
    parts: Parts


def read_sweep(answer: Mapping[str, Any]) -> SweepAnswer:
    """Read what `GET /api/sweeps/{id}` answers with 200."""
    return SweepAnswer(
        status=answer["status"],
        pairs={
            _key(each): Seen(each["outcome"], each["holderCount"]) for each in answer["results"]
        },
        references=_references(answer["references"]),
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
        references=_references(answer["references"]),
        gaps=_gaps(answer),
    )


def read_letter(content: bytes) -> Letter:
    """Read a blob of the container `poison`."""
    letter = msgspec.json.decode(content)
    return Letter(
        queue=letter["queue"],
        reason=letter["reason"],
        message=base64.b64decode(letter["body"]).decode(errors="replace"),
    )


def read_parts(rows: Sequence[Mapping[str, Any]]) -> Parts:
    """Read the rows of one sweep in the table `sweeps`."""
    keys = [str(row["RowKey"]) for row in rows]
    return Parts(
        total=next((int(row["parts"]) for row in rows if row["RowKey"] == "sweep"), 0),
        done=frozenset(int(key.removeprefix("part-")) for key in keys if key.startswith("part-")),
    )


def _key(pair: Mapping[str, str]) -> PairKey:
    one, other = sorted((pair["accessPackageId"], pair["incompatibleAccessPackageId"]))
    return one, other


def _gaps(answer: Mapping[str, Any]) -> tuple[Gap, ...]:
    return tuple(Gap(each["what"], each["why"]) for each in answer["coverage"]["skipped"])


def _references(answer: Mapping[str, Any]) -> References:
    return References(
        planned=_set(answer["planned"]),
        written=_set(answer["written"]),
        failed=_set(answer["failed"]),
    )


def _set(references: Sequence[Mapping[str, str]]) -> frozenset[Wanted]:
    return frozenset(
        Wanted(each["accessPackageId"], each["kind"], each["targetId"]) for each in references
    )
