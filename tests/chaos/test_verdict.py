"""The verdict, on made-up runs: a good one passes, and each kind of loss or doubling does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.found import (
    CheckAnswer,
    Found,
    Gap,
    Letter,
    Parts,
    References,
    Seen,
    SweepAnswer,
)
from tests.chaos.truth import Truth, Wanted
from tests.chaos.verdict import MOST_TOLD, verdict

A_ON_B, B_ON_A = Wanted("a", "package", "b"), Wanted("b", "package", "a")
A_ON_C, C_ON_A = Wanted("a", "package", "c"), Wanted("c", "package", "a")
OLD = Wanted("c", "group", "g")
TRUTH = Truth(
    conflicts={
        ("a", "b"): frozenset({"x", "y"}),
        ("a", "c"): frozenset(),
        ("b", "z"): frozenset({"x"}),
    },
    unreadable=frozenset({"z"}),
    desired=frozenset({A_ON_B, B_ON_A, A_ON_C, C_ON_A}),
    asked_by={
        A_ON_B: frozenset({("a", "b")}),
        B_ON_A: frozenset({("a", "b")}),
        A_ON_C: frozenset({("a", "c")}),
        C_ON_A: frozenset({("a", "c")}),
    },
    present=frozenset({OLD, C_ON_A}),
    holders={"a": frozenset({"x", "y"}), "b": frozenset({"x", "y"}), "c": frozenset()},
)
NEW = frozenset({A_ON_B, B_ON_A, A_ON_C})
NOTHING = frozenset[Wanted]()
SWEEP = SweepAnswer(
    status="completed-with-gaps",
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
GOOD = Found(
    sweep=SWEEP,
    checks=(CHECK,),
    references={OLD: 0, C_ON_A: 0, A_ON_B: 1, B_ON_A: 1, A_ON_C: 1},
    ledger=dict.fromkeys(NEW, "written"),
    queues={"sweep-pairs": 0, "sweep-pairs-poison": 0},
    letters=(),
    parts=Parts(total=2, done=frozenset({0, 1})),
)


def sweep(**changes: object) -> Found:
    return replace(GOOD, sweep=replace(SWEEP, **changes))  # type: ignore[arg-type]


def pair(*ids: str, says: Seen) -> Found:
    return sweep(pairs={**SWEEP.pairs, (ids[0], ids[1]): says})


def check(**changes: object) -> Found:
    return replace(GOOD, checks=(replace(CHECK, **changes),))  # type: ignore[arg-type]


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
        (sweep(gaps=()), "every gap is reported"),
        (sweep(status="completed"), "every gap is reported"),
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


LETTER = Letter(queue="sweep-pairs", reason="no luck", message='{"pairs": [["a", "b"]]}')


def given_up(*, why: str) -> Found:
    """A run in which the message about a and b was given up, and its references never written."""
    lost = {A_ON_B, B_ON_A}
    written = NEW - lost
    return replace(
        GOOD,
        sweep=replace(
            SWEEP,
            pairs={**SWEEP.pairs, ("a", "b"): Seen("unknown", 0)},
            references=References(planned=written, written=written, failed=NOTHING),
            gaps=(*SWEEP.gaps, Gap("part 0 of the sweep", why)),
        ),
        references={k: n for k, n in GOOD.references.items() if k not in lost},
        ledger=dict.fromkeys(written, "written"),
        letters=(LETTER,),
    )


def test_what_was_given_up_may_be_unknown_where_the_answer_says_why() -> None:
    """With a dead letter and its reason in the coverage, a pair and its references may be open."""
    assert verdict(TRUTH, given_up(why="no luck")) == ()


def test_what_was_given_up_in_silence_is_a_gap_not_told() -> None:
    """The dead letter alone does not do."""
    (wrong,) = verdict(TRUTH, given_up(why="something else"))
    assert wrong.startswith("every gap is reported")


def test_without_its_dead_letter_nothing_is_excused() -> None:
    """A pair that is unknown for no reason is untrue, and its references are missing."""
    wrong = verdict(TRUTH, replace(given_up(why="no luck"), letters=()))
    claims = {line.split(":")[0] for line in wrong}
    assert claims == {"pairs are found as they are", "no reference is missing"}


def test_a_check_that_was_given_up_says_the_reason_of_its_letter() -> None:
    """Then it may have failed."""
    failed = check(status="failed", seen=Seen("unknown", 0), gaps=(Gap("the check", "no luck"),))
    letter = Letter(queue="conflict-checks", reason="no luck", message='{"id": "check-1"}')
    assert verdict(TRUTH, replace(failed, letters=(letter,))) == ()


def test_a_flood_of_contradictions_is_cut_short() -> None:
    """The first few are told, and how many more there are."""
    many = {Wanted("c", "group", f"g{number}"): 1 for number in range(20)}
    wrong = verdict(TRUTH, replace(GOOD, references={**GOOD.references, **many}))
    lines = [line for line in wrong if line.startswith("no reference is uncalled for")]
    assert len(lines) == MOST_TOLD + 1
    assert lines[-1].endswith("and 16 more like these")
