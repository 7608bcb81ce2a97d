"""Entries of `grants` that no package grants: what is said of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec
import pytest

from entra_sod.cli.operations.rules.lint import lint
from entra_sod.core.errors import Forbidden
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.grants import GrantIndex
from entra_sod.domain.rules.parse import read_rules
from entra_sod.domain.rules.resolve import Tenant
from tests.builders import guid, package
from tests.domain.rules.test_grants import ALL, SCOPE

DAY = date(2026, 6, 1)
HEAD = f"""\
version: 1
rules:
  - id: r
    title: One
    severity: high
    owner: o@example.com
    mode: record
    between:
      - packages: [{{id: {guid("f")}}}]
      - grants:
          - """


def warnings(entry: str, unread: Sequence[str] = ()) -> list[str]:
    parsed = read_rules([SourceFile("r.yaml", f"{HEAD}{entry}\n")])
    assert not parsed.problems
    granted = {guid(name): (grant,) for name, grant in ALL.items()} | {guid("f"): ()}
    index = GrantIndex(granted, {guid(each): Forbidden("no", status=403) for each in unread})
    tenant = Tenant([package(each) for each in [*ALL, "f"]], grants=index)
    return [str(each) for each in lint(parsed, DAY, tenant)]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{app: Paymnets}", "grants.0.app Paymnets is granted by no access package that this"),
        ("{app: Paymnets}", "did you mean Payments?"),
        ("{app: Payments, role: Post payment}", "did you mean Post payments?"),
        ("{app: Payments, role: Payments.Post}", "Packages grant of it: Post payments. Graph"),
        ("{app: Payments, role: Payments.Post}", "and not the value of an app role"),
        ("{directoryRole: Billing Admin}", "did you mean Billing Administrator?"),
        ("{azureRole: Contributer}", "did you mean Contributor?"),
        (f"{{azureRole: Contributor, scope: {SCOPE}s}}", "grants.0.scope has no grant of"),
        ("{site: 'https://contoso.sharepoint.com/sites/app'}", "/sites/ap?"),
        (f"{{group: {guid('8')}}}", "grants.0.group 88888888-0000-0000-0000-000000000000 is grant"),
    ],
)
def test_an_entry_that_selects_nothing_is_a_warning_with_the_nearest_name(
    entry: str, words: str
) -> None:
    """Beside it stands only that the rule keeps nothing apart, as without the entry."""
    found = [each for each in warnings(entry) if ": warning: " in each]
    assert len(found) == 1
    assert words in found[0]
    assert found[0].startswith("r.yaml:11:")


def test_a_grant_of_another_kind_is_told() -> None:
    """The group has no active member by a package, but an eligible one."""
    grants = {guid("a"): (ALL["2"],), guid("f"): ()}
    parsed = read_rules([SourceFile("r.yaml", f"{HEAD}{{group: {guid('9')}}}\n")])
    tenant = Tenant([package("a"), package("f")], grants=GrantIndex(grants))
    (found,) = [str(each) for each in lint(parsed, DAY, tenant) if each.is_warning]
    assert "is granted as member by no access package, but as eligible: give a kind" in found


def test_a_rule_keeps_something_apart_as_far_as_is_known() -> None:
    """While a package may be on the side, no problem says that there is no pair."""
    entry = f"{{group: {guid('8')}}}"
    assert any("keeps nothing apart" in each for each in warnings(entry))
    assert not any("keeps nothing apart" in each for each in warnings(entry, unread=["a"]))


def test_without_grants_read_nothing_is_said() -> None:
    """Offline it is not known who grants what."""
    parsed = read_rules([SourceFile("r.yaml", f"{HEAD}{{app: Unheard}}\n")])
    assert lint(parsed, DAY, None) == []


def test_many_long_names_are_compared_within_limits() -> None:
    """Looking for the nearest name stays within a limited number of comparisons."""
    grant = ALL["3"]
    grants = {
        str(UUID(int=number)): (
            msgspec.structs.replace(grant, resource=str(number), resource_name=f"{number}" * 300),
        )
        for number in range(5_000)
    }
    entry = f"{{app: '{'9' * 500}'}}"
    parsed = read_rules([SourceFile("r.yaml", f"{HEAD}{entry}\n")])
    tenant = Tenant([package("f")], grants=GrantIndex({**grants, guid("f"): ()}))
    (found,) = [str(each) for each in lint(parsed, DAY, tenant) if each.is_warning]
    assert len(found) < 500
