"""A plan in a file: bounded, and refused if it was edited."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from entra_sod.cli.operations import plan_file
from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.cli.operations.plan_file import PlanRefused, load_plan, save_plan
from entra_sod.cli.operations.plan_review import PlanSource, review_plan
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide
from entra_sod.domain.rules.ruleset import RuleSet
from tests.builders import guid, package, rule, rule_set, side

A, B = guid("a"), guid("b")
MADE_AT = "2026-01-01T00:00:00Z"
MAX_MEGABYTES = 5


def small_plan() -> PlanDocument:
    state = TenantState(
        packages={A: package("a", "1"), B: package("b", "2")},
        present=frozenset([Reference(A, ReferenceKind.GROUP, guid("f"))]),
        holders={A: frozenset("xy"), B: frozenset("yz")},
    )
    rules = rule_set(rule("r", side("a"), side("b")))
    return PlanSource(rules=rules, state=state).plan(MADE_AT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    save_plan(small_plan(), path)
    return path


def test_a_plan_survives_its_file(file: Path) -> None:
    """What is saved is read back as the same plan, with a digest of its own."""
    loaded = load_plan(file)
    assert loaded.digest.startswith("sha256:")
    assert msgspec.structs.replace(loaded, digest="") == small_plan()


def test_a_file_may_be_formatted_anew(file: Path) -> None:
    """The digest is of what the plan says, not of blanks."""
    file.write_text(json.dumps(json.loads(file.read_text()), indent=4))
    assert load_plan(file).writes == 4


def first(plan: dict[str, Any]) -> dict[str, Any]:
    addition: dict[str, Any] = plan["additions"][0]
    return addition


def widest(plan: dict[str, Any]) -> dict[str, Any]:
    """The addition that keeps most subjects away."""
    addition: dict[str, Any] = max(plan["additions"], key=lambda each: each["keptFromGetting"])
    return addition


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a smaller figure": lambda plan: widest(plan).update(keptFromGetting=0),
    "a larger figure": lambda plan: first(plan).update(keptFromGetting=999),
    "a negative figure": lambda plan: first(plan).update(keptFromRenewing=-1),
    "a figure as text": lambda plan: first(plan).update(keptFromGetting="1"),
    "a broken figure": lambda plan: first(plan).update(keptFromGetting=1.5),
    "a figure beyond all": lambda plan: first(plan).update(keptFromGetting=10**30),
    "no figure": lambda plan: first(plan).pop("keptFromGetting"),
    "a figure that is no number": lambda plan: first(plan).update(keptFromGetting=float("nan")),
    "a figure of the rule": lambda plan: plan["byRule"][0].update(keptFromGetting=0),
    "a figure of the plan": lambda plan: plan["figures"].update(additions=1),
    "known though unknown": lambda plan: first(plan).update(isWhole=True),
    "a reference more": lambda plan: plan["additions"].append(first(plan)),
    "a reference less": lambda plan: plan["additions"].pop(),
    "a shortly named reference": lambda plan: plan["moreAdditions"].update({A: {"group": [B]}}),
    "another rule": lambda plan: first(plan).update(rules=["harmless"]),
    "a younger plan": lambda plan: plan.update(madeAt="2026-06-01T00:00:00Z"),
    "a moment of no zone": lambda plan: plan.update(madeAt="2026-01-01T00:00:00"),
    "no moment": lambda plan: plan.update(madeAt="yesterday"),
    "another maker": lambda plan: plan.update(madeBy="the boss"),
    "another version": lambda plan: plan.update(version=2),
    "a field of its own": lambda plan: plan.update(approved=True),
    "no digest": lambda plan: plan.pop("digest"),
}


@pytest.mark.parametrize("edit", list(EDITS))
def test_an_edited_file_is_refused(file: Path, edit: str) -> None:
    """G2: whatever was changed, and the words say what to do."""
    plan = json.loads(file.read_text())
    EDITS[edit](plan)
    file.write_text(json.dumps(plan))
    with pytest.raises(PlanRefused) as refused:
        load_plan(file)
    assert "entra-sod plan --out" in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"version":1,"packages":' + b"[" * 100_000]
)
def test_what_is_no_plan_is_refused(file: Path, content: bytes) -> None:
    """Nothing, something else, and what would break a reader."""
    file.write_bytes(content)
    with pytest.raises(PlanRefused, match="is no plan of this version"):
        load_plan(file)


def test_a_figure_with_a_new_digest_is_not_its_own_either(file: Path) -> None:
    """G2: the figures are added up again when the file is read."""
    plan = load_plan(file)
    wrong = msgspec.structs.replace(plan.figures, kept_from_getting=0)
    save_plan(msgspec.structs.replace(plan, figures=wrong), file)
    with pytest.raises(PlanRefused, match="not its own"):
        load_plan(file)


def test_a_file_that_is_far_too_long_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not read to its end."""
    monkeypatch.setattr(plan_file, "MAX_BYTES", 100)
    with pytest.raises(PlanRefused):
        load_plan(file)


def an_id(number: int) -> str:
    return f"{number * 2654435761 % 2**32:08x}-{number:04x}-4000-8000-{number * 40503:012x}"


def resolved(rule_id: str, *sides: list[str]) -> ResolvedRule:
    found = tuple(ResolvedSide(frozenset(each), frozenset()) for each in sides)
    return ResolvedRule(rule=rule(rule_id), sides=found)


def large_source(*, rules_of_one_pair: bool) -> PlanSource:
    """10,000 pairs of 200 packages, each of which grants a group; all are found in conflict."""
    ids = [an_id(number) for number in range(1, 201)]
    names = "Zahlungen größer als hunderttausend freigeben"
    packages = {
        key: AccessPackage(
            id=key, display_name=names, member_groups=frozenset([an_id(number + 1000)])
        )
        for number, key in enumerate(ids)
    }
    pairs = [([low], [high]) for low in ids[:100] for high in ids[100:]]
    sides = pairs if rules_of_one_pair else [(ids[:100], ids[100:])]
    people = frozenset(an_id(number) for number in range(5000, 5030))
    return PlanSource(
        rules=RuleSet(
            resolved(f"segregation-of-duties-{number:05}", *each)
            for number, each in enumerate(sides)
        ),
        state=TenantState(
            packages=packages, present=frozenset(), holders=dict.fromkeys(ids, people)
        ),
    )


@pytest.mark.slow
@pytest.mark.parametrize("rules_of_one_pair", [True, False])
def test_a_file_of_10_000_pairs_is_bounded(tmp_path: Path, *, rules_of_one_pair: bool) -> None:
    """At most 5 MB for 40,000 references, all of which are in it; what it lacks is counted."""
    path, source = tmp_path / "plan.json", large_source(rules_of_one_pair=rules_of_one_pair)
    made = source.plan(MADE_AT)
    plan = msgspec.structs.replace(made, holders_hash=source.state.holders_hash)
    save_plan(plan, path)
    assert len(plan.additions) == 40_000
    assert path.stat().st_size <= MAX_MEGABYTES * 10**6
    loaded = load_plan(path)
    assert loaded.added == plan.added
    assert (loaded.figures, loaded.by_rule) == (plan.figures, plan.by_rule)
    assert loaded.left_out["in_conflict"] == 40_000 * 30 - plan_file.MAX_SUBJECTS_NAMED
    assert review_plan(loaded, source, plan, allowed=0).refused == []
