"""A short run of the rules files of `make fuzz`."""

from __future__ import annotations

from tests.fuzz.rules_files import find_failures, generate


def test_generated_rules_files_have_an_answer() -> None:
    """No traceback, one line for each mistake, the same answer alone and beside another mistake."""
    assert list(find_failures(200, seed=1)) == []


def test_a_seed_gives_the_same_file() -> None:
    """What fails can be repeated, and files differ."""
    assert generate(7) == generate(7)
    assert len({generate(seed) for seed in range(50)}) > 40
