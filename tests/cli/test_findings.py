"""`entra-sod findings`: the same from storage and from a running app."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from entra_sod.cli import explain as explain_command
from entra_sod.cli import findings as command
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.findings_source import ServedFindings, StoredFindings, _id_before
from entra_sod.domain.entra import AccessPackage
from entra_sod.services.findings.query import FindingsQuery
from tests.app import App
from tests.builders import guid
from tests.cli.remote import ADDRESS, BOTH, PACKAGES, RULES, Asked, InMemory
from tests.services.sweeps.test_sweeps import sweep

type MakeApp = type[App]


async def test_a_running_app_tells_the_same_as_its_storage(make_app: MakeApp) -> None:
    """Page after page, with the same filters; one of them with its history."""
    app = make_app(PACKAGES, BOTH, RULES)
    await sweep(app)
    asked = Asked(InMemory(app))
    stored, served = StoredFindings(app.storage), ServedFindings(asked.app)
    query = FindingsQuery(page_size=1)
    found = [each async for each in served.findings(query)]
    assert found == [each async for each in stored.findings(query)]
    assert len(found) == 2
    one = await served.finding(found[0].id)
    assert one == await stored.finding(found[0].id)
    assert one is not None
    assert await served.finding("0" * 32) is None


NAMES = {guid("a"): "Pay invoices", guid("b"): "Approve invoices"}


class NamedFindings(StoredFindings):
    """The findings of a test's app, with names for its packages."""

    async def packages(self) -> Mapping[str, AccessPackage]:
        return {
            key: AccessPackage(id=key, display_name=each, catalog_name="Finance")
            for key, each in NAMES.items()
        }


@pytest.fixture
async def stored(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> App:
    app = make_app(PACKAGES, BOTH, RULES)
    await sweep(app)

    @asynccontextmanager
    async def open_it(_url: str) -> AsyncIterator[StoredFindings]:
        yield NamedFindings(app.storage)

    for each in (command, explain_command):
        monkeypatch.setattr(each, "open_findings", open_it)
    return app


def run(*arguments: str, command: str = "findings") -> tuple[int, str, str]:
    done = CliRunner().invoke(entra_sod, [command, *arguments])
    return done.exit_code, done.stdout, done.stderr


def finding_ids() -> list[str]:
    code, said, _ = run("--format", "json")
    assert code == 0
    return [each["id"] for each in json.loads(said)["findings"]]


@pytest.mark.usefixtures("stored")
def test_findings_are_printed_for_people_and_programs() -> None:
    """Lines, JSON, CSV; one with its history; an unknown one is an error."""
    first, _ = finding_ids()
    assert run("--format", "csv")[1].startswith('"id","rule","severity","state",')
    assert len(run("--state", "open")[1].splitlines()) == 3
    code, said, told = run("--state", "resolved")
    assert (code, said, told) == (0, "", "there are no findings that fit\n")
    code, said, _ = run(first)
    assert (code, json.loads(said)["history"][0]["to"]) == (0, "open")
    assert run("0" * 32)[0] == 1


@pytest.mark.usefixtures("stored")
def test_a_piped_finding_is_one_line_with_names_and_whole_ids() -> None:
    """The names of its packages, and ids that other commands and programs take."""
    head, *lines = run()[1].splitlines()
    cells = dict(zip(head.split("\t"), lines[0].split("\t"), strict=True))
    assert cells["packages"] == "Pay invoices \u00d7 Approve invoices"
    assert cells["package ids"] == f"{guid('a')} {guid('b')}"
    assert cells["finding"] in finding_ids()
    assert (cells["who"], cells["state"]) == ("x", "open")


@pytest.mark.usefixtures("stored")
def test_a_beginning_of_an_id_is_enough() -> None:
    """Findings of one pair begin alike: then the candidates are listed with longer ids."""
    first, second = finding_ids()
    assert first[:8] == second[:8]
    unique = first[: next(n for n in range(32) if first[:n] != second[:n])]
    code, said, _ = run(unique)
    assert (code, json.loads(said)["id"]) == (0, first)
    code, said, told = run(first[:8])
    assert (code, said) == (1, "")
    assert f"2 findings begin with {first[:8]}. Say which one by its id:" in told
    assert f"  {unique}  " in told
    code, _, told = run("not-an-id")
    assert (code, "To list findings: entra-sod findings" in told) == (1, True)
    assert run("ffffffff")[0] == 1


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("package", ["pay INVOICES", guid("a"), guid("a")[:8]])
def test_a_package_is_named_by_name_id_or_short_id(package: str) -> None:
    """A name compares as in rules."""
    assert len(run("--package", package)[1].splitlines()) == 3


@pytest.mark.usefixtures("stored")
def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    """Of packages; a rule of which there is no finding is told in a sentence."""
    code, _, told = run("--package", "Pay invoice")
    assert (code, "Did you mean Pay invoices" in told) == (1, True)
    code, said, told = run("--rule", "unknown")
    assert (code, said, told) == (0, "", "there is no finding of rule unknown that fits.\n")


def test_every_beginning_is_found_behind_the_id_before_it() -> None:
    """The page that begins behind that id has all ids with the beginning, in order."""
    for text in ("0", "00000000", "1", "a0", "ffffffff"):
        before = _id_before(text)
        assert before < text.ljust(32, "0")
        assert not before.startswith(text)


@pytest.mark.usefixtures("stored")
def test_explain_tells_the_life_of_a_finding(tmp_path: Path) -> None:
    """Who, what, the rule, its history and what to do, with addresses to copy."""
    (tmp_path / "rules.yaml").write_text(
        "version: 1\nrules: [{id: r, title: Pay or approve, severity: high, owner: o, "
        "mode: record, advice: Ask the controller., "
        f"between: [{{packages: [{{id: {guid('a')}}}]}}, {{packages: [{{id: {guid('b')}}}]}}]}}]\n"
    )
    first, _ = finding_ids()
    code, said, _ = run(first, "--rules", str(tmp_path), command="explain")
    assert code == 0
    lines = said.splitlines()
    assert lines[0] == f"finding {first}"
    assert "  rule       r: Pay or approve" in lines
    assert "  advice     Ask the controller." in lines
    assert any(each.startswith("  state      open since ") for each in lines)
    assert any("  open  by sweep sweep-" in each for each in lines)
    assert "  Remove the assignment of Pay invoices:" in lines
    [link] = [each for each in lines if each.endswith(f"assignments/entitlementId/{guid('a')}")]
    assert link.startswith("    https://entra.microsoft.com/#view/")
    assert "    entra-sod plan" in lines  # the rule only records


@pytest.mark.usefixtures("stored")
def test_explain_says_where_the_rule_is_not_and_has_json(tmp_path: Path) -> None:
    """Without the rules files everything else is told."""
    first, _ = finding_ids()
    said = run(first, "--rules", str(tmp_path), command="explain")[1]
    assert f"  rule       r (not in {tmp_path})" in said.splitlines()
    told = json.loads(run(first, "--format", "json", command="explain")[1])
    assert told["finding"]["id"] == first
    assert told["names"] == NAMES
    assert told["next"][1]["what"] == "Remove the assignment of Pay invoices:"


@pytest.mark.usefixtures("stored")
def test_a_filter_that_cannot_be_is_an_error() -> None:
    """It is named, and nothing is listed."""
    code, said, wrong = run("--state", "gone")
    assert (code, said) == (1, "")
    assert "state has no value 'gone'" in wrong
    assert ADDRESS not in wrong
