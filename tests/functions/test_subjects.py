"""`GET /api/subjects` and `GET /api/subjects/{id}`: whom the newest sweep saw."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from msgspec.structs import replace

from entra_sod.core.errors import Forbidden, Unavailable
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.rules.language import Mode, PackageSelector, Rule, Side
from entra_sod.services.subjects import search
from entra_sod.services.sweeps.summary import last_summary
from tests.app import App, body_of
from tests.builders import at_most, exception, guid, held, package, requires, rule, side
from tests.functions.asking import ask, get, problem
from tests.services.sweeps.test_sweeps import sweep

type MakeApp = type[App]

# A set has all of its packages read, so the index has everybody.
RULES = [
    rule("pay", side("a"), side("bc"), mode=Mode.WARN),
    at_most("many", 2, "abc"),
    requires("needs", side("d"), side("c"), mode=Mode.RECORD),
]
HELD = {"a": "xy", "b": "yz", "c": "z", "d": "yw"}
PACKAGES = [package(name) for name in "abcd"]


def made(make_app: MakeApp, rules: list[Rule] = RULES, **held_by: str) -> App:
    assignments = {name: held(name, people) for name, people in {**HELD, **held_by}.items()}
    return make_app(PACKAGES, assignments, rules)


def named(name: str, of: str = "a") -> Assignment:
    key = f"{len(name)}-{name.encode().hex()}"
    subject = Subject(id=f"s-{key}", object_id=f"o-{key}", display_name=name, subject_type="user")
    return Assignment(id=f"{of}-{key}", subject=subject, state="delivered", package_id=guid(of))


def app_of(make_app: MakeApp, *names: str) -> App:
    """An app whose index knows people of these names."""
    rules = [at_most("many", 1, "ab", mode=Mode.RECORD), at_most("set", 2, "abc")]
    return make_app(PACKAGES, {"a": [named(each) for each in names]}, rules)


async def found(**params: str) -> list[str]:
    subjects: list[dict[str, Any]] = (await get("subjects", **params))["subjects"]
    return [each["displayName"] for each in subjects]


async def pages(limit: int) -> list[str]:
    """The names of all pages, as their links lead from one to the next."""
    params, names = {"limit": str(limit)}, list[str]()
    while True:
        page = await get("subjects", **params)
        names += [each["displayName"] for each in page["subjects"]]
        assert page["more"] is ("nextLink" in page)
        if not page["more"]:
            return names
        assert len(page["subjects"]) == limit
        params = dict(parse_qsl(urlsplit(page["nextLink"]).query))


async def test_everybody_whom_the_sweep_saw_is_listed(make_app: MakeApp) -> None:
    """By name, with how much each holds and how many findings stand."""
    app = made(make_app)
    await sweep(app)
    page = await get("subjects")
    assert (page["isWhole"], page["notRead"], page["total"]) == (True, [], 4)
    assert page["asOf"] == "2026-01-01T00:00:00Z"
    assert page["subjects"][1] == {
        "subjectId": "subject-x",
        "objectId": "object-x",
        "displayName": "x",
        "subjectType": None,
        "packages": 1,
        "findings": 0,
    }
    counts = {
        each["displayName"]: (each["packages"], each["findings"]) for each in page["subjects"]
    }
    assert counts == {"w": (1, 1), "x": (1, 0), "y": (3, 2), "z": (2, 0)}


async def test_findings_are_counted_for_many_as_for_few(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the service looks for the subjects of a page, or all findings are gone through."""
    app = made(make_app)
    await sweep(app)
    few = await get("subjects")
    monkeypatch.setattr(search, "MAX_SUBJECTS_IN_QUERY", 0)
    assert await get("subjects") == few


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ADA", ["Ada Lovelace"]),
        ("love", ["Ada Lovelace"]),
        ("gro\u0308\u00dfe", ["Gr\u00f6\u00dfe"]),
        ("größe", ["Gr\u00f6\u00dfe"]),
        ("<b>", ["<b>Bob</b>"]),
        ("*", []),
        ("no such name", []),
        ("o-3-426f62", ["Bob"]),
        ("S-3-426F62", ["Bob"]),
        ("s-3-426f6", []),
    ],
)
async def test_a_search_compares_names_as_people_see_them(
    make_app: MakeApp, text: str, names: list[str]
) -> None:
    """Whatever case and composition; an id fits whole. The total is of those that fit."""
    app = app_of(make_app, "Ada Lovelace", "Gr\u00f6\u00dfe", "<b>Bob</b>", "Bob")
    await sweep(app)
    page = await get("subjects", search=text)
    assert [each["displayName"] for each in page["subjects"]] == names
    assert page["total"] == len(names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ada@contoso.com", ["Countess"]),
        (" ADA@Contoso.com ", ["Countess"]),
        ("contoso.com", ["Ada Grey", "Countess"]),
        ("ada", ["Ada Grey", "Countess"]),
        ("ada@fabrikam.com", []),
    ],
)
async def test_a_search_compares_user_principal_names_too(
    make_app: MakeApp, text: str, names: list[str]
) -> None:
    """A part of it, in any case; a subject that fits by both names is there once."""
    people = {"Countess": "ada@contoso.com", "Ada Grey": "adag@contoso.com", "Bob": None}
    holders = [
        replace(each, subject=replace(each.subject, principal_name=people[name]))
        for name in people
        for each in [named(name)]
    ]
    rules = [at_most("set", 2, "abc")]
    await sweep(make_app(PACKAGES, {"a": holders}, rules))
    page = await get("subjects", search=text)
    assert [each["displayName"] for each in page["subjects"]] == names
    assert (page["total"], page["isWhole"]) == (len(names), True)


async def test_an_index_without_user_principal_names_says_so(make_app: MakeApp) -> None:
    """An earlier version wrote it: an empty answer to a search would be read as *holds nothing*."""
    app = app_of(make_app, "Ada Lovelace")
    await sweep(app)
    last = await last_summary(app.records.sweeps)
    assert last is not None
    index = [replace(each, names_start=None) for each in last.index]
    data = msgspec.json.encode(replace(last, index=index))
    await app.records.sweeps.store_summary(last.sweep_id, data)
    page = await get("subjects", search="ada@contoso.com")
    assert (page["subjects"], page["isWhole"]) == ([], False)
    assert "start a sweep" in page["notRead"][-1]["why"]
    assert (await get("subjects"))["isWhole"] is True


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("at_once", [1, 3, 1000])
async def test_pages_have_everybody_once_in_order(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, limit: int, at_once: int
) -> None:
    """However few are held in memory at once; names that are alike are told apart by their ids."""
    monkeypatch.setattr(search, "MAX_ASSIGNMENTS_AT_ONCE", at_once)
    names = ["Bob", "bob", "Ada", "ada", "Żółć", "王小明", "zoe", "Zoë", "a" * 900]
    app = app_of(make_app, *names)
    await sweep(app)
    listed = await pages(limit)
    assert sorted(listed) == sorted(names)
    assert listed == await pages(1000)
    assert [each.casefold() for each in listed[:4]] == ["a" * 900, "ada", "ada", "bob"]


async def test_a_long_name_is_cut(make_app: MakeApp) -> None:
    """It is the tenant's, and fills no answer."""
    app = app_of(make_app, "n" * 5000)
    await sweep(app)
    [name] = await found()
    assert len(name) == 1000


async def test_before_the_first_sweep_there_is_no_list(make_app: MakeApp) -> None:
    """An empty one would say that no subject holds anything."""
    made(make_app)
    assert await problem("GET subjects") == (409, "no-index")
    assert await problem("GET subjects/{id}", "object-x") == (409, "no-index")


async def test_an_index_that_is_gone_is_none(make_app: MakeApp) -> None:
    """The index was deleted. The answer says so, and how to get another one."""
    app = made(make_app)
    await sweep(app)
    async for name in app.storage.blobs.names("sweeps"):
        if "/index-" in name:
            await app.storage.blobs.delete("sweeps", name)
    assert await problem("GET subjects") == (409, "no-index")
    assert await problem("GET subjects/{id}", "object-x") == (409, "no-index")


async def test_what_the_sweep_could_not_read_is_told(make_app: MakeApp) -> None:
    """Above an empty list as well; a subject that was not found is then not known to be none."""
    app = made(make_app)
    app.graph.unreadable.add(guid("b"))
    await sweep(app)
    page = await get("subjects", search="unknown")
    assert (page["subjects"], page["isWhole"]) == ([], False)
    assert any(guid("b") in each["what"] for each in page["notRead"])
    assert await problem("GET subjects/{id}", "object-q") == (409, "index-incomplete")
    assert (await get("subjects/{id}", "object-x"))["isWhole"] is False


async def test_a_rule_that_came_later_is_a_gap(make_app: MakeApp) -> None:
    """The index does not have its packages."""
    app = made(make_app, [*RULES[:1], at_most("set", 2, "abc")])
    await sweep(app)
    assert (await get("subjects"))["isWhole"] is True
    app.rules.write(RULES)
    app.clock.advance(120)
    page = await get("subjects")
    assert (page["isWhole"], guid("d") in page["notRead"][0]["what"]) == (False, True)


async def test_a_subject_is_shown_with_what_it_holds(make_app: MakeApp) -> None:
    """Packages by name, rules that it touches, what more would conflict, findings."""
    app = made(make_app)
    await sweep(app)
    found = await get("subjects/{id}", "object-y")
    assert [each["name"] for each in found["holds"]] == ["Package a", "Package b", "Package d"]
    rules = {each["id"]: each for each in found["rules"]}
    assert set(rules) == {"pay", "many", "needs"}
    assert rules["pay"]["inConflict"] is True
    assert [each["side"] for each in rules["pay"]["sides"]] == [1, 2]
    assert rules["pay"]["wouldConflict"] == [{"id": guid("c"), "name": "Package c"}]
    assert (rules["many"]["inConflict"], rules["many"]["wouldConflictCount"]) == (False, 1)
    assert (rules["needs"]["inConflict"], rules["needs"]["wouldConflict"]) == (True, [])
    assert sorted(each["rule"] for each in found["findings"]) == ["needs", "pay"]


async def test_either_id_finds_a_subject(make_app: MakeApp) -> None:
    """The one in entitlement management, and the one in the directory."""
    app = made(make_app)
    await sweep(app)
    assert await get("subjects/{id}", "subject-y") == await get("subjects/{id}", "object-y")


async def test_a_guid_is_found_in_any_case(make_app: MakeApp) -> None:
    """People paste ids as other systems write them."""
    subject = Subject(id=guid("e"), object_id=guid("f"), display_name="E")
    start = datetime(2025, 5, 1, tzinfo=UTC)
    of = Assignment(id="1", subject=subject, state="Delivered", package_id=guid("a"), start=start)
    app = make_app(PACKAGES, {"a": [of]}, [at_most("set", 2, "abc")])
    await sweep(app)
    [holds] = (await get("subjects/{id}", guid("f").upper()))["holds"]
    assert (holds["since"], holds["until"]) == ("2025-05-01T00:00:00Z", None)


async def test_exceptions_of_the_subject_are_shown(make_app: MakeApp) -> None:
    """By whichever id the rules file has."""
    subject = Subject(id="s", object_id=guid("e"), display_name="E")
    of = Assignment(id="1", subject=subject, state="Delivered", package_id=guid("a"))
    app = make_app(PACKAGES, {"a": [of]}, [at_most("set", 2, "abc")])
    entry = exception("set", "e", start=date(2025, 12, 1), end=date(2026, 5, 1))
    app.rules.write([at_most("set", 2, "abc")], [entry])
    await sweep(app)
    found = await get("subjects/{id}", "s")
    assert found["exceptions"] == [{"id": "EX-set-e", "rule": "set", "until": "2026-05-01"}]


async def test_a_subject_that_holds_nothing_any_more_has_its_findings(make_app: MakeApp) -> None:
    """It is known by these, and holds nothing; another sweep calls them resolved."""
    app = made(make_app)
    await sweep(app)
    for name in "abcd":
        app.graph._assignments[guid(name)] = []
    app.clock.advance(60)
    await sweep(app)
    found = await get("subjects/{id}", "object-y")
    assert (found["holds"], found["rules"], found["displayName"]) == ([], [], "y")
    assert {each["state"] for each in found["findings"]} == {"resolving"}


@pytest.mark.parametrize("place", ["object-q", guid("e"), "%00", "a b", "<script>", "x" * 200, "é"])
async def test_an_id_without_a_subject_is_404_only_if_all_was_read(
    make_app: MakeApp, place: str
) -> None:
    """Whatever stands in the path."""
    await sweep(made(make_app))
    assert await problem("GET subjects/{id}", place) == (404, "unknown-subject")


async def test_without_the_list_of_packages_ids_are_shown(make_app: MakeApp) -> None:
    """A name is not worth a failure; which packages patterns of rules mean is a gap."""
    pattern = rule("p", side("a"), Side(packages=[PackageSelector(name="Package b")]))
    app = made(make_app, [pattern, at_most("set", 2, "abc")])
    await sweep(app)
    app.clock.advance(3600)

    async def refuse() -> None:
        raise Forbidden("no list", status=403)

    app.graph.packages = refuse  # type: ignore[method-assign,assignment]
    found = await get("subjects/{id}", "object-y")
    assert {each["name"] for each in found["holds"]} == {""}
    assert (found["isWhole"], found["rules"]) == (False, [])
    assert found["notRead"][0]["what"] == "which packages the rules name"


@pytest.mark.parametrize(
    "params",
    [
        {"search": "x" * 201},
        {"limit": "0"},
        {"limit": "1001"},
        {"cursor": "!"},
        {"cursor": "WyJhIl0"},
        {"name": "x"},
    ],
)
async def test_a_wrong_query_is_refused(make_app: MakeApp, params: dict[str, str]) -> None:
    """With the parameter named."""
    made(make_app)
    answer = await ask("GET subjects", params=params)
    assert answer.status_code == 422
    [error] = body_of(answer)["errors"]
    assert error["detail"].startswith(next(iter(params)))


async def test_a_storage_that_fails_is_503(make_app: MakeApp) -> None:
    """Never an empty list."""
    app = made(make_app)
    await sweep(app)

    async def fail(*_: object) -> None:
        from entra_sod.core.errors import StorageUnavailable

        raise StorageUnavailable("away")

    app.storage.blobs.get_range = fail  # type: ignore[method-assign,assignment]
    assert await problem("GET subjects") == (503, "storage")
    assert await problem("GET subjects/{id}", "object-x") == (503, "storage")


async def test_graph_that_is_away_takes_no_subject_away(make_app: MakeApp) -> None:
    """What the sweep has seen is known all the same."""
    app = made(make_app)
    await sweep(app)
    app.clock.advance(3600)

    async def away() -> None:
        raise Unavailable("Graph answers 503", status=503)

    app.graph.packages = away  # type: ignore[method-assign,assignment]
    assert len((await get("subjects"))["subjects"]) == 4


def test_a_name_that_shows_later_is_taken() -> None:
    """Of several assignments of a subject, one may have no name."""
    from entra_sod.domain.detection.index import indexed_assignment

    first = replace(named("Ada"), subject=replace(named("Ada").subject, display_name=None))
    both = [("a", indexed_assignment(0, first)), ("b", indexed_assignment(1, named("Ada")))]
    [found] = search.fitting_subjects(both, "ada")
    assert (found.shown.display_name, found.packages) == ("Ada", 2)
