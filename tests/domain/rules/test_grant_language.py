"""Entries of `grants` in rules files: what is taken, and each mistake at its place."""

from __future__ import annotations

import pytest

from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import read_rules
from tests.builders import guid

HEAD = f"""\
version: 1
rules:
  - id: r
    title: One
    severity: high
    owner: o@example.com
    mode: record
    between:
      - packages: [{{id: {guid("a")}}}]
      - grants:
          - """
GROUP = guid("9")


def problems(entry: str, head: str = HEAD) -> list[str]:
    found = read_rules([SourceFile("r.yaml", head + entry + "\n")]).problems
    return [f"{each.line}:{each.column} {each.message}" for each in found]


@pytest.mark.parametrize(
    "entry",
    [
        f"group: {GROUP}",
        f"{{group: {GROUP}, kind: owner}}",
        "{app: Payments, role: Post payments}",
        "{site: 'https://contoso.sharepoint.com/sites/ap', role: Owners}",
        "{directoryRole: Billing Administrator, kind: any}",
        "{azureRole: Contributor, scope: /subscriptions/1, kind: eligible}",
    ],
)
def test_each_form_is_taken(entry: str) -> None:
    """The forms of docs/explanation/rule-language.md have no mistake."""
    assert problems(entry) == []


@pytest.mark.parametrize(
    ("entry", "where", "message"),
    [
        ("{}", "11:13", "selects nothing: give group, app, site, directoryRole or azureRole"),
        ("{role: Post}", "11:13", "selects nothing: give group"),
        (f"{{group: {GROUP}, app: Pay}}", "11:13", "has group and app: give exactly one of"),
        (f"{{group: {GROUP}, role: x}}", "11:", "role does not go with group"),
        ("{app: Pay, scope: /s}", "11:", "scope does not go with app: only an azureRole has it"),
        ("{app: Pay, kind: active}", "11:", "kind does not go with app"),
        (f"{{group: {GROUP}, kind: active}}", "11:", "must be member, owner, eligible or any for"),
        ("{directoryRole: X, kind: owner}", "11:", "must be active, eligible or any for directory"),
        ("{directoryRole: X, kind: elegible}", "11:", "did you mean eligible?"),
        (
            "{azureRole: X, scope: subscriptions/1}",
            "11:",
            "scope is no Azure scope: it begins",
        ),
        ("{site: contoso/sites/ap}", "11:", "site is no address of a site"),
        ("{app: ' '}", "11:", "app is blank"),
        ("{group: Payers}", "11:", "group must be a GUID"),
        ("{grup: x}", "11:", "grup is not known here; did you mean group?"),
    ],
)
def test_each_mistake_stands_at_its_place(entry: str, where: str, message: str) -> None:
    """With the line and column of the entry or its field, what is wrong and what to do."""
    (found,) = problems(entry)
    assert found.startswith(where)
    assert message in found


def test_alike_needs_packages() -> None:
    """A side of groups has no packages to compare with others."""
    head = HEAD.replace("- grants:\n          - ", f"- groups: [{{id: {GROUP}}}]\n        ")
    (found,) = problems("alike: true", head)
    assert found.startswith("11:16 between.1.alike compares what packages grant") or (
        "alike compares what packages grant" in found
    )


def test_protected_takes_no_grants() -> None:
    """What is protected is named by packages and groups."""
    (found,) = problems("", HEAD.partition("rules:")[0] + "protected: {grants: []}")
    assert "protected.grants is not known here" in found


def test_classes_and_sets_take_grants() -> None:
    """A mistake in them is named as in a side."""
    text = "version: 1\nclasses: {pay: {grants: [{}]}}\n"
    (found,) = problems("", text)
    assert found.startswith("2:26 classes.pay.grants.0 selects nothing")
    text = HEAD.partition("    between:")[0] + "    atMost: {count: 1, grants: [{kind: any}]}"
    (found,) = problems("", text)
    assert "atMost.grants.0 selects nothing" in found
