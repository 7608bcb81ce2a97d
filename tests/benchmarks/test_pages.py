"""Pages as Graph writes them."""

from benchmarks.pages import page
from entra_sod.adapters.graph import wire
from entra_sod.domain.entra import Subject


def test_the_client_reads_them() -> None:
    """Each assignment and its target arrive, and so does the link."""
    found = wire.decode(wire.assignments_page, page([7, 8], next_link="https://graph/next"))
    first, second = found.items
    assert found.next_link == "https://graph/next"
    assert first.subject == Subject(
        id="50b1ec70-5e1f-4d3c-9b7a-000000000007",
        object_id="0b1ec701-5e1f-4d3c-9b7a-000000000007",
        display_name="Inès Haddad",
        subject_type="user",
    )
    assert first.is_held
    assert second.subject.id != first.subject.id


def test_they_are_the_same_in_every_run() -> None:
    """No clock and no chance in them."""
    assert page(range(50)) == page(range(50))


def test_packages_share_people_and_no_assignments() -> None:
    """What an intersection needs."""
    one = wire.decode(wire.assignments_page, page([7], package=1)).items
    other = wire.decode(wire.assignments_page, page([7], package=2)).items
    assert one[0].subject == other[0].subject
    assert one[0].id != other[0].id


def test_the_last_has_no_link() -> None:
    """Then paging ends."""
    assert wire.decode(wire.assignments_page, page([7], next_link=None)).next_link is None
