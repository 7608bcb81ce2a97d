"""`GET /api/rules` and `GET /api/exceptions`."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from msgspec.structs import replace

from entra_sod.core.errors import Unavailable
from entra_sod.domain.rules.language import (
    FrameworkClause,
    Mode,
    PackageSelector,
    Rule,
    Side,
)
from entra_sod.services.rules import overview
from tests.app import App, body_of
from tests.builders import at_most, exception, guid, held, package, requires, rule, side
from tests.functions.asking import ask, get, problem
from tests.services.sweeps.test_sweeps import sweep

type MakeApp = type[App]

PAY = msgspec.structs.replace(
    rule("pay", side("a"), side("bc")),
    process="Procure to pay",
    tags=["sox"],
    frameworks=[FrameworkClause(id="SOX", ref="404")],
    owners=["deputy@example.com"],
    advice="Give one back",
)
WARN = rule("warn", side("a"), side("c"), mode=Mode.WARN)
MANY = at_most("many", 2, "abc")
RULES = [PAY, WARN, MANY]
PACKAGES = [package("a", "1"), package("b", "2"), package("c", "3"), package("d")]
HELD = {"a": held("a", "xy"), "b": held("b", "yz"), "c": held("c", "z")}


def made(make_app: MakeApp, rules: list[Rule] = RULES, **settings: str) -> App:
    return make_app(PACKAGES, HELD, rules, **settings)


async def rules(**params: str) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in (await get("rules", **params))["rules"]}


async def enforcement(name: str) -> tuple[str, str]:
    found = (await rules())[name]["enforcement"]
    return found["state"], found["text"]


class TestRules:
    async def test_a_rule_is_shown_as_it_is_in_force(self, make_app: MakeApp) -> None:
        """With what it selects by name, its pairs, its findings, and how far Entra enforces it."""
        await sweep(made(make_app, ENFORCEMENT="apply"))
        page = await get("rules")
        assert (page["total"], page["more"], page["problem"], page["gaps"]) == (3, False, None, [])
        pay = page["rules"][1]
        version = pay.pop("version")
        assert version.startswith("sha256:")
        assert pay == {
            "id": "pay",
            "title": "Rule pay",
            "severity": "high",
            "mode": "enforce",
            "owner": "owner@example.com",
            "owners": ["deputy@example.com"],
            "process": "Procure to pay",
            "tags": ["sox"],
            "frameworks": ["SOX 404"],
            "control": None,
            "advice": "Give one back",
            "form": "between",
            "allowed": 1,
            "foundOnly": False,
            "sides": [
                {
                    "packages": [{"id": guid("a"), "name": "Package a"}],
                    "packageCount": 1,
                    "groups": [],
                    "every": False,
                },
                {
                    "packages": [
                        {"id": guid("b"), "name": "Package b"},
                        {"id": guid("c"), "name": "Package c"},
                    ],
                    "packageCount": 2,
                    "groups": [],
                    "every": False,
                },
            ],
            "pairs": 2,
            "enforcement": {
                "state": "both-ways",
                "text": "refused by Entra both ways",
                "wanted": 8,
                "missing": 0,
                "held": 0,
                "why": "",
            },
            "gaps": [],
            "findings": 1,
            "exceptions": 0,
        }

    async def test_the_version_changes_with_what_is_written(self, make_app: MakeApp) -> None:
        """And with nothing else."""
        app = made(make_app)
        before = (await rules())["pay"]["version"]
        await sweep(app)
        assert (await rules())["pay"]["version"] == before
        app.rules.write([msgspec.structs.replace(PAY, advice="Give the other back")])
        app.clock.advance(120)
        assert (await rules())["pay"]["version"] != before

    async def test_a_rule_that_was_not_looked_at_has_no_count(self, make_app: MakeApp) -> None:
        """Null, and a gap; 0 would say that it is clear."""
        app = made(make_app)
        for found in (await rules()).values():
            assert found["findings"] is None
            assert "no sweep with these rules" in found["gaps"][0]["why"]
        await sweep(app)
        assert [each["findings"] for each in (await rules()).values()] == [0, 1, 0]
        assert all(not each["gaps"] for each in (await rules()).values())

    async def test_rules_that_have_changed_are_not_checked(self, make_app: MakeApp) -> None:
        """Findings that stand are counted all the same."""
        app = made(make_app)
        await sweep(app)
        app.rules.write([PAY, WARN, MANY, rule("new", side("a"), side("d"))])
        app.clock.advance(120)
        found = await rules()
        counts = {name: each["findings"] for name, each in found.items()}
        assert counts == {"many": None, "new": None, "pay": 1, "warn": None}
        assert found["pay"]["enforcement"]["state"] == "not-known"

    async def test_a_rule_that_was_read_in_part_says_so(self, make_app: MakeApp) -> None:
        """What is known is counted, and what is not is a gap."""
        app = made(make_app, [PAY, at_most("set", 1, "acd"), MANY], ENFORCEMENT="apply")
        app.graph.unreadable.add(guid("c"))
        await sweep(app)
        found = await rules()
        assert (found["pay"]["findings"], found["many"]["findings"]) == (1, None)
        assert found["pay"]["gaps"][0]["what"] == "1 of 2 pairs of rule pay"
        enforced = found["pay"]["enforcement"]
        assert (enforced["state"], "could not be read" in enforced["why"]) == ("in-part", True)

    async def test_what_is_only_planned_is_not_enforced(self, make_app: MakeApp) -> None:
        """Nothing was written, so Entra refuses nothing."""
        await sweep(made(make_app, ENFORCEMENT="plan"))
        expected = ("plan-only", "plan only: 8 of 8 references missing")
        assert await enforcement("pay") == expected

    async def test_with_enforcement_off_a_rule_says_so(self, make_app: MakeApp) -> None:
        """References are not looked at."""
        await sweep(made(make_app, ENFORCEMENT="off"))
        assert await enforcement("pay") == ("off", "off: ENFORCEMENT=off")

    @pytest.mark.parametrize(("name", "state"), [("warn", "not-asked"), ("many", "cannot")])
    async def test_what_is_found_only_says_why(
        self, make_app: MakeApp, name: str, state: str
    ) -> None:
        """By its mode, or by its form; before any sweep."""
        made(make_app)
        assert (await enforcement(name))[0] == state

    async def test_what_is_frozen_says_so(self, make_app: MakeApp) -> None:
        """Writing was frozen before the sweep could write."""
        app = made(make_app, ENFORCEMENT="apply")
        await app.records.controls.freeze("an audit", "key:ops")
        await sweep(app)
        expected = ("frozen", "frozen: 8 of 8 references missing")
        assert await enforcement("pay") == expected

    async def test_what_is_held_enforces_in_part(self, make_app: MakeApp) -> None:
        """A group that joined is not referred to until that is approved."""
        pattern = rule("p", side("a"), Side(packages=[PackageSelector(name="Package b*")]))
        app = made(make_app, [pattern], ENFORCEMENT="apply")
        await sweep(app)
        assert (await enforcement("p"))[0] == "both-ways"
        app.graph.put(package("b", "2", "e"))
        await sweep(app)
        assert await enforcement("p") == ("held", "held: 1 of 5 references wait")

    @pytest.mark.parametrize("limit", [1, 2, 3])
    async def test_pages_have_every_rule_once(self, make_app: MakeApp, limit: int) -> None:
        """In the order of their ids."""
        made(make_app)
        params, ids = {"limit": str(limit)}, list[str]()
        while params:
            page = await get("rules", **params)
            ids += [each["id"] for each in page["rules"]]
            params = dict(parse_qsl(urlsplit(page.get("nextLink", "")).query))
        assert ids == ["many", "pay", "warn"]

    async def test_many_rules_are_counted_as_few(
        self, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whether the service looks for their findings, or all are gone through."""
        await sweep(made(make_app))
        few = await rules()
        monkeypatch.setattr(overview, "MAX_RULES_IN_QUERY", 0)
        assert await rules() == few

    async def test_a_large_side_names_its_first_packages(
        self, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The count is whole."""
        monkeypatch.setattr(overview, "MAX_PACKAGES_OF_SIDE", 1)
        made(make_app)
        named = (await rules())["pay"]["sides"][1]
        assert (len(named["packages"]), named["packageCount"]) == (1, 2)

    async def test_older_rules_that_stay_in_force_say_so(self, make_app: MakeApp) -> None:
        """With what is wrong with the newest files."""
        app = made(make_app)
        await rules()
        app.rules.text = "version: 2"
        app.clock.advance(120)
        page = await get("rules")
        assert "rules.yaml:1" in page["problem"]
        assert page["total"] == 3
        assert page["gaps"][0]["what"] == "the newest version of the rules"

    async def test_without_the_list_of_packages_patterns_mean_nothing(
        self, make_app: MakeApp
    ) -> None:
        """503, and never rules that seem to select nothing."""
        pattern = rule("p", side("a"), Side(packages=[PackageSelector(name="Package b*")]))
        app = made(make_app, [pattern])

        async def away() -> None:
            raise Unavailable("Graph answers 503", status=503)

        app.graph.packages = away  # type: ignore[method-assign,assignment]
        assert await problem("GET rules") == (503, "graph")

    async def test_broken_rules_are_503(self, make_app: MakeApp) -> None:
        """There were never any that could be used."""
        made(make_app).rules.text = "{"
        assert await problem("GET rules") == (503, "not-set-up")
        assert await problem("GET exceptions") == (503, "not-set-up")

    async def test_a_rule_by_another_form_has_its_sides(self, make_app: MakeApp) -> None:
        """`requires` has two, in their order."""
        made(make_app, [requires("needs", side("a"), side("b"))])
        found = (await rules())["needs"]
        ids = [[each["id"] for each in side_["packages"]] for side_ in found["sides"]]
        assert (found["form"], ids) == ("requires", [[guid("a")], [guid("b")]])


ENTRIES = {
    "e": (date(2025, 6, 1), date(2025, 12, 31)),
    "f": (date(2025, 12, 1), date(2026, 1, 20)),
    "1": (date(2025, 12, 1), date(2026, 6, 1)),
    "2": (date(2026, 2, 1), date(2026, 7, 1)),
}
STATES = ["over", "ends-soon", "active", "waits"]


class TestExceptions:
    @pytest.fixture
    def app(self, make_app: MakeApp) -> App:
        app = made(make_app)
        self.write(app)
        return app

    def write(self, app: App) -> None:
        entries = [
            exception("pay", name, start=start, end=end) for name, (start, end) in ENTRIES.items()
        ]
        app.rules.write(RULES, entries)

    @pytest.mark.usefixtures("app")
    async def test_each_exception_is_in_its_state(self) -> None:
        """The first to end first, those that are over and that wait among them."""
        page = await get("exceptions")
        assert [each["state"] for each in page["exceptions"]] == STATES
        assert [each["daysLeft"] for each in page["exceptions"]] == [-1, 19, 151, 181]
        assert (page["asOf"], page["total"]) == ("2026-01-01", 4)

    @pytest.mark.usefixtures("app")
    async def test_an_exception_has_all_that_people_ask(self) -> None:
        """Who, what, why, until when, where it is written, and what to propose."""
        found = (await get("exceptions", state="ends-soon"))["exceptions"][0]
        change = found.pop("change")
        assert found == {
            "id": "EX-pay-f",
            "rule": "pay",
            "ruleTitle": "Rule pay",
            "subject": guid("f"),
            "displayName": None,
            "packages": None,
            "requestedBy": "team@example.com",
            "approvedBy": "control@example.com",
            "reason": "Year-end closing",
            "control": None,
            "from": "2025-12-01",
            "until": "2026-01-20",
            "daysLeft": 19,
            "state": "ends-soon",
            "whyVoid": None,
            "file": "rules.yaml",
        }
        assert "remove this entry" in change["remove"]
        assert "In rules.yaml, line 1, replace exception EX-pay-f" in change["renew"]
        assert "from: 2026-01-01\n" in change["renew"]

    @pytest.mark.parametrize("state", [*STATES, "over,waits", ",".join(STATES)])
    @pytest.mark.usefixtures("app")
    async def test_exceptions_are_chosen_by_state(self, state: str) -> None:
        page = await get("exceptions", state=state)
        assert {each["state"] for each in page["exceptions"]} == set(state.split(","))
        assert page["total"] == len(page["exceptions"])

    @pytest.mark.usefixtures("app")
    async def test_exceptions_are_chosen_by_rule(self) -> None:
        assert (await get("exceptions", rule="pay"))["total"] == 4
        assert (await get("exceptions", rule="other"))["exceptions"] == []

    @pytest.mark.usefixtures("app")
    async def test_what_subjects_hold_is_not_known_before_a_sweep(self) -> None:
        """Null, and a gap; an empty list would say that the exception is needless."""
        page = await get("exceptions")
        assert {str(each["packages"]) for each in page["exceptions"]} == {"None"}
        assert (page["isWhole"], page["notRead"][0]["why"]) == (False, "no sweep has ended yet")

    @pytest.mark.parametrize("names", [{}, None, {"eve@contoso.com": guid("e")}])
    async def test_an_exception_for_a_name_says_whether_it_excuses_anyone(
        self, app: App, names: dict[str, str] | None
    ) -> None:
        """A name that the directory does not have, or may not tell, excuses no one."""
        entry = exception("pay", "e", start=date(2025, 12, 1), end=date(2026, 6, 1))
        app.rules.write(RULES, [msgspec.structs.replace(entry, subject="eve@contoso.com")])
        app.graph.names = names
        [found] = (await get("exceptions"))["exceptions"]
        assert found["state"] == "active"
        if names:
            assert (found["subject"], found["whyVoid"]) == (guid("e"), None)
        else:
            assert (found["subject"], bool(found["whyVoid"])) == ("eve@contoso.com", True)

    async def test_what_the_subject_holds_of_the_rule_is_named(self, make_app: MakeApp) -> None:
        """By the index of the newest sweep."""
        [of] = held("a", "e")
        of = replace(of, subject=replace(of.subject, object_id=guid("e"), display_name="Eve"))
        app = make_app(PACKAGES, {**HELD, "a": [of]}, RULES)
        self.write(app)
        await sweep(app)
        page = await get("exceptions", state="over")
        [found] = page["exceptions"]
        assert (page["isWhole"], found["displayName"]) == (True, "Eve")
        assert found["packages"] == [{"id": guid("a"), "name": "Package a"}]

    @pytest.mark.usefixtures("app")
    async def test_pages_have_each_exception_once(self) -> None:
        params, states = {"limit": "1", "rule": "pay"}, list[str]()
        while params:
            page = await get("exceptions", **params)
            states += [each["state"] for each in page["exceptions"]]
            params = dict(parse_qsl(urlsplit(page.get("nextLink", "")).query))
        assert states == STATES

    @pytest.mark.parametrize(
        "params", [{"state": "old"}, {"rule": "r" * 101}, {"limit": "x"}, {"subject": "x"}]
    )
    @pytest.mark.usefixtures("app")
    async def test_a_wrong_query_is_refused(self, params: dict[str, str]) -> None:
        answer = await ask("GET exceptions", params=params)
        assert answer.status_code == 422
        assert body_of(answer)["errors"][0]["detail"].startswith(next(iter(params)))
