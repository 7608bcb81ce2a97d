"""`GET /api/findings`: filters, pages, forms."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func
import msgspec
import pytest

from entra_sod.bootstrap import make_engine
from entra_sod.domain.rules.language import FrameworkClause, Severity
from functions.http.findings import claim_finding, get_finding, list_findings
from tests.app import App, body_of, call, install_parts
from tests.builders import at_most, guid, held, package, rule, side
from tests.services.sweeps.test_sweeps import sweep

URL = "https://app.example.com/api/findings"
HELD = {"a": "vwxyz", "b": "xyz", "c": "yz", "d": "z"}
PAY = msgspec.structs.replace(
    rule("pay", side("a"), side("b"), severity=Severity.CRITICAL),
    process="Procure to pay",
    tags=["sox", "Year end"],
    frameworks=[FrameworkClause(id="ISO/IEC 27001", ref="A.5.3")],
    owners=["deputy@example.com"],
)
RULES = [
    PAY,
    rule("buy", side("a"), side("c"), severity=Severity.LOW),
    at_most("many", 2, "bcd"),
]

type MakeApp = type[App]

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
async def app(make_app: MakeApp) -> App:
    """Six findings: three against `pay`, two against `buy`, one against `many`."""
    assignments = {name: held(name, people) for name, people in HELD.items()}
    app = make_app([package(name) for name in HELD], assignments, RULES)
    await sweep(app)
    return app


async def ask(headers: Mapping[str, str] | None = None, /, **params: str) -> func.HttpResponse:
    request = func.HttpRequest("GET", URL, headers=dict(headers or {}), params=params, body=b"")
    return await call(list_findings, request)


async def found(**params: str) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = body_of(await ask(**params))["findings"]
    return findings


async def test_a_finding_is_listed_as_the_contract_has_it() -> None:
    """All that a caller needs, ids in the order of the list."""
    findings = await found(rule="pay", subject="subject-x")
    assert findings == [
        {
            "id": findings[0]["id"],
            "rule": "pay",
            "kind": "pair",
            "pair": [guid("a"), guid("b")],
            "missing": [],
            "why": None,
            "subjectId": "subject-x",
            "objectId": "object-x",
            "displayName": "x",
            "subjectType": None,
            "severity": "critical",
            "owner": "owner@example.com",
            "state": "open",
            "since": "2026-01-01T00:00:00Z",
            "firstSeen": "2026-01-01T00:00:00Z",
            "lastSeen": "2026-01-01T00:00:00Z",
            "exception": None,
            "exceptionUntil": None,
            "process": "Procure to pay",
            "tags": ["sox", "Year end"],
            "frameworks": ["ISO/IEC 27001 A.5.3"],
            "owners": ["deputy@example.com"],
        }
    ]


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({}, 6),
        ({"rule": "buy"}, 2),
        ({"rule": "none"}, 0),
        ({"state": "open"}, 6),
        ({"state": "resolved,on-hold"}, 0),
        ({"severity": "critical,low"}, 5),
        ({"package": guid("b")}, 4),
        ({"package": guid("d").upper()}, 1),
        ({"subject": "object-z"}, 3),
        ({"subject": "subject-z", "package": guid("c")}, 2),
        ({"since": "2026-01-01"}, 6),
        ({"since": "2026-01-01T00:00:01Z"}, 0),
        ({"process": "procure to PAY"}, 3),
        ({"process": "Procure"}, 0),
        ({"tag": "year end"}, 3),
        ({"tag": "year"}, 0),
        ({"framework": "iso/iec 27001"}, 3),
        ({"framework": "ISO/IEC 27001 A.5.3"}, 3),
        ({"framework": "ISO/IEC 2700"}, 0),
        ({"owner": "deputy@example.com"}, 3),
        ({"owner": "OWNER@example.com"}, 6),
        ({"owner": "owner@example.com", "tag": "sox", "subject": "subject-x"}, 1),
    ],
)
async def test_findings_are_chosen_by_filters(params: Mapping[str, str], count: int) -> None:
    """Filters are taken together; a set's finding counts for each package held of it."""
    assert len(await found(**params)) == count


@pytest.mark.parametrize("size", [1, 2, 4, 6, 1000])
async def test_pages_lead_through_all_of_them(size: int) -> None:
    """Following nextLink meets every finding once, with the same filters."""
    seen, params = list[str](), {"pageSize": str(size), "state": "open"}
    while params:
        page = body_of(await ask(**params))
        assert len(page["findings"]) <= size
        seen += [each["id"] for each in page["findings"]]
        link = page.get("nextLink", "")
        assert not link or link.startswith(URL + "?")
        params = dict(parse_qsl(urlsplit(link).query))
    assert seen == sorted({each["id"] for each in await found()})


async def test_a_list_comes_as_csv() -> None:
    """The same columns, with the next page in a Link header."""
    answer = await ask({"Accept": "text/csv;q=0.9, application/json;q=0.1"}, pageSize="5")
    rows = list(csv.DictReader(io.StringIO(answer.get_body().decode())))
    assert (answer.mimetype, len(rows)) == ("text/csv", 5)
    assert rows[0]["packages"].split()[0] == guid("a") or rows[0]["rule"] == "many"
    assert 'rel="next"' in answer.headers["Link"]
    assert (await ask({"Accept": "*/*"})).mimetype == "application/json"
    assert (await ask({"Accept": "text/html"})).status_code == 406


async def test_a_name_is_no_formula(make_app: MakeApp) -> None:
    """What a spreadsheet would calculate is text for it."""
    people = [each for name in "=@" for each in held("a", name)]
    others = [each for name in "=@" for each in held("b", name)]
    app = make_app([package("a"), package("b")], {"a": people, "b": others}, RULES[:1])
    await sweep(app)
    answer = await ask({"Accept": "text/csv"})
    rows = csv.DictReader(io.StringIO(answer.get_body().decode()))
    assert sorted(row["displayName"] for row in rows) == ["'=", "'@"]


@pytest.mark.parametrize(
    "params",
    [
        {"state": "gone"},
        {"severity": "worst"},
        {"package": "a"},
        {"package": "a" * 32},
        {"since": "yesterday"},
        {"since": "2026-02-30"},
        {"package": ""},
        {"pageSize": ""},
        {"pageSize": "0"},
        {"pageSize": "1001"},
        {"pageSize": "ten"},
        {"continuation": "../x"},
        {"colour": "red"},
    ],
)
async def test_what_cannot_be_asked_is_a_problem(params: Mapping[str, str]) -> None:
    """A parameter that is wrong or unknown is named; it is never passed over."""
    answer = await ask(**params)
    assert answer.status_code == 422
    [error] = body_of(answer)["errors"]
    assert next(iter(params)) in error["detail"]


async def get(name: str) -> func.HttpResponse:
    request = func.HttpRequest("GET", f"{URL}/{name}", route_params={"id": name}, body=b"")
    return await call(get_finding, request)


async def test_one_finding_tells_its_life() -> None:
    """Its history names the state, the cause, the run and the rules; another id is not known."""
    [listed] = await found(rule="many")
    told = body_of(await get(listed["id"]))
    assert told["pair"] == [guid(name) for name in "bcd"]
    [change] = told["history"]
    assert (change["from"], change["to"], change["by"]) == (None, "open", "sweep")
    assert change["rulesHash"] == told["rulesHash"]
    assert told["subjectHash"].startswith("hmac-sha256:")
    assert (await get("0" * 32)).status_code == (await get("a'b")).status_code == 404


async def claim(name: str, body: bytes) -> func.HttpResponse:
    request = func.HttpRequest(
        "POST",
        f"{URL}/{name}/claims",
        headers={"Content-Type": "application/json"},
        route_params={"id": name},
        body=body,
    )
    return await call(claim_finding, request)


async def test_a_finding_is_marked_as_being_remediated(app: App) -> None:
    """It is resolving, whose word that is stands in its history, and the next night may decide."""
    [listed] = await found(rule="pay", subject="subject-x")
    told = body_of(await claim(listed["id"], b'{"by": "ana", "why": "CHG-7"}'))
    assert (told["state"], told["claimedBy"]) == ("resolving", "ana")
    assert told["history"][-1]["by"] == "person"
    app.graph._assignments[guid("b")] = held("b", "yz")
    app.clock.advance(3600)
    await sweep(app)
    assert body_of(await get(listed["id"]))["state"] == "resolved"
    assert (await claim(listed["id"], b'{"by": "ana", "why": "CHG-7"}')).status_code == 409
    assert (await claim("0" * 32, b'{"by": "ana", "why": "CHG-7"}')).status_code == 404
    wrong = await claim(listed["id"], b'{"by": "", "since": 1}')
    assert wrong.status_code == 422
    assert {each["pointer"] for each in body_of(wrong)["errors"]} == {"/by", "/why", "/since"}


async def test_findings_need_storage_alone(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """With settings that make no engine they are listed all the same: no Graph is loaded."""
    install_parts(app.records, admission=app.admission)
    monkeypatch.setattr(make_engine, "read_engine", lambda *_: pytest.fail("an engine was made"))
    assert (await ask()).status_code == 200


async def test_findings_are_asked_for_by_kind() -> None:
    """One or more; none is made up."""
    kinds = [each["kind"] for each in await found()]
    assert set(kinds) == {"pair", "set"}
    for kind in ("pair", "set", "package"):
        assert len(await found(kind=kind)) == kinds.count(kind)
    assert len(await found(kind="pair,set", pageSize="1000")) == len(kinds)
    response = await ask(kind="toxic")
    assert response.status_code == 422
    assert "pair, set, requirement, package" in str(body_of(response))


async def test_the_next_page_keeps_the_kind() -> None:
    """It is in the link."""
    page = body_of(await ask(kind="pair", pageSize="1"))
    assert "kind=pair" in page["nextLink"]


async def test_findings_of_a_subject_are_asked_for_by_name(app: App) -> None:
    """The name is resolved; the next page goes by the id, whatever becomes of the name."""
    app.configure()
    name = "x@contoso.example"
    [(who, findings)] = Counter(each["objectId"] for each in await found()).most_common(1)
    app.graph.names = {name: who}
    by_id = await found(subject=who)
    assert len(by_id) == findings > 1
    assert await found(subject=name.upper()) == by_id
    page = body_of(await ask(subject=name, pageSize="1"))
    assert f"subject={who}" in page["nextLink"]


async def test_a_name_that_is_not_resolved_is_no_filter(app: App) -> None:
    """An empty list would say that nothing was found of the person."""
    app.configure()
    response = await ask(subject="no@contoso.example")
    assert response.status_code == 422
    assert "User.ReadBasic.All" in str(body_of(response))
    app.graph.names = {}
    response = await ask(subject="no@contoso.example")
    assert response.status_code == 422
    assert "has no user no@contoso.example" in str(body_of(response))
