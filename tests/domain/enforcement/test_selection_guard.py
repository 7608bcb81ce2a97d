"""A reference is written only if what was reviewed asks for it, and goes only if it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.enforcement.desired import DesiredReference, packages_in_view, references_on
from entra_sod.domain.enforcement.selection_guard import SelectionGuard, hold_changes
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.selection import RuleSelection, selection_of, with_left
from tests.builders import at_most, guid, package, rule, rule_set, side

PACKAGES, GROUPS = "abcd", "12e"


@dataclass(frozen=True)
class Selected:
    """What rules select, and what packages grant, at one moment."""

    sides: tuple[tuple[frozenset[str], ...], ...]
    granted: Mapping[str, frozenset[str]]

    @property
    def packages(self) -> dict[str, AccessPackage]:
        found = (package(name, *groups) for name, groups in self.granted.items())
        return {each.id: each for each in found}


names = st.frozensets(st.sampled_from(PACKAGES), max_size=3)
grants = st.fixed_dictionaries(
    {name: st.frozensets(st.sampled_from(GROUPS), max_size=2) for name in PACKAGES}
)


def selected(rules: int) -> st.SearchStrategy[Selected]:
    sides = st.tuples(*([st.tuples(names, names)] * rules))
    return st.builds(Selected, sides, grants)


@dataclass(frozen=True)
class Change:
    """What was reviewed and what is selected now, of as many rules as there are forms."""

    forms: tuple[str, ...]
    groups: str
    reviewed: Selected
    now: Selected

    def rules(self, moment: Selected) -> list[ResolvedRule]:
        """The rules of a moment, with sides by name in place of patterns."""
        return [
            _resolved(f"r{number}", form, self.groups, sides)
            for number, (form, sides) in enumerate(zip(self.forms, moment.sides, strict=True))
        ]


def _resolved(
    rule_id: str, form: str, groups: str, sides: Sequence[frozenset[str]]
) -> ResolvedRule:
    ids = [frozenset(map(guid, each)) for each in sides]
    if form == "set":
        made = rule_set(at_most(rule_id, 1, PACKAGES, mode=Mode.ENFORCE)).rules[0]
        empty = replace(made, set_of=frozenset(), sides=())
        return empty.keeping((ids[0],)) if ids[0] else empty
    mode = Mode.RECORD if form == "record" else Mode.ENFORCE
    made = rule_set(rule(rule_id, side("f"), side("f", list(groups)), mode=mode)).rules[0]
    found = zip(ids, made.sides, strict=True)
    return replace(made, sides=tuple(ResolvedSide(each, old.groups) for each, old in found))


forms = st.sampled_from(["between", "between", "set", "record"])
changes = st.lists(forms, min_size=1, max_size=2).flatmap(
    lambda found: st.builds(
        Change,
        st.just(tuple(found)),
        st.sampled_from(["", "1", "2e"]),
        selected(len(found)),
        selected(len(found)),
    )
)


def guard_of(change: Change) -> tuple[RuleSet, Sequence[SelectionGuard]]:
    """The rules of now, with what left them, and the guard of what was reviewed."""
    reviewed = {
        each.id: selection_of(each, change.reviewed.packages)
        for each in change.rules(change.reviewed)
    }
    rules = RuleSet(
        with_left(replace(each, kept=()), reviewed[each.id]) for each in change.rules(change.now)
    )
    guards = hold_changes(rules, reviewed, change.now.packages)
    assert all(isinstance(each, SelectionGuard) for each in guards)
    return rules, [each for each in guards if isinstance(each, SelectionGuard)]


def asked_for(rules: RuleSet, packages: Mapping[str, AccessPackage]) -> dict[Reference, set[str]]:
    found: dict[Reference, set[str]] = {}
    for on in packages_in_view(rules):
        for each in references_on(on, rules, packages):
            found.setdefault(each.reference, set()).update(each.rule_ids)
    return found


def asked_when_reviewed(change: Change) -> dict[str, set[Reference]]:
    """What each enforcing rule by itself asked for when it was reviewed.

    A group that a side names is in the rule's text, and so reviewed, whatever the side selected.
    """
    packages, asked = change.reviewed.packages, written_when_reviewed(change)
    return {
        each.id: asked[each.id].union(named_groups(each, packages))
        for each in change.rules(change.reviewed)
        if each.id in asked
    }


def written_when_reviewed(change: Change) -> dict[str, set[Reference]]:
    """The same without groups that a side names while no package of it faces another."""
    return {
        each.id: set(asked_for(RuleSet([each]), change.reviewed.packages))
        for each in change.rules(change.reviewed)
        if each.rule.mode is Mode.ENFORCE
    }


def named_groups(
    resolved: ResolvedRule, packages: Mapping[str, AccessPackage]
) -> Iterator[Reference]:
    for one, other in permutations(resolved.sides, 2):
        for on in one.packages:
            for each in other.groups - packages[on].groups:
                yield Reference(on, ReferenceKind.GROUP, each)


@given(changes)
def test_an_addition_passes_exactly_if_what_was_reviewed_asks_for_it(change: Change) -> None:
    """Whatever joined, left or changed sides since, and whatever packages grant now."""
    rules, guards = guard_of(change)
    reviewed = asked_when_reviewed(change)
    for reference, rule_ids in asked_for(rules, change.now.packages).items():
        wanted = DesiredReference(reference, tuple(sorted(rule_ids)))
        why = [found for each in guards if (found := each.why_held(wanted))]
        is_reviewed = any(reference in reviewed.get(each, ()) for each in rule_ids)
        assert (not why) == is_reviewed
        assert all("entra-sod selection approve --rule r" in each for each in why)


@given(changes)
def test_what_was_reviewed_and_asked_for_is_not_removed(change: Change) -> None:
    """What no rule asks for any more goes only if none asked for it when it was reviewed."""
    rules, guards = guard_of(change)
    now = asked_for(rules, change.now.packages)
    reviewed = set[Reference]().union(*asked_when_reviewed(change).values())
    written = set[Reference]().union(*written_when_reviewed(change).values())
    for reference in written - now.keys():
        assert any(each.why_kept(reference) for each in guards)
    every = (
        Reference(guid(on), kind, guid(target))
        for on in PACKAGES
        for kind, targets in ((ReferenceKind.GROUP, GROUPS), (ReferenceKind.PACKAGE, PACKAGES))
        for target in targets
        if on != target
    )
    for reference in set(every) - now.keys() - reviewed:
        assert not any(each.why_kept(reference) for each in guards)


def reviewed_pair(**granted: str) -> tuple[RuleSet, dict[str, RuleSelection]]:
    """The rule of a and b as it was reviewed, with what both granted."""
    rules = rule_set(rule("r", side("a"), side("b")))
    packages = {guid(key): package(key, *groups) for key, groups in granted.items()}
    return rules, {"r": selection_of(rules.rules[0], packages)}


def why(
    rules: RuleSet, selections: Mapping[str, RuleSelection], on: str, group: str, **granted: str
) -> str | None:
    packages = {guid(key): package(key, *groups) for key, groups in granted.items()}
    (guard,) = hold_changes(rules, selections, packages)
    wanted = Reference(guid(on), ReferenceKind.GROUP, guid(group))
    return guard.why_held(DesiredReference(wanted, ("r",)))


def test_nothing_is_looked_at_where_nothing_changed() -> None:
    """A tenant has millions of references: without a change there is no guard at all."""
    rules, selections = reviewed_pair(a="1", b="2")
    packages = {guid("a"): package("a", "1"), guid("b"): package("b", "2")}
    assert list(hold_changes(rules, selections, packages)) == []
    assert list(hold_changes(rules, {}, packages)) == []


def test_a_group_that_was_added_is_named_with_its_package_and_what_to_do() -> None:
    """For people: which package grants which group, which rule, and the command."""
    rules, selections = reviewed_pair(a="1", b="2")
    found = why(rules, selections, "a", "e", a="1", b="2e")
    assert found == (
        f'rule r: access package {guid("b")} ("Package b") has come to grant group {guid("e")} '
        "since it was reviewed: entra-sod selection approve --rule r"
    )
    assert why(rules, selections, "a", "2", a="1", b="2e") is None


def test_a_group_that_was_reviewed_on_the_other_side_is_not_reviewed_on_this_one() -> None:
    """A manager of b adds the group of a's own people, and would lock all others out of a, too."""
    rules = rule_set(rule("r", side("ac"), side("b")))
    packages = {guid("a"): package("a", "1"), guid("b"): package("b"), guid("c"): package("c")}
    selections = {"r": selection_of(rules.rules[0], packages)}
    assert why(rules, selections, "c", "1", a="1", b="1", c="") is not None


def test_a_group_that_a_package_lost_may_not_be_held_against_it_unseen() -> None:
    """While a granted it, its own members were not kept from a; that was reviewed, too."""
    rules, selections = reviewed_pair(a="2", b="2")
    assert "does not grant group" in str(why(rules, selections, "a", "2", a="", b="2"))


def test_a_reference_to_what_does_not_exist_may_go() -> None:
    """No package grants a group that was deleted, and no person has to approve that."""
    rules, selections = reviewed_pair(a="1", b="2")
    packages = {guid("a"): package("a", "1"), guid("b"): package("b")}
    reference = Reference(guid("a"), ReferenceKind.GROUP, guid("2"))
    (guard,) = hold_changes(rules, selections, packages)
    assert "does not grant group" in str(guard.why_kept(reference))
    (guard,) = hold_changes(rules, selections, packages, {guid("2")})
    assert guard.why_kept(reference) is None


def test_a_group_that_a_package_lost_while_it_joined_another_side_stays() -> None:
    """Two changes at once are no approval: the reference that was reviewed is not removed."""
    rules = rule_set(rule("r", side("b"), side("ac")))
    before = {guid("a"): package("a"), guid("b"): package("b", "1"), guid("c"): package("c")}
    selections = {"r": selection_of(rules.rules[0], before)}
    moved = rule_set(rule("r", side("b"), side("abc")))
    (guard,) = hold_changes(moved, selections, {guid(key): package(key) for key in "abc"})
    reference = Reference(guid("c"), ReferenceKind.GROUP, guid("1"))
    assert "has joined" not in str(guard.why_kept(reference))
    assert "does not grant group" in str(guard.why_kept(reference))


def test_a_rule_that_does_not_enforce_approves_nothing() -> None:
    """It grows by itself, so no reviewer has seen what it selects."""
    enforcing = rule("r", side("a"), side("b"))
    recording = rule("s", side("a"), side("bc"), mode=Mode.RECORD)
    rules = rule_set(msgspec.structs.replace(enforcing, between=[side("a"), side("bc")]), recording)
    before = rule_set(enforcing).rules[0]
    selections = {"r": selection_of(before, {}), "s": selection_of(rules.rules[1], {})}
    packages = {guid(key): package(key) for key in "abc"}
    (guard,) = hold_changes(rules, selections, packages)
    wanted = Reference(guid("a"), ReferenceKind.PACKAGE, guid("c"))
    assert "has joined since" in str(guard.why_held(DesiredReference(wanted, ("r", "s"))))
