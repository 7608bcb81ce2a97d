"""Whether a run of chaos lost or doubled anything: what was found against what is so. Pure.

Each claim yields a sentence for everything that contradicts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.found import CheckAnswer, Found, Gap, Letter, Seen
from tests.chaos.truth import PairKey, Truth, Wanted

ENDED_WELL = ("completed", "completed-with-gaps")
MOST_TOLD = 4
CHECKS = "conflict-checks"


@dataclass(frozen=True, slots=True)
class Case:
    """The truth, what was found, and what follows from both."""

    truth: Truth
    found: Found

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return self.found.sweep.gaps if self.found.sweep else ()

    @property
    def sweep_letters(self) -> list[Letter]:
        return [each for each in self.found.letters if each.queue != CHECKS]

    @property
    def added(self) -> frozenset[Wanted]:
        """References that are there and were not before."""
        return frozenset(self.found.references) - self.truth.present

    def was_given_up(self, *packages: str) -> bool:
        """Whether a message of the sweep about one of the packages lies with the dead letters."""
        return any(name in each.message for each in self.sweep_letters for name in packages)

    def may_be_missing(self, wanted: Wanted) -> bool:
        """Whether everything that asks for a reference was given up."""
        pairs = self.truth.asked_by.get(wanted, frozenset([(wanted.on, wanted.on)]))
        return all(self.was_given_up(*pair) for pair in pairs)


type Claim = Callable[[Case], Iterator[str]]


def verdict(truth: Truth, found: Found) -> tuple[str, ...]:
    """Judge a run: what contradicts each claim, the first few of it; empty for nothing."""
    case = Case(truth, found)
    return tuple(line for name, claim in CLAIMS.items() for line in _lines(name, list(claim(case))))


def _lines(name: str, wrong: Sequence[str]) -> Iterator[str]:
    yield from (f"{name}: {each}" for each in wrong[:MOST_TOLD])
    if len(wrong) > MOST_TOLD:
        yield f"{name}: and {len(wrong) - MOST_TOLD} more like these"


def _ends(case: Case) -> Iterator[str]:
    sweep = case.found.sweep
    if sweep is None:
        yield "there is no answer"
    elif sweep.status not in ENDED_WELL:
        yield f"it is {sweep.status}"


def _pairs_are_true(case: Case) -> Iterator[str]:
    answered = case.found.sweep.pairs if case.found.sweep else {}
    for pair in case.truth.conflicts.keys() | answered.keys():
        subjects = case.truth.conflicts.get(pair)
        seen = answered.get(pair)
        if subjects is None:
            yield f"{_told(pair)} is of no rule"
        elif seen is None:
            yield f"{_told(pair)} is missing"
        elif seen.outcome == "unknown" and case.was_given_up(*pair):
            continue
        elif seen != (true := _true(case.truth, pair, len(subjects))):
            yield f"{_told(pair)} says {seen}, not {true}"


def _true(truth: Truth, packages: PairKey, holders: int) -> Seen:
    if not truth.is_readable(*packages):
        return Seen("unknown", 0)
    return Seen("conflict" if holders else "clear", holders)


def _gaps_are_told(case: Case) -> Iterator[str]:
    sweep = case.found.sweep
    unknown = [] if sweep is None else [p for p, s in sweep.pairs.items() if s.outcome == "unknown"]
    if unknown and sweep and sweep.status == "completed":
        yield "pairs are unknown, and the sweep says that it has no gaps"
    for pair in unknown:
        hidden = [package for package in pair if package in case.truth.unreadable]
        if not all(any(name in gap.what for gap in case.gaps) for name in hidden):
            yield f"{_told(pair)} is unknown, and coverage does not name it"
    for letter in case.sweep_letters:
        if letter.reason not in {gap.why for gap in case.gaps}:
            yield f"a message was given up, and coverage does not say why: {letter.reason}"


def _nothing_is_missing(case: Case) -> Iterator[str]:
    for wanted in sorted(case.truth.desired - case.found.references.keys()):
        if not case.may_be_missing(wanted):
            yield f"{_told(wanted)} is planned by the rules, and not there"


def _nothing_is_uncalled_for(case: Case) -> Iterator[str]:
    for wanted in sorted(case.added - case.truth.desired):
        yield f"{_told(wanted)} was written, and no rule asks for it"
    for wanted in sorted(case.truth.present - case.found.references.keys()):
        yield f"{_told(wanted)} was there before, and is gone"


def _nothing_is_written_twice(case: Case) -> Iterator[str]:
    for wanted, additions in sorted(case.found.references.items()):
        due = 0 if wanted in case.truth.present else 1
        if additions != due:
            yield f"{_told(wanted)} was added {additions} times, not {due}"


def _ledger_agrees(case: Case) -> Iterator[str]:
    ledger = case.found.ledger
    for wanted in sorted(case.added - ledger.keys()):
        yield f"{_told(wanted)} was written, and is not in the ledger"
    for wanted in sorted(ledger.keys() - case.added):
        yield f"{_told(wanted)} is in the ledger, and was not written"
    for wanted, state in sorted(ledger.items()):
        if state != "written":
            yield f"{_told(wanted)} is {state} in the ledger"


def _writes_are_told(case: Case) -> Iterator[str]:
    answers = [each for each in (case.found.sweep, *case.found.checks) if each is not None]
    told = frozenset(wanted for each in answers for wanted in each.references.written)
    for answer in answers:
        for wanted in sorted(answer.references.planned ^ answer.references.written):
            yield f"{_told(wanted)} is either planned or written, and not both"
        for wanted in sorted(answer.references.failed):
            yield f"{_told(wanted)} is said to have failed"
    for wanted in sorted(told ^ case.added):
        yield f"{_told(wanted)} is either told as written or there, and not both"


def _no_message_is_left(case: Case) -> Iterator[str]:
    for queue, count in case.found.queues.items():
        if count:
            yield f"{count} on {queue}"


def _every_part_is_done(case: Case) -> Iterator[str]:
    parts = case.found.parts
    missing = set(range(parts.total)) - parts.done
    if missing or not parts.total:
        yield f"{sorted(missing)} of {parts.total} are not done"


def _checks_are_true(case: Case) -> Iterator[str]:
    for number, check in enumerate(case.found.checks):
        if check is None:
            yield f"check {number} has no answer"
        elif check.status != "completed":
            if not _is_excused(case, check):
                yield f"check {number} is {check.status}, and no dead letter says why"
        else:
            packages = (check.first, check.second)
            both = case.truth.holders[check.first] & case.truth.holders[check.second]
            true = _true(case.truth, packages, len(both))
            if check.seen != true:
                yield f"check {number} of {_told(packages)} says {check.seen}, not {true}"


def _is_excused(case: Case, check: CheckAnswer) -> bool:
    """Whether a check was given up, and its answer says the reason that its letter has."""
    reasons = {gap.why for gap in check.gaps}
    return any(
        each.queue == CHECKS and check.id in each.message and each.reason in reasons
        for each in case.found.letters
    )


def _told(ids: tuple[str, ...]) -> str:
    return "(" + " ".join(each[:8] for each in ids) + ")"


CLAIMS: dict[str, Claim] = {
    "the sweep ends": _ends,
    "pairs are found as they are": _pairs_are_true,
    "every gap is reported": _gaps_are_told,
    "no reference is missing": _nothing_is_missing,
    "no reference is uncalled for": _nothing_is_uncalled_for,
    "no reference is written twice": _nothing_is_written_twice,
    "the ledger agrees": _ledger_agrees,
    "answers tell what was written": _writes_are_told,
    "no message is left": _no_message_is_left,
    "every part is done": _every_part_is_done,
    "checks answer what is so": _checks_are_true,
}
