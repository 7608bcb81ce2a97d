"""What an answer says of itself: its outcome, what was looked at, and what was not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum

import msgspec

from entra_sod.core import errors
from entra_sod.domain.rules.ruleset import RuleSet


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
    RULES_REFUSED = "rules-refused"
    OUT_OF_SCOPE = "out-of-scope"
    NOT_LOOKED_AT = "not-looked-at"

    @classmethod
    def of(cls, why: object) -> Reason:
        """The reason that an error stands for."""
        if isinstance(why, errors.Forbidden) and why.status == _UNAUTHORIZED:
            return cls.NO_TOKEN
        return next((each for kind, each in _REASONS if isinstance(why, kind)), cls.NOT_LOOKED_AT)


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


def note_refused(rules: RuleSet, notes: Coverage) -> None:
    """Say that the newest rules files have a mistake, or patterns may fit more than is known."""
    if rules.refused:
        notes.skip("the newest version of the rules", rules.refused, Reason.RULES_REFUSED)
    if rules.unlisted:
        notes.skip(
            "the packages that patterns of the rules fit", rules.unlisted, Reason.UNREADABLE_ITEM
        )


def selection_gaps(rules: RuleSet) -> Iterator[Skipped]:
    """Name each side that selects nothing, and each rule that so selects no pair."""
    for rule in rules.rules:
        found = [
            (f"side {number} of rule {rule.id}", "it selects no package and no group")
            for number, side in enumerate(rule.sides, start=1)
            if not side.packages and not side.groups
        ]
        if rule.rule.at_most is not None and len(rule.set_of) <= rule.count:
            found = [(f"rule {rule.id}", "it selects no more packages than it allows")]
        elif not found and rule.selects_one_package:
            found = [(f"rule {rule.id}", "all its sides select the same single package")]
        for what, why in found:
            more = "a name may be misspelt, or out of the app's reach"
            yield Skipped(what=what, why=f"{why}: {more}", reason=Reason.SELECTS_NOTHING)


def note_groups(groups: Collection[str], notes: Coverage) -> None:
    """Say of the groups that rules name that nobody looked up who is in them."""
    for group in sorted(groups):
        notes.skip(
            f"members of group {group}",
            "group memberships are not read; Entra itself refuses members where the reference is "
            "written",
            Reason.OUT_OF_SCOPE,
        )
