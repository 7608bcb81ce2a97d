"""A finding is called the same by every run, whatever Graph shows of its subject."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.detection.join import DetectedConflict
from entra_sod.domain.entra import Subject
from entra_sod.domain.findings.lifecycle import Present, RunContext, decide_next
from entra_sod.domain.findings.model import ChangeSource, Finding, FindingNames
from entra_sod.domain.findings.observe import observed_conflicts
from tests.builders import guid, rule, side

RULE = rule("r", side("a"), side("b"))
OBJECT = guid("0b")
# What becomes of the subject before a look: its id changes, and Graph shows its object id or not.
LOOKS = st.lists(st.sampled_from(["shown", "delivering", "new id", "new id again"]), max_size=6)


def look(known: Finding | None, subject: Subject, number: int) -> Finding:
    """Look once, with what is stored; return what is stored then."""
    conflict = DetectedConflict(rules=[RULE], packages=[guid("a"), guid("b")], subject=subject)
    [seen] = observed_conflicts(conflict, FindingNames.of([known] if known else []))
    if known:
        assert seen.id == known.id
    context = RunContext(
        by=ChangeSource.SWEEP,
        run=f"run-{number}",
        at=f"2026-01-{number + 1:02}T02:00:00Z",
        rules_hash="hash",
    )
    found = decide_next(known, Present(seen, None), context, salt="5a17")
    assert found is not None
    return found


@given(first=st.sampled_from([OBJECT, None]), looks=LOOKS)
def test_a_finding_keeps_its_name(first: str | None, looks: list[str]) -> None:
    """An id that changes is known by the object id, once Graph has shown that."""
    subject = Subject(id=guid("5b"), object_id=first)
    found = look(None, subject, 0)
    for number, what in enumerate(looks, 1):
        if what.startswith("new id") and found.object_id:
            subject = Subject(id=guid(f"5b{number}{len(what)}"), object_id=OBJECT)
        else:
            shown = None if what == "delivering" else OBJECT
            subject = Subject(id=subject.id, object_id=shown)
        found = look(found, subject, number)


@given(shown=st.lists(st.sampled_from([OBJECT, None]), min_size=2, max_size=4))
def test_runs_that_know_nothing_of_each_other_name_a_finding_alike(
    shown: list[str | None],
) -> None:
    """Each has read the findings before the others wrote; Graph shows them more or less."""
    found = [look(None, Subject(id=guid("5b"), object_id=each), 0) for each in shown]
    assert len({each.id for each in found}) == 1
