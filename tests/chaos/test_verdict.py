"""The verdict, on made-up runs: a good one passes, and each kind of loss or doubling does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.found import (
    Aftermath,
    Asked,
    CheckAnswer,
    Evidence,
    Found,
    Gap,
    Letter,
    Parts,
    References,
    Refusals,
    RolledBack,
    Seen,
    StoredFinding,
    SweepAnswer,
)
from tests.chaos.truth import Breach, Counted, Truth, Wanted
from tests.chaos.verdict import MAX_TOLD, verdict

A_ON_B, B_ON_A = Wanted("a", "package", "b"), Wanted("b", "package", "a")
A_ON_C, C_ON_A = Wanted("a", "package", "c"), Wanted("c", "package", "a")
OLD = Wanted("c", "group", "g")
TRUTH = Truth(
    conflicts={
        ("a", "b"): frozenset({"x", "y"}),
        ("a", "c"): frozenset(),
        ("b", "z"): frozenset({"x"}),
    },
    rules_of={
        ("a", "b"): frozenset({"r", "s"}),
        ("a", "c"): frozenset({"r"}),
        ("b", "z"): frozenset({"r"}),
    },
    counted={"two": Counted(2, frozenset("ade"))},
    unreadable=frozenset({"z"}),
    desired=frozenset({A_ON_B, B_ON_A, A_ON_C, C_ON_A}),
    asked_by={
        A_ON_B: frozenset({("a", "b")}),
        B_ON_A: frozenset({("a", "b")}),
        A_ON_C: frozenset({("a", "c")}),
        C_ON_A: frozenset({("a", "c")}),
    },
    present=frozenset({OLD, C_ON_A}),
    holders={
        "a": frozenset({"x", "y"}),
        "b": frozenset({"x", "y"}),
        "c": frozenset(),
        "d": frozenset({"y"}),
        "e": frozenset({"y"}),
        "z": frozenset({"x"}),
    },
)
NEW = frozenset({A_ON_B, B_ON_A, A_ON_C})
NOTHING = frozenset[Wanted]()
SWEEP = SweepAnswer(
    status="completed-with-gaps",
    strategy="pairs",
    sets={"two": Seen("conflict", 1)},
    pairs={
        ("a", "b"): Seen("conflict", 2),
        ("a", "c"): Seen("clear", 0),
        ("b", "z"): Seen("unknown", 0),
    },
    references=References(planned=NEW, written=NEW, failed=NOTHING),
    gaps=(Gap("access package z", "403"),),
)
CHECK = CheckAnswer(
    id="check-1",
    first="b",
    second="a",
    status="completed",
    seen=Seen("conflict", 2),
    references=References(planned=NOTHING, written=NOTHING, failed=NOTHING),
    gaps=(),
)
FINDINGS = tuple(
    StoredFinding(breach=breach, state="open")
    for breach in (
        *(Breach(rule, ("a", "b"), subject) for rule in "rs" for subject in "xy"),
        Breach("two", ("a", "d", "e"), "y"),
    )
)
BEFORE = {OLD: 0, C_ON_A: 0}
ROLLED_BACK = RolledBack(
    code=0,
    said="the next sweep writes 3 of them again",
    before={**BEFORE, **dict.fromkeys(NEW, 1)},
    after=BEFORE,
    ledger=NOTHING,
    breaks=(),
)
GOOD = Found(
    sweep=SWEEP,
    checks=(CHECK,),
    references={OLD: 0, C_ON_A: 0, A_ON_B: 1, B_ON_A: 1, A_ON_C: 1},
    ledger=dict.fromkeys(NEW, "written"),
    queues={"sweep-pairs": 0, "sweep-pairs-poison": 0},
    letters=(),
    parts=Parts(total=2, done=frozenset({0, 1})),
    findings=FINDINGS,
    evidence=Evidence(packs=2),
    rolled_back=ROLLED_BACK,
)


def sweep(**changes: object) -> Found:
    return replace(GOOD, sweep=replace(SWEEP, **changes))  # type: ignore[arg-type]


def pair(*ids: str, says: Seen) -> Found:
    return sweep(pairs={**SWEEP.pairs, (ids[0], ids[1]): says})


def check(**changes: object) -> Found:
    return replace(GOOD, checks=(replace(CHECK, **changes),))  # type: ignore[arg-type]


def finding(breach: Breach, *, state: str = "open") -> Found:
    """One more than there are to be, or one in another state."""
    others = [each for each in FINDINGS if each.breach != breach]
    return replace(GOOD, findings=(*others, StoredFinding(breach=breach, state=state)))


def references(**changes: object) -> Found:
    return sweep(references=replace(SWEEP.references, **changes))  # type: ignore[arg-type]


def test_a_good_run_passes() -> None:
    """A conflict, a clear pair and a gap that is told contradict nothing."""
    assert verdict(TRUTH, GOOD) == ()


@pytest.mark.parametrize(
    ("found", "claim"),
    [
        (replace(GOOD, sweep=None), "the sweep ends"),
        (sweep(status="failed"), "the sweep ends"),
        (pair("a", "b", says=Seen("clear", 0)), "pairs are found as they are"),
        (pair("a", "b", says=Seen("conflict", 1)), "pairs are found as they are"),
        (pair("a", "b", says=Seen("unknown", 0)), "pairs are found as they are"),
        (pair("a", "c", says=Seen("unknown", 0)), "pairs are found as they are"),
        (pair("b", "z", says=Seen("clear", 0)), "pairs are found as they are"),
        (pair("b", "c", says=Seen("clear", 0)), "pairs are found as they are"),
        (sweep(pairs={}), "pairs are found as they are"),
        (sweep(status="completed"), "the sweep ends"),
        (sweep(strategy="index"), "the cheaper way is taken"),
        (replace(GOOD, answers_for_pairs=False), "the cheaper way is taken"),
        (sweep(sets={}), "sets are counted as they are"),
        (sweep(sets={"two": Seen("clear", 0)}), "sets are counted as they are"),
        (sweep(sets={"two": Seen("conflict", 2)}), "sets are counted as they are"),
        (sweep(gaps=()), "every gap is reported"),
        (sweep(gaps=(*SWEEP.gaps, Gap("access package a", "403"))), "every gap is one"),
        (sweep(gaps=(*SWEEP.gaps, Gap("part 0 of the sweep", "503"))), "every gap is one"),
        (replace(GOOD, blocked=frozenset("a")), "every gap is reported"),
        (replace(GOOD, blocked=frozenset("a")), "pairs are found as they are"),
        (replace(GOOD, findings=FINDINGS[1:]), "findings are kept as they are"),
        (replace(GOOD, findings=(*FINDINGS, FINDINGS[0])), "findings are kept as they are"),
        (finding(Breach("r", ("a", "c"), "x")), "findings are kept as they are"),
        (finding(Breach("r", ("b", "z"), "x")), "findings are kept as they are"),
        (finding(Breach("two", ("a", "d"), "x")), "findings are kept as they are"),
        (finding(FINDINGS[0].breach, state="resolving"), "findings are kept as they are"),
        (replace(GOOD, evidence=Evidence(packs=2, breaks=("gone",))), "the evidence holds"),
        (replace(GOOD, evidence=Evidence(packs=1)), "the evidence holds"),
        (replace(GOOD, evidence=Evidence(packs=3)), "the evidence holds"),
        (replace(GOOD, refusals=Refusals(refused=3, requests=100)), "the limit is kept"),
        (replace(GOOD, references={OLD: 0, C_ON_A: 0, A_ON_B: 1}), "no reference is missing"),
        (
            replace(GOOD, references={**GOOD.references, Wanted("b", "group", "h"): 1}),
            "no reference is uncalled for",
        ),
        (
            replace(GOOD, references={k: n for k, n in GOOD.references.items() if k != OLD}),
            "no reference is uncalled for",
        ),
        (
            replace(GOOD, references={**GOOD.references, A_ON_B: 2}),
            "no reference is written twice",
        ),
        (
            replace(GOOD, references={**GOOD.references, C_ON_A: 1}),
            "no reference is written twice",
        ),
        (replace(GOOD, ledger={}), "the ledger agrees"),
        (replace(GOOD, ledger={**GOOD.ledger, A_ON_B: "intended"}), "the ledger agrees"),
        (replace(GOOD, ledger={**GOOD.ledger, OLD: "written"}), "the ledger agrees"),
        (references(written=NOTHING), "answers tell what was written"),
        (references(planned=NOTHING), "answers tell what was written"),
        (references(failed=frozenset({OLD})), "answers tell what was written"),
        (replace(GOOD, queues={"sweep-pairs": 1}), "no message is left"),
        (replace(GOOD, parts=Parts(total=2, done=frozenset({1}))), "every part is done"),
        (replace(GOOD, parts=Parts()), "every part is done"),
        (replace(GOOD, checks=(None,)), "checks answer what is so"),
        (check(status="failed"), "checks answer what is so"),
        (check(seen=Seen("clear", 0)), "checks answer what is so"),
        (check(seen=Seen("conflict", 1)), "checks answer what is so"),
    ],
)
def test_what_is_lost_doubled_or_untrue_is_named(found: Found, claim: str) -> None:
    """Each run differs from the good one in one thing, and the claim that it breaks is told."""
    assert claim in {line.split(":")[0] for line in verdict(TRUTH, found)}


LETTER = Letter(
    queue="sweep-pairs",
    reason="no luck",
    message='{"pairs": [["a", "b"]]}',
    asked=Asked(part=0, pairs=frozenset({("a", "b")}), enforced=frozenset({"b"})),
)
LOST = {A_ON_B, B_ON_A}
OF_THE_SET = FINDINGS[-1:]


def given_up(**changes: object) -> Found:
    """A run in which the part about a and b was given up, and its references never written."""
    written = NEW - LOST
    gaps = (Gap("part 0 of the sweep", "no luck"), Gap("access package b", "no luck"))
    found = replace(
        GOOD,
        sweep=replace(
            SWEEP,
            pairs={**SWEEP.pairs, ("a", "b"): Seen("unknown", 0)},
            references=References(planned=written, written=written, failed=NOTHING),
            gaps=(*SWEEP.gaps, *gaps),
        ),
        references={k: n for k, n in GOOD.references.items() if k not in LOST},
        ledger=dict.fromkeys(written, "written"),
        letters=(LETTER,),
        parts=replace(GOOD.parts, given_up={0: "no luck"}),
        findings=OF_THE_SET,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def claims(found: Found, truth: Truth = TRUTH) -> set[str]:
    return {line.split(":")[0] for line in verdict(truth, found)}


def test_what_was_given_up_may_be_unknown_where_the_answer_says_why() -> None:
    """Its pair, the pair's findings and its references may be open, and nothing else."""
    assert verdict(TRUTH, given_up()) == ()
    assert verdict(TRUTH, given_up(blocked=frozenset("a"))) == ()
    assert claims(given_up(findings=())) == {"findings are kept as they are"}
    assert claims(given_up(references={})) >= {"no reference is missing"}


def test_a_check_may_have_found_what_the_sweep_could_not_look_at() -> None:
    """A finding of the pair that was given up is there because it is so."""
    assert verdict(TRUTH, given_up(findings=FINDINGS)) == ()


def test_a_pair_that_was_given_up_may_be_known_by_another_part() -> None:
    """If both packages meet a rule by themselves, which is read beside; and only as it is."""
    sweep = given_up().sweep
    assert sweep is not None
    alone = replace(TRUTH, toxic={"r": frozenset("ab")})
    known = {**sweep.pairs, ("a", "b"): SWEEP.pairs["a", "b"]}
    found = given_up(sweep=replace(sweep, pairs=known))
    assert "pairs are found as they are" not in claims(found, alone)
    wrong = {**sweep.pairs, ("a", "b"): Seen("clear", 0)}
    found = given_up(sweep=replace(sweep, pairs=wrong))
    assert "pairs are found as they are" in claims(found, alone)


def test_one_fault_of_graph_is_a_gap_in_a_parts_last_try() -> None:
    """Only there, and only where Graph did not answer; who holds the package is then not known."""
    gap = Gap("the assignments of d", "Graph answers 504 to the assignments of d: try again later")
    gaps, unknown = (*SWEEP.gaps, gap), {"two": Seen("unknown", 0)}
    one = sweep(gaps=gaps, sets=unknown)
    others = tuple(each for each in FINDINGS if each.breach.rule != "two")
    last_try = replace(one, last_tries=frozenset("d"), findings=others)
    assert verdict(TRUTH, last_try) == ()
    assert claims(replace(last_try, last_tries=frozenset("e"))) >= {"every gap is one"}
    refused = replace(SWEEP, gaps=(*SWEEP.gaps, replace(gap, why="403")), sets=unknown)
    assert claims(replace(last_try, sweep=refused)) >= {"every gap is one"}


def test_two_faults_of_graph_leave_a_pair_unknown_in_a_parts_last_try() -> None:
    """It answers neither for the pair nor for who holds one of both; only then, and if told."""
    gap = Gap("the assignments of b", "Graph answers 504 to the assignments of b: try again later")
    gaps, pairs = (*SWEEP.gaps, gap), {**SWEEP.pairs, ("a", "b"): Seen("unknown", 0)}
    of_the_pair = [each for each in FINDINGS if each.breach.rule in TRUTH.rules_of["a", "b"]]
    others = tuple(each for each in FINDINGS if each not in of_the_pair)
    twice = replace(sweep(gaps=gaps, pairs=pairs), findings=others, last_tries=frozenset("b"))
    assert verdict(TRUTH, twice) == ()
    assert claims(replace(twice, last_tries=frozenset("c"))) >= {"pairs are found as they are"}
    untold = replace(twice, sweep=replace(SWEEP, pairs=pairs))
    assert claims(untold) >= {"pairs are found as they are"}


def test_a_sweep_that_one_fault_left_a_gap_in_has_gaps() -> None:
    """Also where nothing else of the tenant is unreadable."""
    gap = Gap("the assignments of d", "Graph answers 504 to the assignments of d: try again later")
    found = replace(sweep(gaps=(gap,), status="completed"), last_tries=frozenset("d"))
    readable = replace(TRUTH, unreadable=frozenset())
    assert "the sweep ends" in " ".join(claims(found, readable))


def test_what_was_given_up_in_silence_is_a_gap_not_told() -> None:
    """The dead letter alone does not do, and neither does a part's number without its package."""
    sweep = given_up().sweep
    assert sweep
    for gaps in (SWEEP.gaps, sweep.gaps[:-1], (*SWEEP.gaps, sweep.gaps[-1])):
        assert claims(given_up(sweep=replace(sweep, gaps=gaps))) == {"every gap is reported"}
    other = (*SWEEP.gaps, Gap("part 0 of the sweep", "something else"), sweep.gaps[-1])
    assert claims(given_up(sweep=replace(sweep, gaps=other))) == {"every gap is reported"}


def test_what_was_given_up_is_not_known() -> None:
    """A sweep cannot report a result of a part that no worker read."""
    sweep = given_up().sweep
    assert sweep
    pairs = {**sweep.pairs, ("a", "b"): Seen("conflict", 2)}
    assert claims(given_up(sweep=replace(sweep, pairs=pairs))) == {"pairs are found as they are"}


def test_without_its_dead_letter_nothing_is_excused() -> None:
    """A pair that is unknown for no reason is untrue, and its references are missing."""
    assert claims(given_up(letters=())) == {
        "pairs are found as they are",
        "every gap is one",
        "findings are kept as they are",
        "no reference is missing",
    }


def test_a_letter_of_a_part_that_was_done_excuses_nothing() -> None:
    """Another worker has processed the part, so all of its results must be there."""
    assert verdict(TRUTH, replace(GOOD, letters=(LETTER,))) == ()
    assert claims(given_up(parts=GOOD.parts)) >= {
        "pairs are found as they are",
        "no reference is missing",
    }


def without_b(truth: Truth, **changes: object) -> tuple[str, ...]:
    """The verdict on a sweep that could not read who holds b; nothing is asked pair by pair."""
    asked = Asked(part=0, packages=frozenset("b"), enforced=frozenset("b"))
    found = given_up(letters=(replace(LETTER, asked=asked),))
    assert found.sweep
    return verdict(truth, replace(found, sweep=replace(found.sweep, **changes)))  # type: ignore[arg-type]


def test_an_index_without_a_package_knows_no_pair_of_it() -> None:
    """Of more pairs than packages none is asked for, and each takes the holders of both."""
    more = {("a", "z"): frozenset[str](), ("c", "z"): frozenset[str]()}
    truth = replace(TRUTH, conflicts={**TRUTH.conflicts, **more})
    unknown = dict.fromkeys((("a", "b"), ("b", "z"), *more), Seen("unknown", 0))
    pairs = {**SWEEP.pairs, **unknown}
    assert without_b(truth, strategy="index", pairs=pairs) == ()
    known = {**pairs, ("a", "b"): Seen("conflict", 2)}
    (wrong,) = without_b(truth, strategy="index", pairs=known)
    assert wrong.startswith("pairs are found as they are")


def test_of_a_set_that_was_read_in_part_no_subject_is_clear() -> None:
    """Nor is a pair within the set, which is not asked for: the set's packages answer it."""
    truth = replace(TRUTH, counted={"two": Counted(2, frozenset("abd"))})
    assert without_b(truth, sets={"two": Seen("unknown", 0)}) == (
        "findings are kept as they are: two (a d e y) is there, and not so",
    )
    (wrong, _) = without_b(truth, sets={"two": Seen("clear", 0)})
    assert wrong.startswith("sets are counted as they are")


def test_a_check_that_was_given_up_says_the_reason_of_its_letter() -> None:
    """Then it may have failed."""
    failed = check(status="failed", seen=Seen("unknown", 0), gaps=(Gap("the check", "no luck"),))
    dead_letter = Letter(queue="conflict-checks", reason="no luck", message='{"id": "check-1"}')
    assert verdict(TRUTH, replace(failed, letters=(dead_letter,))) == ()


def held_back(*, written: frozenset[Wanted], **changes: object) -> Found:
    """A run in which only some of what is planned was written, for a freeze or a budget."""
    found = replace(
        GOOD,
        sweep=replace(SWEEP, references=replace(SWEEP.references, written=written)),
        references={OLD: 0, C_ON_A: 0, **dict.fromkeys(written, 1)},
        ledger=dict.fromkeys(written, "written"),
        is_held_back=True,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


SOME = frozenset({A_ON_B})
REST = NEW - SOME
AFTER = Aftermath(
    references=GOOD.references,
    told=References(planned=REST, written=REST, failed=NOTHING),
)


def test_what_was_held_back_may_be_missing_where_the_answer_plans_it() -> None:
    """Planned and not written is no loss then; a write that no answer tells of still is wrong."""
    assert verdict(TRUTH, held_back(written=SOME)) == ()
    assert claims(held_back(written=SOME, is_held_back=False)) >= {"no reference is missing"}
    planless = References(planned=SOME, written=SOME, failed=NOTHING)
    assert claims(held_back(written=SOME, sweep=replace(SWEEP, references=planless))) == {
        "no reference is missing"
    }


def test_a_budget_is_kept_to_the_end() -> None:
    """By all runs together, the last one included."""
    assert verdict(TRUTH, held_back(written=SOME, budget=1)) == ()
    assert claims(held_back(written=SOME, budget=0)) == {"the budget is kept"}
    assert "the budget is kept" in claims(held_back(written=SOME, budget=2, aftermath=AFTER))


@pytest.mark.parametrize(
    "after",
    [
        replace(AFTER, told=None),
        replace(AFTER, references={**AFTER.references, A_ON_B: 2}),
        replace(AFTER, references={**AFTER.references, OLD: 1}),
        replace(AFTER, references={OLD: 0, C_ON_A: 0, A_ON_B: 1}),
        replace(AFTER, references={k: n for k, n in AFTER.references.items() if k != OLD}),
        replace(AFTER, told=References(planned=REST, written=SOME, failed=NOTHING)),
    ],
)
def test_what_a_freeze_left_is_written_by_the_next_sweep(after: Aftermath) -> None:
    """All of it, once, and told."""
    assert verdict(TRUTH, held_back(written=SOME, aftermath=AFTER)) == ()
    assert claims(held_back(written=SOME, aftermath=after)) == {"what waited is written later"}


@pytest.mark.parametrize(
    "done",
    [
        None,
        replace(ROLLED_BACK, code=1),
        replace(ROLLED_BACK, code=None),
        replace(ROLLED_BACK, after={**BEFORE, A_ON_B: 1}),
        replace(ROLLED_BACK, after={OLD: 0}),
        replace(ROLLED_BACK, after={OLD: 0, C_ON_A: 1}),
        replace(ROLLED_BACK, ledger=frozenset({A_ON_B})),
        replace(ROLLED_BACK, breaks=("a pack is missing",)),
    ],
)
def test_a_rollback_leaves_what_was_there_before_the_run(done: RolledBack | None) -> None:
    """No more and no less, with an empty ledger, evidence that holds, and exit code 0."""
    claim = "a rollback restores what was there"
    assert claims(replace(GOOD, rolled_back=done)) == {claim}


def test_a_flood_of_contradictions_is_cut_short() -> None:
    """The first few are told, and how many more there are."""
    many = {Wanted("c", "group", f"g{number}"): 1 for number in range(20)}
    wrong = verdict(TRUTH, replace(GOOD, references={**GOOD.references, **many}))
    lines = [line for line in wrong if line.startswith("no reference is uncalled for")]
    assert len(lines) == MAX_TOLD + 1
    assert lines[-1].endswith("and 16 more like these")
