import pytest

from local.graph.demo import (
    APPROVE_INVOICES,
    MAINTAIN_VENDORS,
    ORDER_GOODS,
    PAY_INVOICES,
    RECEIVE_GOODS,
    RELEASE_PAYMENTS,
)
from tests.local.graph.caller import (
    EM,
    Caller,
    additional_access,
    error_code,
    error_message,
)

PAY_AND_APPROVE = additional_access(PAY_INVOICES, APPROVE_INVOICES)


async def test_holders_of_both_come_as_assignments_of_the_first(graph: Caller) -> None:
    """The function answers with the first package's assignments, whichever way it is asked."""
    forth = await graph.value(additional_access(PAY_INVOICES, APPROVE_INVOICES, "?$expand=target"))
    back = await graph.value(additional_access(APPROVE_INVOICES, PAY_INVOICES, "?$expand=target"))
    assert len(forth) == len(back) == 7
    assert {item["target"]["id"] for item in forth} == {item["target"]["id"] for item in back}
    assert {item["id"] for item in forth}.isdisjoint(item["id"] for item in back)


async def test_who_is_named_only_when_asked_for(graph: Caller) -> None:
    """Without $expand=target there is no subject in the answer."""
    assert all("target" not in item for item in await graph.value(PAY_AND_APPROVE))


@pytest.mark.parametrize(
    "call",
    [
        "additionalAccess(accessPackageId='{a}'incompatibleAccessPackageId='{b}')",
        "additionalAccess(accessPackageId={a},incompatibleAccessPackageId={b})",
        "additionalAccess(accessPackageId='{a}',incompatiblePackageId='{b}')",
        "additionalAccess(accessPackageId='{a}', incompatibleAccessPackageId='{b}')",
        "additionalAccess(accessPackageId='{a}',accessPackageId='{b}')",
        "additionalAccess(accessPackageId='{a}')",
        "additionalAccess()",
        "additionalAccess",
        "additionalAccess(accessPackageId='{a}',incompatibleAccessPackageId='{b}'",
        "additionalAccess(accessPackageId=%2527{a}%2527,incompatibleAccessPackageId='{b}')",
    ],
)
async def test_a_malformed_call_is_a_bad_request(graph: Caller, call: str) -> None:
    """A comma, quote, parenthesis or parameter that is missing or wrong is refused."""
    path = call.format(a=PAY_INVOICES, b=APPROVE_INVOICES)
    answer = await graph.get(f"assignments/{path}")
    assert answer.status_code == 400
    assert error_code(answer) == "BadRequest"


async def test_a_dropped_comma_is_called_a_parameter_out_of_scope(graph: Caller) -> None:
    """What is left of two parameters without their comma reads as one unknown parameter."""
    path = PAY_AND_APPROVE.replace(",", "")
    assert "is not in scope" in error_message(await graph.get(path))


async def test_percent_encoded_punctuation_means_the_same(graph: Caller) -> None:
    """Parentheses, quotes, commas and equal signs may come percent-encoded once."""
    encoded = PAY_AND_APPROVE
    for character in "()',=":
        encoded = encoded.replace(character, f"%{ord(character):02X}")
    assert await graph.ids(encoded) == await graph.ids(PAY_AND_APPROVE)


async def test_the_double_slash_of_the_sdk_is_taken(graph: Caller) -> None:
    """The path may have the empty segment that msgraph-sdk puts behind the version."""
    doubled = EM.replace("/v1.0/", "/v1.0//")
    answer = await graph.send("GET", f"{doubled}/{PAY_AND_APPROVE}")
    assert len(answer.json()["value"]) == 7


@pytest.mark.parametrize("option", ["$top=5", "$skip=1", "$count=true", "$search=x", "$orderby=id"])
async def test_options_that_are_not_documented_are_refused(graph: Caller, option: str) -> None:
    """Only $select, $filter and $expand are documented for the function."""
    assert (await graph.get(f"{PAY_AND_APPROVE}?{option}")).status_code == 400
    graph.behaviour.additional_access_options = "all"
    assert (await graph.get(f"{PAY_AND_APPROVE}?{option}")).status_code == 200


async def test_expired_assignments_count_only_where_graph_counts_them(graph: Caller) -> None:
    """Which states count is a behaviour: active ones, or all."""
    path = additional_access(ORDER_GOODS, RECEIVE_GOODS)
    assert await graph.ids(path) == []
    graph.behaviour.additional_access_states = "all"
    assert len(await graph.ids(path)) == 5


async def test_equal_ids_are_refused_or_empty(graph: Caller) -> None:
    """The two packages must be distinct; how Graph says so is a behaviour."""
    path = additional_access(PAY_INVOICES, PAY_INVOICES.upper())
    assert (await graph.get(path)).status_code == 400
    graph.behaviour.equal_ids = "empty"
    assert await graph.ids(path) == []


async def test_the_function_can_be_closed_to_applications(graph: Caller) -> None:
    """Where app-only callers may not use it, the list of assignments still works."""
    graph.behaviour.additional_access = "forbidden"
    assert (await graph.get(PAY_AND_APPROVE)).status_code == 403
    graph.behaviour.additional_access = "bad-request"
    assert (await graph.get(PAY_AND_APPROVE)).status_code == 400


async def test_packages_of_two_catalogs_are_compared(graph: Caller) -> None:
    """A role on both catalogs is enough for a pair that spans them."""
    assert len(await graph.ids(additional_access(MAINTAIN_VENDORS, PAY_INVOICES))) == 4


@pytest.mark.parametrize(
    "pair", [(PAY_INVOICES, RELEASE_PAYMENTS), (RELEASE_PAYMENTS, PAY_INVOICES)]
)
async def test_both_catalogs_must_be_readable(graph: Caller, pair: tuple[str, str]) -> None:
    """A package of a catalog without a role is forbidden on either side."""
    assert (await graph.get(additional_access(*pair))).status_code == 403


async def test_states_are_filtered_and_spelled_as_told(graph: Caller) -> None:
    """The state can be filtered in any case, and be written in either, or left out."""
    path = additional_access(
        PAY_INVOICES, APPROVE_INVOICES, "?$filter=state eq 'PartiallyDelivered'"
    )
    graph.behaviour.state_case = "pascal"
    assert [item["state"] for item in await graph.value(path)] == ["PartiallyDelivered"]
    graph.behaviour.missing_state = True
    assert ["state" in item for item in await graph.value(path)] == [False]
