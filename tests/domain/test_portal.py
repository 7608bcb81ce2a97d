"""Links to the Microsoft Entra admin center."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.portal import portal_links
from entra_sod.settings import CLOUDS
from tests.builders import guid


def test_a_package_and_its_assignments_have_an_address_each() -> None:
    """Both carry the id of the package."""
    links = portal_links()
    package, assignments = links.of_package(guid("a")), links.assignments_of(guid("a"))
    assert package.endswith(f"EntitlementMenuBlade/~/overview/entitlementId/{guid('a')}")
    assert assignments.endswith(f"EntitlementMenuBlade/~/assignments/entitlementId/{guid('a')}")


def test_a_user_is_opened_by_the_object_id() -> None:
    """In the blade of users."""
    assert (
        portal_links()
        .of_user(guid("b"))
        .endswith(f"UserProfileMenuBlade/~/overview/userId/{guid('b')}")
    )


def test_the_tenant_is_in_the_path() -> None:
    """So a reader who is in several tenants lands in the right one."""
    assert portal_links(tenant_id=guid("c")).package.startswith(
        f"https://entra.microsoft.com/{guid('c')}/#view/"
    )


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_has_its_own_admin_center(cloud: str) -> None:
    """A link never leads from one cloud into another."""
    host = urlsplit(portal_links(CLOUDS[cloud][0]).package).hostname
    expected = {
        "global": "entra.microsoft.com",
        "usgov": "entra.microsoft.us",
        "usgov-dod": "entra.microsoft.us",
        "china": "entra.microsoftonline.cn",
    }
    assert host == expected[cloud]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_id_never_leaves_its_place(own_id: str) -> None:
    """Whatever stands for an id cannot end the address, or change its host."""
    links = portal_links()
    for made in (links.of_package(own_id), links.assignments_of(own_id), links.of_user(own_id)):
        assert urlsplit(made).hostname == "entra.microsoft.com"
        assert unquote(made.rsplit("/", 1)[1]) == own_id
