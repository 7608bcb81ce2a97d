"""Plans and approvals of rules by what packages grant, and what is not known of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from entra_sod.cli import selection as commands
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.plan import make
from entra_sod.cli.session import Session
from entra_sod.core.errors import Forbidden
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.rules.language import Side
from entra_sod.services.rules.selections import review_selections
from tests.builders import guid, package, rule
from tests.cli.tenant import QUIET, Tenant

NO = Forbidden("403 no", status=403)


def by_group(name: str) -> Side:
    return Side(grants=[GrantSelector(group=UUID(guid(name)))])


class Granting(Tenant):
    """The package a grants group 1, and b grants group 2, against which it is kept apart."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.write_rules(rule("r", by_group("1"), by_group("2")))
        self.graph.put(package("a", "1"))
        self.graph.put(package("b", "2"))


@pytest.fixture
def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Granting:
    found = Granting(tmp_path)

    @asynccontextmanager
    async def open_session() -> AsyncIterator[Session]:
        yield found.session

    monkeypatch.setattr(commands, "open_session", open_session)
    return found


async def test_a_plan_asks_for_the_references_of_packages_by_grants(tenant: Granting) -> None:
    """On both packages, to each other and to their groups, as for a rule that names them."""
    plan, _ = await make(tenant.session, tenant.folder, QUIET)
    found = {(each.reference.on, each.reference.target) for each in plan.additions}
    assert found == {
        (guid("a"), guid("b")),
        (guid("b"), guid("a")),
        (guid("a"), guid("2")),
        (guid("b"), guid("1")),
    }
    assert plan.not_read == ()


async def test_a_plan_says_what_is_not_known_and_removes_nothing(tenant: Granting) -> None:
    """A package with unreadable grants may need a reference that no other package needs."""
    old = Reference(guid("a"), ReferenceKind.GROUP, guid("9"))
    await tenant.is_written(old)
    plan, _ = await make(tenant.session, tenant.folder, QUIET)
    assert plan.removals == (old,)
    tenant.graph.hidden_grants[guid("b")] = NO
    plan, _ = await make(tenant.session, tenant.folder, QUIET)
    assert plan.removals == ()
    assert any("by what they grant: 403 no" in each.why for each in plan.not_read)


async def test_nothing_is_approved_while_grants_are_not_known(tenant: Granting) -> None:
    """What is not known would be taken for what left."""
    store = tenant.session.selections
    assert store is not None
    rules = (await tenant.session.rules(tenant.folder)).rules
    await review_selections(store, rules, {}, by="first seen by sweep x")
    tenant.graph.hidden_grants[guid("b")] = NO
    words = ["selection", "approve", "--yes", "--rules", str(tenant.folder)]
    done = await asyncio.to_thread(CliRunner().invoke, entra_sod, words)
    assert done.exit_code == 1
    assert "would be taken for one that left" in " ".join(done.stderr.split())
