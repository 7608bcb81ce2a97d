"""Whether a run of chaos lost or doubled anything: what was found against what is so. Pure.

Each claim yields a sentence for everything that contradicts it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from tests.chaos.found import CheckAnswer, Found, Gap, Seen, SweepAnswer
from tests.chaos.truth import Breach, PairKey, Truth, Wanted

NOT_NAMED = "and no rule names it"  # it gives what a package of a rule gives, which is said
PASSING = ("Graph answers 5", "No answer from Graph")  # what a gap says that another try may fill
UNKNOWN = Seen("unknown", 0)
MAX_TOLD = 4
CHECKS = "conflict-checks"
# Hosts are held up while others start, and what they send meanwhile arrives at once.
MAX_REFUSED = 0.02


@dataclass(frozen=True, slots=True)
class Lost:
    """What went with the parts of a sweep that were given up.

    Attributes:
        pairs: that no worker checked.
        packages: whose holders no worker read.
        enforced: packages whose grants no worker read.
    """

    pairs: frozenset[PairKey]
    packages: frozenset[str]
    enforced: frozenset[str]

    @property
    def named(self) -> frozenset[str]:
        """The packages that coverage has to name."""
        return self.packages | self.enforced


@dataclass(frozen=True)
class Case:
    """The truth, what was found, and what follows from both."""

    truth: Truth
    found: Found

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return self.found.sweep.gaps if self.found.sweep else ()

    @property
    def added(self) -> frozenset[Wanted]:
        """References that are there and were not before."""
        return frozenset(self.found.references) - self.truth.present

    @cached_property
    def lost(self) -> Lost:
        """By the letters of parts that ended as given up; a letter of another excuses nothing."""
        parts = [
            dead_letter.asked
            for dead_letter in self.found.letters
            if dead_letter.asked and dead_letter.asked.part in self.found.parts.given_up
        ]
        return Lost(
            pairs=frozenset(pair for part in parts for pair in part.pairs),
            packages=frozenset(each for part in parts for each in part.packages),
            enforced=frozenset(each for part in parts for each in part.enforced),
        )

    @property
    def unread(self) -> frozenset[str]:
        """Packages of which a sweep that indexes them does not know who holds them."""
        return self.truth.unreadable | self.lost.packages | self.unanswered | self.failed_once

    @cached_property
    def failed_once(self) -> frozenset[str]:
        """Packages that Graph did not answer for in the last try of their part, as is told."""
        told = (gap.what.split() for gap in self.gaps if gap.why.startswith(PASSING))
        return self.found.last_tries.intersection(chain.from_iterable(told))

    @cached_property
    def unanswered(self) -> frozenset[str]:
        """Packages that Graph never answered for, in parts that were done without them."""
        return self.found.blocked - self.lost.packages.union(*self.lost.pairs)

    def is_unknown(self, pair: PairKey) -> bool:
        """Whether a sweep cannot know who holds both."""
        sweep, truth = self.found.sweep, self.truth
        if not truth.is_readable(*pair) or not self.unanswered.isdisjoint(pair):
            return True
        if sweep and sweep.strategy == "pairs" and truth.is_asked(pair):
            return pair in self.lost.pairs or self._failed_twice(pair, sweep)
        return not (self.lost.packages | self.failed_once).isdisjoint(pair)

    def _failed_twice(self, pair: PairKey, sweep: SweepAnswer) -> bool:
        """Whether in the last try Graph answered for neither a pair nor one of its packages."""
        return sweep.pairs.get(pair) == UNKNOWN and not self.failed_once.isdisjoint(pair)

    def is_read_again(self, pair: PairKey) -> bool:
        """Whether a sweep may know a pair that went with a part.

        It goes on to read who holds the packages that meet a rule by themselves.
        """
        alone = frozenset[str]().union(*self.truth.toxic.values())
        return pair in self.lost.pairs and alone.issuperset(pair)

    def may_be_missing(self, wanted: Wanted) -> bool:
        """Whether of every pair that asks for a reference a package was not read."""
        pairs = self.truth.asked_by.get(wanted, frozenset([(wanted.on, wanted.on)]))
        return all(not self.lost.enforced.isdisjoint(pair) for pair in pairs)


type Claim = Callable[[Case], Iterator[str]]


def verdict(truth: Truth, found: Found) -> tuple[str, ...]:
    """Judge a run: what contradicts each claim, the first few of it; empty for nothing."""
    case = Case(truth, found)
    return tuple(line for name, claim in CLAIMS.items() for line in _lines(name, list(claim(case))))


def _lines(name: str, wrong: Sequence[str]) -> Iterator[str]:
    yield from (f"{name}: {each}" for each in wrong[:MAX_TOLD])
    if len(wrong) > MAX_TOLD:
        yield f"{name}: and {len(wrong) - MAX_TOLD} more like these"


def _ends(case: Case) -> Iterator[str]:
    sweep = case.found.sweep
    unread = case.truth.unreadable | case.unanswered | case.failed_once
    has_gaps = unread or case.found.parts.given_up
    due = "completed-with-gaps" if has_gaps else "completed"
    if sweep is None:
        yield "there is no answer"
    elif sweep.status != due:
        yield f"it is {sweep.status}, not {due}"


def _strategy_is_cheaper(case: Case) -> Iterator[str]:
    sweep, due = case.found.sweep, case.truth.strategy
    if not case.found.answers_for_pairs:
        due = "index"
    if sweep and sweep.strategy != due:
        yield f"it is {sweep.strategy}, and {due} takes fewer requests, of those that are answered"


def _pairs_are_true(case: Case) -> Iterator[str]:
    answered = case.found.sweep.pairs if case.found.sweep else {}
    for pair in case.truth.conflicts.keys() | answered.keys():
        subjects = case.truth.conflicts.get(pair)
        seen = answered.get(pair)
        if subjects is None:
            yield f"{_told(pair)} is of no rule"
        elif seen is None:
            yield f"{_told(pair)} is missing"
        elif seen != (true := _true(len(subjects), is_unknown=case.is_unknown(pair))) and not (
            case.is_read_again(pair) and seen == _true(len(subjects), is_unknown=False)
        ):
            yield f"{_told(pair)} says {seen}, not {true}"


def _sets_are_true(case: Case) -> Iterator[str]:
    answered = case.found.sweep.sets if case.found.sweep else {}
    for rule, counted in case.truth.counted.items():
        holders = len(case.truth.too_many(rule, case.unread))
        # Of a set that was read in part, who holds too many is known, and who does not is not.
        is_unknown = not holders and not counted.of.isdisjoint(case.unread)
        true = _true(holders, is_unknown=is_unknown)
        if answered.get(rule) != true:
            yield f"{rule} says {answered.get(rule)}, not {true}"


def _true(holders: int, *, is_unknown: bool) -> Seen:
    if is_unknown:
        return UNKNOWN
    return Seen("conflict" if holders else "clear", holders)


def _gaps_are_told(case: Case) -> Iterator[str]:
    given_up = {f"part {part} of the sweep": why for part, why in case.found.parts.given_up.items()}
    told = {gap.what: gap.why for gap in case.gaps}
    for what, why in given_up.items():
        if told.get(what) != why:
            yield f"{what} was given up, and coverage does not say why: {why}"
    named = {word for what in told for word in what.split()}
    unknown = {each for pair in case.truth.conflicts if case.is_unknown(pair) for each in pair}
    unread = case.truth.unreadable & unknown | case.unanswered | case.lost.named
    for package in sorted(unread - named):
        yield f"{_told((package,))} was not read, and coverage does not name it"


def _gaps_are_true(case: Case) -> Iterator[str]:
    letters = {(each.asked.part, each.reason) for each in case.found.letters if each.asked}
    for part, why in case.found.parts.given_up.items():
        if (part, why) not in letters:
            yield f"part {part} was given up, and no dead letter says why: {why}"
    unread = case.truth.unreadable | case.unanswered | case.lost.named | case.failed_once
    for gap in case.gaps:
        words = gap.what.split()
        if words[0] == "part" and int(words[1]) not in case.found.parts.given_up:
            yield f"{gap.what} is a gap, and was not given up"
        known = unread if not gap.why.endswith(NOT_NAMED) else unread | case.truth.unnamed
        for package in (case.truth.holders.keys() & words) - known:
            yield f"{_told((package,))} could be read: {gap}"


def _findings_are_true(case: Case) -> Iterator[str]:
    stored = Counter(each.breach for each in case.found.findings)
    alone = case.truth.alone(case.unread)
    # Of a part that was given up, what its packages grant may not have been read.
    due = alone if not case.lost.named else set[Breach]()
    true = case.truth.breaches(case.is_unknown, case.unread) | due
    # A check may have looked at a pair that the sweep could not look at.
    # The sweep may have read such a package once more, beside the part that was given up.
    possible = (
        true
        | case.truth.alone(case.truth.unreadable)
        | case.truth.breaches(lambda pair: not case.truth.is_readable(*pair), case.unread)
    )
    for breach in sorted(true - stored.keys() if case.found.sweep else ()):
        yield f"{_told_breach(breach)} is not there"
    for breach, times in sorted(stored.items()):
        if breach not in possible:
            yield f"{_told_breach(breach)} is there, and not so"
        elif times > 1:
            yield f"{_told_breach(breach)} is there {times} times"
    for finding in case.found.findings:
        if finding.state != "open":
            yield f"{_told_breach(finding.breach)} is {finding.state}, not open"


def _evidence_holds(case: Case) -> Iterator[str]:
    evidence = case.found.evidence
    yield from evidence.breaks
    runs = sum(each is not None for each in (case.found.sweep, *case.found.checks))
    if evidence.packs != runs:
        yield f"there are {evidence.packs} packs of {runs} runs"


def _limit_is_kept(case: Case) -> Iterator[str]:
    refusals = case.found.refusals
    if refusals and refusals.refused > MAX_REFUSED * refusals.requests:
        yield f"Graph refused {refusals.refused} of {refusals.requests} requests"


def _nothing_is_missing(case: Case) -> Iterator[str]:
    sweep = case.found.sweep
    held_back = sweep.references.planned if sweep and case.found.is_held_back else frozenset()
    for wanted in sorted(case.truth.desired - case.found.references.keys() - held_back):
        if not case.may_be_missing(wanted):
            yield f"{_told(wanted)} is planned by the rules, and not there"


def _budget_is_kept(case: Case) -> Iterator[str]:
    found = case.found
    last = found.aftermath.references if found.aftermath else found.references
    if found.budget is not None and sum(last.values()) > found.budget:
        yield f"{sum(last.values())} were written, and the budget is {found.budget}"


def _what_waited_is_written_later(case: Case) -> Iterator[str]:
    """By the next sweep, that read everything; of a budget that is used up nothing is left."""
    after = case.found.aftermath
    if after is None:
        return
    if after.told is None:
        yield "the sweep after the freeze has no answer"
        return
    before = case.found.references
    for wanted in sorted(case.truth.desired - after.references.keys()):
        if case.found.budget is None:
            yield f"{_told(wanted)} waited, and was never written"
        elif wanted not in after.told.planned:
            yield f"{_told(wanted)} waits, and is not told as planned"
    for wanted in sorted(before.keys() - after.references.keys()):
        yield f"{_told(wanted)} was there before the last sweep, and is gone"
    for wanted, additions in sorted(after.references.items()):
        if additions > 1 or (additions == 1 and wanted in case.truth.present):
            yield f"{_told(wanted)} was added {additions} times"
    for wanted in sorted((after.references.keys() - before.keys()) ^ after.told.written):
        yield f"{_told(wanted)} is either told as written then or there, and not both"


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
        planned, written = answer.references.planned, answer.references.written
        for wanted in sorted(written - planned if case.found.is_held_back else written ^ planned):
            yield f"{_told(wanted)} is either planned or written, and not both"
        for wanted in sorted(answer.references.failed):
            yield f"{_told(wanted)} is said to have failed"
    for wanted in sorted(told ^ case.added):
        yield f"{_told(wanted)} is either told as written or there, and not both"


def _a_rollback_restores(case: Case) -> Iterator[str]:
    """Exactly what people had made, untouched; and the ledger has nothing more to take back."""
    done, present = case.found.rolled_back, case.truth.present
    if done is None:
        yield "no rollback was run"
        return
    if done.code != 0:
        yield f"it ended with exit code {done.code}: {done.said}"
    yield from (f"the evidence after it: {each}" for each in done.breaks)
    for wanted in sorted(done.after.keys() - present):
        yield f"{_told(wanted)} was written by the app, and is still there"
    for wanted in sorted(present - done.after.keys()):
        yield f"{_told(wanted)} was there before the run, and is gone"
    for wanted in sorted(wanted for wanted in present if done.after.get(wanted)):
        yield f"{_told(wanted)} was there before the run, and was added again"
    for wanted in sorted(done.ledger):
        yield f"{_told(wanted)} is still in the ledger"


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
            true = _true(len(both), is_unknown=not case.truth.is_readable(*packages))
            if check.seen != true:
                yield f"check {number} of {_told(packages)} says {check.seen}, not {true}"


def _is_excused(case: Case, check: CheckAnswer) -> bool:
    """Whether a check was given up, and its answer says the reason that its letter has."""
    reasons = {gap.why for gap in check.gaps}
    return any(
        each.queue == CHECKS and check.id in each.message and each.reason in reasons
        for each in case.found.letters
    )


def _told_breach(breach: Breach) -> str:
    return f"{breach.rule} {_told((*breach.packages, breach.subject))}"


def _told(ids: tuple[str, ...]) -> str:
    return "(" + " ".join(each[:8] for each in ids) + ")"


CLAIMS: dict[str, Claim] = {
    "the sweep ends": _ends,
    "the cheaper way is taken": _strategy_is_cheaper,
    "pairs are found as they are": _pairs_are_true,
    "sets are counted as they are": _sets_are_true,
    "every gap is reported": _gaps_are_told,
    "every gap is one": _gaps_are_true,
    "findings are kept as they are": _findings_are_true,
    "the evidence holds": _evidence_holds,
    "the limit is kept": _limit_is_kept,
    "no reference is missing": _nothing_is_missing,
    "the budget is kept": _budget_is_kept,
    "what waited is written later": _what_waited_is_written_later,
    "no reference is uncalled for": _nothing_is_uncalled_for,
    "no reference is written twice": _nothing_is_written_twice,
    "the ledger agrees": _ledger_agrees,
    "answers tell what was written": _writes_are_told,
    "a rollback restores what was there": _a_rollback_restores,
    "no message is left": _no_message_is_left,
    "every part is done": _every_part_is_done,
    "checks answer what is so": _checks_are_true,
}
