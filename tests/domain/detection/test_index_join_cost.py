"""The assignment index: packed, cut into buckets, joined by subject, and chosen by its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from entra_sod.domain.detection.cost import Strategy, choose_strategy
from entra_sod.domain.detection.index import (
    BUCKETS,
    TABLE_BYTES,
    IndexDirectory,
    IndexedAssignment,
    IndexNames,
    IndexTable,
    IndexWriter,
    bucket_groups,
    bucket_of,
    bucket_runs,
    names_start,
)
from entra_sod.domain.detection.join import join
from entra_sod.domain.entra import Assignment, Pair
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.subjects.names import comparable_name
from tests.builders import assignment, at_most, guid, rule, rule_set, side

NAMES, PEOPLE = "abcde", "uvwxyz"
holdings = st.dictionaries(st.sampled_from(NAMES), st.text(PEOPLE, max_size=9), max_size=len(NAMES))
states = st.sampled_from(["delivered", "Delivered", "expired", None])


some_rules = st.lists(
    st.one_of(
        st.builds(
            lambda one, other: rule("r", side(one), side(other)),
            st.sampled_from(["a", "ab", "cd", "abcde"]),
            st.sampled_from(["b", "e", "bcd"]),
        ),
        st.builds(at_most, st.just("n"), st.integers(1, 3), st.sampled_from(["abc", "abcde"])),
    ),
    max_size=2,
    unique_by=lambda made: made.id,
).map(lambda made: rule_set(*made))


def held_of(held: Mapping[str, str]) -> list[tuple[str, IndexedAssignment]]:
    """A person that is named twice has two assignments."""
    return [
        (guid(name), IndexedAssignment(0, f"subject-{person}", f"{name}-{place}", None, None, None))
        for name, people in held.items()
        for place, person in enumerate(people)
    ]


def written(pages: Mapping[str, Sequence[Assignment]]) -> bytes:
    writer = IndexWriter(list(pages))
    for package, page in pages.items():
        writer.add(package, page)
    return writer.finish()


def read(data: bytes, most_at_once: int, assignments: int) -> list[IndexedAssignment]:
    table = IndexTable(data[:TABLE_BYTES])
    found: list[IndexedAssignment] = []
    for buckets in bucket_groups(assignments, most_at_once):
        start, length = table.span(buckets)
        found += table.unpack(data[start : start + length], buckets)
    return found


@given(holdings, states, st.integers(1, 40))
def test_an_index_gives_back_what_is_held(
    held: dict[str, str], state: str | None, most_at_once: int
) -> None:
    """Whatever groups of buckets it is read in, each held assignment comes out once."""
    pages = {
        guid(name): [assignment(f"{name}{place}", each, state) for place, each in enumerate(people)]
        for name, people in held.items()
    }
    total = sum(len(page) for page in pages.values())
    found = read(written(pages), most_at_once, total)
    expected = {
        (list(pages).index(package), each.id, each.subject.id, each.state)
        for package, page in pages.items()
        for each in page
        if each.is_held
    }
    assert len(found) == len(expected)
    assert {(each.package, each.assignment_id, each.subject_id, each.state) for each in found} == (
        expected
    )


@given(st.integers(0, 10**7), st.integers(1, 10**5))
def test_groups_of_buckets_cover_each_bucket_once(assignments: int, most_at_once: int) -> None:
    """Every subject is in exactly one group, so the join sees all of it at once."""
    groups = list(bucket_groups(assignments, most_at_once))
    assert [bucket for group in groups for bucket in group] == list(range(BUCKETS))
    assert all(groups)


def pairs_by_hand(held: Mapping[str, str], rules: RuleSet) -> set[tuple[Pair, str]]:
    return {
        (Pair.of(guid(one), guid(other)), f"subject-{person}")
        for one, other in combinations(NAMES, 2)
        if Pair.of(guid(one), guid(other)) in rules.constraints
        for person in set(held.get(one, "")) & set(held.get(other, ""))
    }


def too_many_by_hand(held: Mapping[str, str], rules: RuleSet) -> set[tuple[str, str]]:
    return {
        (each.id, f"subject-{person}")
        for each in rules.found_only_rules
        for person in PEOPLE
        if sum(person in held.get(name, "") for name in NAMES if guid(name) in each.set_of)
        > each.count
    }


@given(holdings, some_rules)
def test_the_join_finds_what_comparing_every_pair_finds(
    held: dict[str, str], rules: RuleSet
) -> None:
    """By subject or pair by pair, the conflicts are the same; so are those of counted sets."""
    found = list(join(held_of(held), rules))
    by_pair = [(each.pair, each.subject.id) for each in found if each.pair]
    assert set(by_pair) == pairs_by_hand(held, rules)
    assert len(set(by_pair)) == len(by_pair)
    over = {(each.rules[0].id, each.subject.id) for each in found if not each.pair}
    assert over == too_many_by_hand(held, rules)


def test_an_assignment_that_two_pages_repeat_counts_once() -> None:
    """Pages may overlap while Graph's lists move."""
    rules = rule_set(rule("r", side("a"), side("b")))
    [conflict] = join(held_of({"a": "v", "b": "v"}) * 2, rules)
    assert conflict.pair == Pair.of(guid("a"), guid("b"))


def choice(pairs: int, pages: Mapping[str, int], packages: str = "abc") -> tuple[Strategy, str]:
    return choose_strategy(pairs, packages, "", pages, may_ask=True)


def test_the_cheaper_way_is_chosen_and_said() -> None:
    """Few pairs of large packages are asked for; many pairs of small ones are indexed."""
    assert choice(3, {"a": 9, "b": 9, "c": 9})[0] is Strategy.PAIRS
    why = "4 requests pair by pair, 3 by an index of assignments"
    assert choice(4, dict.fromkeys("abc", 1)) == (Strategy.INDEX, why)


def test_a_guess_is_called_one() -> None:
    """Packages that no sweep counted yet are taken for one page each, and the sentence says so."""
    assert "for each of 2 packages not counted before" in choice(9, {"a": 2})[1]


def test_without_additional_access_there_is_one_way() -> None:
    """A refusal of the last sweep is remembered."""
    assert choose_strategy(1, "abc", "", {}, may_ask=False)[0] is Strategy.INDEX


@given(st.integers(0, 50), st.dictionaries(st.sampled_from(NAMES), st.integers(1, 20)))
def test_no_choice_costs_more_than_the_other(pairs: int, pages: dict[str, int]) -> None:
    """Whatever was counted, what is chosen takes the fewer requests."""
    strategy, _ = choice(pairs, pages, NAMES)
    by_index = sum(pages.get(name, 1) for name in NAMES)
    assert (pairs if strategy is Strategy.PAIRS else by_index) == min(pairs, by_index)


@given(holdings)
def test_the_directory_leads_from_an_object_id_to_its_bucket(held: Mapping[str, str]) -> None:
    """Every holder's bucket is among those named, and for others hardly any is."""
    pages = {guid(name): [assignment(name, each) for each in held[name]] for name in held}
    data = written(pages)
    directory = IndexDirectory(data[IndexTable(data[:TABLE_BYTES]).directory_start :])
    for person in {each for people in held.values() for each in people}:
        assert directory.buckets_of(f"object-{person}") == {bucket_of(f"subject-{person}")}
    assert directory.buckets_of("object-unknown") == set()


@given(st.sets(st.integers(0, BUCKETS - 1)))
def test_runs_of_buckets_hold_each_wanted_one_once(buckets: set[int]) -> None:
    """They are short, do not overlap, and begin and end at wanted buckets."""
    runs = list(bucket_runs(buckets))
    read = [bucket for run in runs for bucket in run]
    assert len(read) == len(set(read))
    assert buckets <= set(read)
    assert all(run.start in buckets and run.stop - 1 in buckets for run in runs)
    assert all(len(run) <= 16 for run in runs)


@given(holdings)
def test_holders_are_found_by_their_names_in_whatever_case(held: Mapping[str, str]) -> None:
    """Each once for each file, however many packages of it they hold; merging keeps them."""
    pages = {
        guid(name): [
            replace(each, subject=replace(each.subject, principal_name=f"{person}@Contoso.example"))
            for person in held[name]
            for each in [assignment(name, person)]
        ]
        for name in held
    }
    data = written(pages)
    merged = IndexWriter(list(pages))
    merged.add_file(list(pages), data)
    for whole in (data, merged.finish()):
        names = IndexNames(whole[names_start(whole) :])
        for person in {each for people in held.values() for each in people}:
            [found] = names.named(comparable_name(f"{person}@CONTOSO.example"))
            assert found.subject.ids == (f"subject-{person}", f"object-{person}")
        assert list(names.named("unknown@contoso.example")) == []


def test_a_file_of_an_earlier_version_has_no_names() -> None:
    """It ends with its directory, and can be merged all the same."""
    data = written({guid("a"): [assignment("a", "x")]})
    early = data[: names_start(data)]
    writer = IndexWriter([guid("a")])
    writer.add_file([guid("a")], early)
    assert writer.finish() == data
