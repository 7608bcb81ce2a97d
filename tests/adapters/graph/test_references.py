"""Writes whose answers Graph does not document: each way it may answer has its error class."""

from __future__ import annotations

import pytest

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.core.errors import GraphError, NotFound, Rejected
from entra_sod.domain.entra import Reference, ReferenceKind
from tests.adapters.graph.fixtures import Simulator
from tests.adapters.graph.tenant import APPROVE, AUDITORS, MAIL_ONLY, PAY, UNKNOWN, UNKNOWN_GROUP

GROUP, PACKAGE = ReferenceKind.GROUP, ReferenceKind.PACKAGE
BY_STATUS = [pytest.param(400, Rejected, id="400"), pytest.param(404, NotFound, id="404")]
ADDABLE = [Reference(PAY, GROUP, AUDITORS), Reference(PAY, PACKAGE, APPROVE)]


@pytest.mark.parametrize("reference", ADDABLE, ids=["group", "package"])
async def test_a_repeated_add_may_be_taken(
    client: GraphClient, simulator: Simulator, reference: Reference
) -> None:
    """Where Graph takes a repeated add, it is no error, and listed once."""
    simulator.control.behave(duplicate_reference="no-content")
    await client.add(reference)
    await client.add(reference)
    assert await client.references(PAY, reference.kind) == {reference.target}


@pytest.mark.parametrize("reference", ADDABLE, ids=["group", "package"])
@pytest.mark.parametrize(("behaviour", "status"), [("bad-request", 400), ("conflict", 409)])
async def test_a_repeated_add_may_be_refused(
    client: GraphClient, simulator: Simulator, reference: Reference, behaviour: str, status: int
) -> None:
    """Where Graph refuses a repeated add, by either status, it is rejected."""
    simulator.control.behave(duplicate_reference=behaviour)
    await client.add(reference)
    with pytest.raises(Rejected) as refused:
        await client.add(reference)
    assert refused.value.status == status


@pytest.mark.parametrize(("status", "error"), BY_STATUS)
async def test_a_package_is_never_incompatible_with_itself(
    client: GraphClient, simulator: Simulator, status: int, error: type[GraphError]
) -> None:
    """A reference of a package to itself is an error of the class of its status."""
    simulator.control.behave(self_reference=status)
    with pytest.raises(error):
        await client.add(Reference(PAY, PACKAGE, PAY))


@pytest.mark.parametrize(
    "reference",
    [
        Reference(PAY, GROUP, UNKNOWN_GROUP),
        Reference(PAY, GROUP, MAIL_ONLY),
        Reference(PAY, PACKAGE, UNKNOWN),
    ],
    ids=["unknown group", "mail-only group", "unknown package"],
)
@pytest.mark.parametrize(("status", "error"), BY_STATUS)
async def test_what_is_unknown_cannot_be_referred_to(
    client: GraphClient,
    simulator: Simulator,
    reference: Reference,
    status: int,
    error: type[GraphError],
) -> None:
    """An unknown or unsuitable target is an error of the class of its status."""
    simulator.control.behave(unknown_reference=status)
    with pytest.raises(error):
        await client.add(reference)


@pytest.mark.parametrize("reference", ADDABLE, ids=["group", "package"])
async def test_removing_what_is_absent_may_be_taken(
    client: GraphClient, simulator: Simulator, reference: Reference
) -> None:
    """Where Graph takes the removal of what is not there, it is no error."""
    simulator.control.behave(remove_absent="no-content")
    await client.remove(reference)
    assert len(simulator.requests("DELETE")) == 1


@pytest.mark.parametrize("reference", ADDABLE, ids=["group", "package"])
async def test_removing_what_is_absent_may_not_find_it(
    client: GraphClient, simulator: Simulator, reference: Reference
) -> None:
    """Where Graph does not find what is to be removed, neither do we."""
    simulator.control.behave(remove_absent="not-found")
    with pytest.raises(NotFound):
        await client.remove(reference)


async def test_equal_ids_may_be_refused(client: GraphClient, simulator: Simulator) -> None:
    """Where Graph refuses to hold a package against itself, that is rejected."""
    simulator.control.behave(equal_ids="bad-request")
    with pytest.raises(Rejected):
        await anext(client.additional_access(PAY, PAY))


async def test_equal_ids_may_find_no_subject(client: GraphClient, simulator: Simulator) -> None:
    """If Graph answers this question with an empty list, no subject is found."""
    simulator.control.behave(equal_ids="empty")
    assert [list(page) async for page in client.additional_access(PAY, PAY)] == [[]]


async def test_a_reference_that_shows_late_is_not_listed_yet(
    client: GraphClient, simulator: Simulator
) -> None:
    """Reading gives what Graph shows, not what was written: it may lag behind."""
    simulator.control.behave(lag_reads=1)
    await client.add(ADDABLE[0])
    assert await client.references(PAY, GROUP) == frozenset()
    assert await client.references(PAY, GROUP) == {AUDITORS}


async def test_ids_of_references_are_in_lower_case(
    client: GraphClient, simulator: Simulator
) -> None:
    """References compare as strings, in whatever case Graph writes them."""
    tenant = simulator.control.tenant()
    for package in tenant["accessPackages"]:
        package["incompatibleGroups"] = [{"id": AUDITORS.upper()}]
    simulator.control.replace_tenant(tenant)
    assert await client.references(PAY, GROUP) == {AUDITORS}
