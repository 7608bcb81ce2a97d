"""A subject may be given by its user principal name; the answer has the id and the name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from entra_sod.core.errors import GraphError, Unavailable
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.rules.language import Mode
from functions.http.decisions import decide, decide_many
from tests.app import body_of
from tests.builders import at_most, guid
from tests.services.decisions.test_decisions import ANN, MakeApp, ask, holds, make, post
from tests.services.sweeps.test_sweeps import sweep

ANNS_NAME = "ann@contoso.example"


@pytest.mark.parametrize("whole_tenant", [True, False])
async def test_a_name_is_decided_on_as_the_id(
    make_app: MakeApp,
    whole_tenant: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The same decision for the same reasons; the answer says which id it is."""
    app = make(make_app, {"b": [holds("b", ANN)]}, whole_tenant=whole_tenant)
    app.graph.names, app.graph.directory = {ANNS_NAME: ANN}, {ANN}
    by_id, by_name = await ask("a", ANN), await ask("a", ANNS_NAME.upper())
    assert by_id["userPrincipalName"] is None
    assert by_name["userPrincipalName"].lower() == ANNS_NAME
    for same in ("decision", "subject", "reasons", "conflicts"):
        assert by_name[same] == by_id[same]
    assert (by_name["decision"], by_name["subject"]) == ("deny", ANN)
    what = f"which subject {ANNS_NAME.upper()} is"
    assert {"what": what, "how": "directory"} in by_name["coverage"]["checked"]


async def test_a_name_that_is_not_resolved_is_never_decided_on(make_app: MakeApp) -> None:
    """Not even where a setting allows unknown subjects; the answer says what to do."""
    app = make(make_app, {})
    app.configure(DECISION_ON_UNKNOWN_SUBJECT="allow")
    body = {"subject": ANNS_NAME, "accessPackageId": guid("c")}
    response = await post(body)
    [error] = body_of(response)["errors"]
    assert (response.status_code, error["pointer"]) == (422, "/subject")
    assert "User.ReadBasic.All" in error["detail"]
    app.graph.names = {}
    [error] = body_of(await post(body))["errors"]
    assert f"the directory has no user {ANNS_NAME}" in error["detail"]


@pytest.mark.parametrize("subject", ["ann", "", "ann@contoso", guid("1").replace("-", "")])
async def test_what_is_neither_id_nor_name_is_refused(make_app: MakeApp, subject: str) -> None:
    """The message shows both."""
    make(make_app, {})
    response = await post({"subject": subject, "accessPackageId": guid("c")})
    [error] = body_of(response)["errors"]
    assert (response.status_code, error["pointer"]) == (422, "/subject")
    assert "GUID" in error["detail"]
    assert "ada@contoso.com" in error["detail"]


async def test_each_unresolved_name_of_a_batch_is_named(make_app: MakeApp) -> None:
    """By its place; nothing is decided."""
    app = make(make_app, {})
    app.graph.names = {ANNS_NAME: ANN}
    names = [ANNS_NAME, "no@contoso.example", ANN, "nor@contoso.example"]
    requests = [{"subject": each, "accessPackageId": guid("c")} for each in names]
    response = await post({"requests": requests}, decide_many)
    assert response.status_code == 422
    pointers = [each["pointer"] for each in body_of(response)["errors"]]
    assert pointers == ["/requests/1/subject", "/requests/3/subject"]
    response = await post({"requests": [requests[0], requests[2]]}, decide_many)
    subjects = [each["subject"] for each in body_of(response)["decisions"]]
    assert subjects == [ANN, ANN]


async def test_the_last_sweep_knows_the_names_of_holders(make_app: MakeApp) -> None:
    """For as long as sweeps are regular, where the directory may not be read."""
    named = Subject(id="s-ann", object_id=ANN, principal_name=ANNS_NAME)
    held = {"b": [Assignment(id="b-1", subject=named, state="delivered")]}
    app = make(make_app, held, [at_most("one", 1, "abcdef", mode=Mode.WARN)])
    app.configure()
    await sweep(app)
    answer = await ask("a", ANNS_NAME)
    assert (answer["decision"], answer["subject"]) == ("deny", ANN)
    app.clock.advance(timedelta(days=4).total_seconds())
    response = await post({"subject": ANNS_NAME, "accessPackageId": guid("a")})
    assert response.status_code == 422


async def test_while_the_directory_is_away_nothing_is_decided(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller asks again."""
    app = make(make_app, {})

    async def away(names: object) -> dict[str, Subject | GraphError]:  # noqa: ARG001
        raise Unavailable("away")

    monkeypatch.setattr(app.graph, "users_by_name", away)
    response = await post({"subject": ANNS_NAME, "accessPackageId": guid("c")}, decide)
    assert response.status_code == 503
