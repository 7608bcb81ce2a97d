"""What an answer says of itself: its outcome, what was looked at, and what was not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice

import msgspec

from entra_sod.core import errors
from entra_sod.domain.rules.exception_subjects import ExceptionProblem
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet

MAX_LEFT_NAMED = 5  # of one rule
MAX_RULES_NAMED = 3


class Outcome(StrEnum):
    CONFLICT = "conflict"
    CLEAR = "clear"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why something is not known; `out-of-scope` is what the app never reads."""

    MISSING_ROLE = "missing-role"
    NO_LICENCE = "no-licence"
    NO_TOKEN = "no-token"  # noqa: S105 - no password
    NO_SUCH_THING = "no-such-thing"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    UNREADABLE_ITEM = "unreadable-item"
    UNREADABLE_ANSWER = "unreadable-answer"
    TOO_MANY_PAGES = "too-many-pages"
    UNSAFE_LINK = "unsafe-link"
    SELECTS_NOTHING = "selects-nothing"
    LEFT_THE_RULE = "left-the-rule"
    SUBJECT_UNKNOWN = "subject-unknown"
    SUBJECT_RENAMED = "subject-renamed"
    RULES_REFUSED = "rules-refused"
    OUT_OF_SCOPE = "out-of-scope"
    NOT_LOOKED_AT = "not-looked-at"

    @classmethod
    def of(cls, why: object) -> Reason:
        """The reason that an error stands for."""
        if isinstance(why, errors.Forbidden) and why.status == _UNAUTHORIZED:
            return cls.NO_TOKEN
        return next((each for kind, each in _REASONS if isinstance(why, kind)), cls.NOT_LOOKED_AT)

    @property
    def meaning(self) -> str:
        """What happened, for the reference."""
        return _REASON_MEANINGS[self]


_REASON_MEANINGS = {
    Reason.MISSING_ROLE: "Graph refused the read: the app has no role on the catalog.",
    Reason.NO_LICENCE: "The tenant has no licence for entitlement management.",
    Reason.NO_TOKEN: "The app got no token for Graph, or Graph did not accept it.",
    Reason.NO_SUCH_THING: "Graph answered that it does not exist.",
    Reason.THROTTLED: "Graph answered 429 until the work had no tries left.",
    Reason.UNAVAILABLE: "Graph did not answer, or answered with an error of its own.",
    Reason.REFUSED: "Graph refused the request for another reason; the text has it.",
    Reason.UNREADABLE_ITEM: "One item of a list is not understood. The others were read.",
    Reason.UNREADABLE_ANSWER: "The whole answer is not understood.",
    Reason.TOO_MANY_PAGES: "The list does not end.",
    Reason.UNSAFE_LINK: "The next page is on another host, so the app did not follow the link.",
    Reason.SELECTS_NOTHING: "A side of a rule selects no package.",
    Reason.LEFT_THE_RULE: "A package no longer fits its rule. It stays in the rule until reviewed.",
    Reason.RULES_REFUSED: "The newest rules have a mistake, so older rules are in force.",
    Reason.SUBJECT_RENAMED: "The user principal name of an exception no longer names the subject "
    "that it named first. The exception still holds for that subject.",
    Reason.SUBJECT_UNKNOWN: "The user principal name of an exception is not resolved, or was given "
    "to another subject. The exception excuses no subject.",
    Reason.OUT_OF_SCOPE: "The app never reads this, such as members of groups.",
    Reason.NOT_LOOKED_AT: "The work ended before this was read; the text says why.",
}

_UNAUTHORIZED = 401
# Subclasses before their base class.
_REASONS = (
    (errors.Unlicensed, Reason.NO_LICENCE),
    (errors.Forbidden, Reason.MISSING_ROLE),
    (errors.NotFound, Reason.NO_SUCH_THING),
    (errors.Throttled, Reason.THROTTLED),
    (errors.NoToken, Reason.NO_TOKEN),
    (errors.Unavailable, Reason.UNAVAILABLE),
    (errors.UnreadableItem, Reason.UNREADABLE_ITEM),
    (errors.Unreadable, Reason.UNREADABLE_ANSWER),
    (errors.TooManyPages, Reason.TOO_MANY_PAGES),
    (errors.UnsafeLink, Reason.UNSAFE_LINK),
    (errors.Rejected, Reason.REFUSED),
)


class DetectionMethod(StrEnum):
    """How it was found out who holds both packages of a pair."""

    ADDITIONAL_ACCESS = "additionalAccess"
    ASSIGNMENTS = "assignments"


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    what: str
    how: str


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    what: str
    why: str
    reason: Reason = Reason.NOT_LOOKED_AT

    @property
    def hides(self) -> bool:
        """Whether anything is not known for it; a package that left its rule is looked at."""
        return self.reason not in {Reason.LEFT_THE_RULE, Reason.SUBJECT_RENAMED}

    @property
    def hides_conflicts(self) -> bool:
        """Whether a conflict may be hidden; an exception that excuses no one hides none."""
        return self.hides and self.reason is not Reason.SUBJECT_UNKNOWN

    @classmethod
    def of(cls, what: str, error: errors.SodError) -> Skipped:
        """What an error stood in the way of; an item of a list is named by itself."""
        item = error.what if isinstance(error, errors.UnreadableItem) else what
        return cls(what=item, why=str(error), reason=Reason.of(error))


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at and by which way, and what was not and why."""

    checked: list[Checked] = []
    skipped: list[Skipped] = []

    def skip(self, what: str, why: object, reason: Reason = Reason.NOT_LOOKED_AT) -> None:
        if isinstance(why, errors.SodError):
            self.skipped.append(Skipped.of(what, why))
        else:
            self.skipped.append(Skipped(what=what, why=str(why), reason=reason))


def rule_gaps(rules: RuleSet, of: Iterable[ResolvedRule] | None = None) -> Iterator[Skipped]:
    """What keeps rules, or those of them that matter, from meaning what they are to mean."""
    if rules.refused:
        what = "the newest version of the rules"
        yield Skipped(what=what, why=rules.refused, reason=Reason.RULES_REFUSED)
    if rules.unlisted:
        what = "the packages that patterns of the rules fit"
        yield Skipped(what=what, why=rules.unlisted, reason=Reason.UNREADABLE_ITEM)
    concerned = list(rules.rules if of is None else of)
    for rule in concerned:
        yield from _selects_nothing(rule)
        yield from _left(rule, rules)
    yield from grant_gaps(rules, concerned)
    yield from exception_gaps(rules.exception_problems, {each.id for each in concerned})


def exception_gaps(problems: Iterable[ExceptionProblem], of: Collection[str]) -> Iterator[Skipped]:
    """Name exceptions of rules whose subjects are not known, and those whose names changed."""
    for each in problems:
        if each.entry.rule in of:
            reason = Reason.SUBJECT_UNKNOWN if each.is_void else Reason.SUBJECT_RENAMED
            what = f"exception {each.entry.id} of rule {each.entry.rule}"
            more = ", so the exception excuses no one" if each.is_void else ""
            yield Skipped(what=what, why=f"{each.why}{more}", reason=reason)


def selection_gaps(rules: RuleSet) -> list[Skipped]:
    """Those of them that are about what rules select."""
    reasons = (Reason.SELECTS_NOTHING, Reason.LEFT_THE_RULE)
    found = [each for each in rule_gaps(rules) if each.reason in reasons]
    return [*found, *grant_gaps(rules, rules.rules)]


def grant_gaps(rules: RuleSet, of: Iterable[ResolvedRule]) -> Iterator[Skipped]:
    """Name packages that may belong to rules, because what they grant is not known."""
    # By identity: rules that have the same gaps share them, and there may be thousands of both.
    shared: dict[int, list[ResolvedRule]] = {}
    for rule in of:
        if rule.grant_gaps:
            shared.setdefault(id(rule.grant_gaps), []).append(rule)
    for concerned in shared.values():
        yield from _not_granted(rules, concerned)


def _not_granted(rules: RuleSet, concerned: Sequence[ResolvedRule]) -> Iterator[Skipped]:
    gaps, ids = concerned[0].grant_gaps, [each.id for each in concerned]
    more = f" and {len(ids) - MAX_RULES_NAMED} more" if len(ids) > MAX_RULES_NAMED else ""
    asked = f"rule {ids[0]} selects" if len(ids) == 1 else f"rules {_named(ids)}{more} select"
    for package, error in islice(gaps.items(), MAX_LEFT_NAMED):
        what = f"what {rules.named(package)} grants" if package else "what access packages grant"
        yield Skipped(
            what=what, why=f"{asked} packages by what they grant: {error}", reason=Reason.of(error)
        )
    if (others := len(gaps) - MAX_LEFT_NAMED) > 0:
        what = f"what {others} access packages more grant"
        yield Skipped(what=what, why=f"{asked} packages by what they grant")


def _named(ids: Sequence[str]) -> str:
    return ", ".join(ids[:MAX_RULES_NAMED])


def _selects_nothing(rule: ResolvedRule) -> Iterator[Skipped]:
    """Name each side that selects nothing, or the rule where it selects no pair."""
    if rule.rule.at_most is not None:
        is_empty = len(rule.set_of) <= rule.count
        found = (
            {f"rule {rule.id}": "it selects no more packages than it allows"} if is_empty else {}
        )
    else:
        found = {
            f"side {number} of rule {rule.id}": "it selects no package and no group"
            for number, side in enumerate(rule.all_sides, start=1)
            if not side.packages and (rule.is_found_only or not side.groups)
        }
        if not found and not (rule.is_found_only or rule.keeps_apart):
            found = {f"rule {rule.id}": "its sides keep no two packages apart"}
    for what, why in found.items():
        more = "a name may be misspelt, or out of the app's reach"
        yield Skipped(what=what, why=f"{why}: {more}", reason=Reason.SELECTS_NOTHING)


def _left(rule: ResolvedRule, rules: RuleSet) -> Iterator[Skipped]:
    """Name the packages that left a rule. Of a list that was read in part only those on it did."""
    left = sorted(frozenset[str]().union(*rule.kept))
    if rules.unlisted:
        left = [each for each in left if each in rules.listed]
    named = [rules.named(each) for each in left[:MAX_LEFT_NAMED]]
    if more := len(left) - len(named):
        named.append(f"{more} packages more")
    why = (
        f"rule {rule.id} does not fit it any more. It stays in the rule until you approve that it "
        f"left (entra-sod selection approve --rule {rule.id}) or change the rule"
    )
    yield from (Skipped(what=each, why=why, reason=Reason.LEFT_THE_RULE) for each in named)


def note_groups(groups: Collection[str], notes: Coverage) -> None:
    """Say of the groups that rules name that their members were not looked up."""
    for group in sorted(groups):
        notes.skip(
            f"members of group {group}",
            "group memberships are not read; Entra itself refuses members where the reference is "
            "written",
            Reason.OUT_OF_SCOPE,
        )


def note_uncounted(why: str | None, notes: Coverage) -> None:
    """Say that the app did not count how many subjects references to groups keep away."""
    if why:
        notes.skip("how many members groups of planned references have", why, Reason.OUT_OF_SCOPE)
