"""A check of a pair of which one package meets the rule by itself."""

from __future__ import annotations

from tests.builders import guid, held, package, rule, side
from tests.services.sweeps.test_sweeps import MakeApp

RULES = [rule("r", side("a"), side("b"))]


async def test_a_toxic_package_of_the_pair_is_named(make_app: MakeApp) -> None:
    """The pair is clear, and the holders of the one package are in conflict all the same."""
    app = make_app([package("a", "1", "2"), package("b", "2")], {"a": held("a", "z")}, RULES)
    answer = await app.check("a", "b")
    assert answer["outcome"] == "clear"
    [gap] = [each for each in answer["coverage"]["skipped"] if guid("a") in each["what"]]
    assert gap["what"] == f"who holds access package {guid('a')} (Package a)"
    assert "a sweep for these" in gap["why"]


async def test_a_pair_that_tells_both_sides_apart_has_no_such_note(make_app: MakeApp) -> None:
    """What both grant alike counts for nothing."""
    app = make_app([package("a", "1", "9"), package("b", "2", "9")], {}, RULES)
    answer = await app.check("a", "b")
    assert "who holds" not in str(answer["coverage"]["skipped"])
