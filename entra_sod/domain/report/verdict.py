"""What a report says first: one sentence of who violates what, and of what is not known. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec


class RuleStatus(StrEnum):
    """What a sweep says of one rule; the gravest first."""

    VIOLATED = "violated"
    NOT_CHECKED = "not-checked"
    PARTLY_CHECKED = "partly-checked"  # and no violation was found in the part
    HOLDS = "holds"


class ReportOutcome(StrEnum):
    """What the report comes to. Only `clear` is an all-clear."""

    VIOLATED = "violated"
    UNKNOWN = "unknown"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """What is known of one rule in force.

    Attributes:
        title: as its file has it.
        duties: the names of its two sides, if it keeps two apart and both have a name.
        people: how many violate it, those whom an exception permits not counted.
        is_checked: whether anything that it needs was read.
        is_whole: whether all that it needs was read.
        is_found_only: whether Entra has no reference that could enforce it.
    """

    title: str
    duties: tuple[str, ...] = ()
    people: int = 0
    is_checked: bool = True
    is_whole: bool = True
    is_found_only: bool = False

    @property
    def status(self) -> RuleStatus:
        if self.people:
            return RuleStatus.VIOLATED
        if not self.is_checked:
            return RuleStatus.NOT_CHECKED
        return RuleStatus.HOLDS if self.is_whole else RuleStatus.PARTLY_CHECKED


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFacts:
    """What is known of the sweep that a report tells of, and of all its people together.

    Attributes:
        people: in conflict with any rule, each once, those whom exceptions permit not counted.
        excepted: whom exceptions permit, and who are in no other conflict.
        are_people: whether all of them are users; a service principal is a subject.
        lost: conflicts of the sweep whose findings are not kept.
        is_whole: whether the sweep ended without a gap, by the rules in force now.
        newest_failed: whether a newer sweep failed.
    """

    people: int = 0
    excepted: int = 0
    are_people: bool = True
    lost: int = 0
    is_whole: bool = True
    newest_failed: bool = False


class ReportVerdict(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The first words of a report.

    Attributes:
        headline: one sentence.
        more: further sentences: what is not known, and what exceptions permit.
        people: in conflict with any rule, each once; null where no sweep has ended.
    """

    outcome: ReportOutcome
    headline: str
    more: list[str]
    people: int | None = None


def reach_verdict(rules: Sequence[RuleFacts], sweep: SweepFacts | None) -> ReportVerdict:
    """Say in a sentence what is known.

    Args:
        rules: in force.
        sweep: the newest that ended with an answer; None where there is none.
    """
    if sweep is None:
        return ReportVerdict(
            outcome=ReportOutcome.UNKNOWN,
            headline="No sweep has ended yet, so nothing is known.",
            more=[],
        )
    outcome = _outcome(rules, sweep)
    return ReportVerdict(
        outcome=outcome,
        headline=_headline(outcome, rules, sweep),
        more=list(_more(rules, sweep)),
        people=sweep.people,
    )


def failed_verdict() -> ReportVerdict:
    """Say that the only sweeps there are have failed."""
    return ReportVerdict(
        outcome=ReportOutcome.UNKNOWN, headline="The sweep failed, so nothing is known.", more=[]
    )


def _outcome(rules: Sequence[RuleFacts], sweep: SweepFacts) -> ReportOutcome:
    statuses = {each.status for each in rules}
    if sweep.people or sweep.lost or RuleStatus.VIOLATED in statuses:
        return ReportOutcome.VIOLATED
    is_clear = bool(rules) and statuses == {RuleStatus.HOLDS} and sweep.is_whole
    return ReportOutcome.CLEAR if is_clear else ReportOutcome.UNKNOWN


def _headline(outcome: ReportOutcome, rules: Sequence[RuleFacts], sweep: SweepFacts) -> str:
    if outcome is ReportOutcome.VIOLATED:
        return _violated(rules, sweep)
    if not rules:
        return "No rule is in force, so nothing was checked."
    if outcome is ReportOutcome.CLEAR:
        holds = "the only rule holds" if len(rules) == 1 else f"all {len(rules):,} rules hold"
        return f"No conflict was found: {holds}."
    if not any(each.is_checked for each in rules):
        total = len(rules)
        none = "The only rule could not" if total == 1 else f"None of the {total:,} rules could"
        return f"{none} be checked."
    return "No conflict was found in what was checked."


def _violated(rules: Sequence[RuleFacts], sweep: SweepFacts) -> str:
    violated = [each for each in rules if each.status is RuleStatus.VIOLATED]
    if not sweep.people:
        found = _count(sweep.lost, "conflict", "conflicts")
        return f"The sweep found {found}, and the findings are lost."
    who = _people(sweep.people, are_people=sweep.are_people, at_least=bool(sweep.lost))
    if not violated:
        verb = "violates" if sweep.people == 1 else "violate"
        return f"{who} {verb} rules that are no longer in force."
    verb = "violates" if sweep.people == 1 else "violate"
    if len(violated) > 1:
        return f"{who} {verb} {len(violated)} of {len(rules)} rules."
    [rule] = violated
    if len(rule.duties) == 2:  # noqa: PLR2004 - one and the other
        hold = "holds" if sweep.people == 1 else "hold"
        return f"{who} {hold} both {_quoted(rule.duties[0])} and {_quoted(rule.duties[1])}."
    return f"{who} {verb} the rule {_quoted(rule.title)}."


def _more(rules: Sequence[RuleFacts], sweep: SweepFacts) -> Iterator[str]:
    total = len(rules)
    unchecked = sum(not each.is_checked for each in rules)
    partly = sum(each.is_checked and not each.is_whole for each in rules)
    if unchecked and (unchecked < total or sweep.people or sweep.lost):
        yield f"{unchecked} of {_count(total, 'rule', 'rules')} could not be checked."
    if partly:
        yield f"{partly} of {_count(total, 'rule', 'rules')} could be checked only in part."
    if sweep.excepted:
        who = _people(sweep.excepted, are_people=sweep.are_people)
        yield f"An exception permits what {who} {'holds' if sweep.excepted == 1 else 'hold'}."
    if found := sum(each.is_found_only for each in rules):
        are, them = ("is", "it") if found == 1 else ("are", "them")
        yield (
            f"{found} of {_count(total, 'rule', 'rules')} {are} found only: "
            f"Entra cannot enforce {them}."
        )
    if sweep.newest_failed:
        yield "The newest sweep failed. This report tells of the one before."


def _people(number: int, *, are_people: bool, at_least: bool = False) -> str:
    one, many = ("person", "people") if are_people else ("subject", "subjects")
    return f"{'At least ' if at_least else ''}{_count(number, one, many)}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _quoted(name: str) -> str:
    return f"\u201c{name}\u201d"
