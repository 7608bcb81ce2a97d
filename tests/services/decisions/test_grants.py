"""Decisions by what packages grant: a legacy package is no way past a rule."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from entra_sod.core.errors import Forbidden
from entra_sod.domain.entra import Subject
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.rules.language import Rule, Side
from tests.app import App
from tests.builders import guid, package, rule, side
from tests.services.decisions.test_decisions import ANN, MakeApp, ask, holds

# A holder of P ("a") asks for L ("c"), which grants what D ("d") grants.
PACKAGES = [package("a", "1"), package("d", "2"), package("c", "2"), package("e", "3")]


def by_group(name: str) -> Side:
    return Side(grants=[GrantSelector(group=UUID(guid(name)))])


BY_GRANTS = rule("r", by_group("1"), by_group("2"))
ALIKE = rule("r", side("a"), msgspec.structs.replace(side("d"), alike=True))


def made(make_app: MakeApp, wanted: Rule) -> App:
    app = make_app(PACKAGES, {"a": [holds("a", ANN)]}, [wanted])
    app.graph.whole_tenant = True
    app.graph.newcomers = [Subject(id=f"s-{ANN}", object_id=ANN)]
    return app


@pytest.mark.parametrize("wanted", [BY_GRANTS, ALIKE], ids=["grants", "alike"])
async def test_a_legacy_package_is_denied(make_app: MakeApp, wanted: Rule) -> None:
    """As the package whose duty it grants; a package with another duty is allowed."""
    made(make_app, wanted)
    assert [(await ask(each))["decision"] for each in "cde"] == ["deny", "deny", "allow"]


@pytest.mark.parametrize("wanted", [BY_GRANTS, ALIKE], ids=["grants", "alike"])
async def test_nothing_is_allowed_while_grants_are_not_known(
    make_app: MakeApp, wanted: Rule
) -> None:
    """The package whose grants cannot be read may be on a side, and a person looks."""
    app = made(make_app, wanted)
    app.graph.hidden_grants[guid("e")] = Forbidden("403 no", status=403)
    answer = await ask("e")
    assert answer["decision"] == "review"
    assert any(guid("e") in each["what"] for each in answer["coverage"]["skipped"])
    assert (await ask("d"))["decision"] == "deny"
