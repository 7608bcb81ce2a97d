"""The tenant in names: what the story reads from the simulator."""

import msgspec
import pytest

from local.demo.facts import Pair, Reference
from local.demo.names import Snapshot
from local.graph.demo import (
    APPROVE_INVOICES,
    ORDER_GOODS,
    PAY_INVOICES,
    RECEIVE_GOODS,
    demo_tenant,
    subject_id,
)
from local.graph.demo_packages import GROUP_INVOICE_PAYERS
from local.graph.tenant import Reference as Entry
from local.graph.tenant import Tenant


def snapshot(tenant: Tenant | None = None) -> Snapshot:
    return Snapshot(msgspec.to_builtins(tenant or demo_tenant()))


def test_packages_groups_and_people_have_names() -> None:
    """Ids become names whatever their case; an unknown id stays as it is."""
    tenant = snapshot()
    assert tenant.name(PAY_INVOICES.upper()) == "Pay invoices"
    assert tenant.name(GROUP_INVOICE_PAYERS) == "Invoice payers"
    assert tenant.name(subject_id(0)) == "Ada Abara"
    assert tenant.name("no id") == "no id"


def test_a_text_is_told_in_names() -> None:
    """Ids in a message become names, and Graph's request id is left out."""
    text = f"Graph answers 403 to reading {PAY_INVOICES}: no (request-id {subject_id(0)})"
    assert snapshot().in_words(text) == "Graph answers 403 to reading Pay invoices: no"


def test_holders_of_both_are_those_with_two_active_assignments() -> None:
    """Expired assignments do not count, half delivered ones do."""
    pairs = [(PAY_INVOICES, APPROVE_INVOICES), (ORDER_GOODS, RECEIVE_GOODS)]
    both = snapshot().holders_of_both(pairs)
    assert len(both[Pair.of("Pay invoices", "Approve invoices")]) == 7
    assert both[Pair.of("Order goods", "Receive goods")] == frozenset()


def test_references_are_counted_by_additions() -> None:
    """What was loaded with the tenant counts once, what was added twice counts twice."""
    tenant = demo_tenant()
    pay = next(each for each in tenant.access_packages if each.id == PAY_INVOICES)
    pay.incompatible_groups = [Entry(id=GROUP_INVOICE_PAYERS, additions=2)]
    pay.incompatible_access_packages = [Entry(id=APPROVE_INVOICES)]
    assert snapshot(tenant).references() == {
        Reference("Pay invoices", "group", "Invoice payers"): 2,
        Reference("Pay invoices", "package", "Approve invoices"): 1,
    }


def test_the_same_person_is_found_in_every_run() -> None:
    """The demo chooses a person who has just the one package, and never had another one."""
    tenant = snapshot()
    assert tenant.name(tenant.first_with({PAY_INVOICES}).id) == "Bilal Petrov"
    assert tenant.first_with(()).id == subject_id(128)


def test_a_tenant_without_a_fitting_person_is_an_error() -> None:
    """A tenant that the story cannot be told with is said to be one."""
    with pytest.raises(LookupError, match="no person"):
        snapshot().first_with({"no id"})


def test_the_size_is_that_of_the_tenant() -> None:
    """Subjects that are no people are not counted among them."""
    size = snapshot().size()
    assert (size.catalogs, size.packages, size.people) == (3, 16, 241)
