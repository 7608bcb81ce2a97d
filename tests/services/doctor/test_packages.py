"""Packages that pass rules by: the doctor names them as the newest sweep saw them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Override
from entra_sod.services.doctor.diagnosis import Diagnosis
from entra_sod.services.doctor.evaluate_packages import MAX_NAMED
from entra_sod.services.doctor.run import DiagnosticContext, run_diagnostics
from tests.app import App
from tests.builders import guid, held, package, rule, side
from tests.services.sweeps.test_sweeps import MakeApp, sweep

RULES = [rule("r", side("a"), side("b"))]


async def diagnosed(app: App) -> Mapping[str, Diagnosis]:
    context = DiagnosticContext(clock=app.clock, storage=app.storage)
    found = await run_diagnostics(context)
    return {each.what: each for each in found if each.what.startswith("rules: ")}


def tenant(*more: AccessPackage) -> list[AccessPackage]:
    return [package("a", "1"), package("b", "2"), *more]


async def test_toxic_packages_and_overlaps_are_noted(make_app: MakeApp) -> None:
    """With the holders, and what to do."""
    app = make_app(tenant(package("c", "1", "2"), package("d", "2")), {"c": held("c", "z")}, RULES)
    assert await diagnosed(app) == {}
    await sweep(app)
    lines = await diagnosed(app)
    toxic = lines[f"rules: toxic: access package {guid('c')} (Package c)"]
    assert (toxic.result, "1 hold it" in toxic.detail) == ("note", True)
    assert "Split the package" in toxic.advice
    overlap = lines[f"rules: overlap: access package {guid('d')} (Package d)"]
    assert guid("b") in overlap.detail


async def test_an_override_is_told(make_app: MakeApp) -> None:
    """The package is toxic on purpose."""
    app = make_app(tenant(package("c", "1", "2")), {}, RULES)
    app.rules.write(RULES, overrides=[Override(rule="r", package=UUID(guid("c")), max_days=14)])
    await sweep(app)
    [line] = (await diagnosed(app)).values()
    assert "an override allows it for at most 14 days" in line.detail


async def test_without_any_it_says_so(make_app: MakeApp) -> None:
    """The line is there in any case, once a sweep was closed."""
    app = make_app(tenant(), {}, RULES)
    await sweep(app)
    [line] = (await diagnosed(app)).values()
    assert line.result == "ok"


async def test_of_many_the_first_are_named(make_app: MakeApp) -> None:
    """The rest is counted."""
    more = [package(f"c{number}", "1", "2") for number in range(MAX_NAMED + 2)]
    app = make_app(tenant(*more), {}, RULES)
    await sweep(app)
    lines = await diagnosed(app)
    assert len(lines) == MAX_NAMED + 1
    assert lines["rules: toxic"].detail == "2 more"
