"""One contract, two graphs: the one in memory, and GraphClient over HTTP to the simulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from entra_sod.core.errors import Forbidden, GraphError, NotFound, Rejected
from entra_sod.domain.entra import (
    AccessPackage,
    Assignment,
    Group,
    Reference,
    ReferenceKind,
    Subject,
)
from entra_sod.ports.graph import AssignmentPage, Graph
from tests.adapters.graph.fixtures import Connect, Simulator
from tests.adapters.graph.tenant import (
    ADMIN_CLIENT,
    ANN,
    APPROVE,
    AUDITORS,
    BOB,
    CAS,
    CATALOG_OF,
    ELIGIBLES,
    FINANCE,
    GUEST,
    GUEST_NAME,
    MAIL_ONLY,
    ORDER,
    PAY,
    PAYERS,
    PEOPLE_CLIENT,
    READERS,
    RELEASE,
    UNKNOWN,
    UNKNOWN_GROUP,
    assignment,
    assignment_id,
    assignments,
    memory_graph,
    object_id,
    package,
)
from tests.builders import guid

PACKAGE, GROUP = ReferenceKind.PACKAGE, ReferenceKind.GROUP
PAGE_SIZE = 2

type Ask = Callable[[Graph, str], Awaitable[object]]


async def collected(pages: AsyncIterator[AssignmentPage]) -> list[Assignment]:
    return [found async for page in pages for found in page]


async def read_additional_access(graph: Graph, package_id: str) -> list[Assignment]:
    return await collected(graph.additional_access(package_id, PAY))


async def read_additional_access_as_second(graph: Graph, package_id: str) -> list[Assignment]:
    return await collected(graph.additional_access(PAY, package_id))


async def read_assignments(graph: Graph, package_id: str) -> list[Assignment]:
    return await collected(graph.assignments(package_id))


async def read_in_batch(graph: Graph, package_id: str) -> AccessPackage:
    found = (await graph.packages_by_id([PAY, package_id]))[package_id]
    if isinstance(found, GraphError):
        raise found
    return found


async def read_assignments_in_batch(graph: Graph, package_id: str) -> list[Assignment]:
    return (await sorted_out(graph.assignments_of([PAY, package_id])))[package_id]


async def read_additional_access_in_batch(graph: Graph, package_id: str) -> list[Assignment]:
    pair = (package_id, PAY)
    return (await sorted_out(graph.additional_access_of([(APPROVE, PAY), pair])))[pair]


async def read_references_in_batch(graph: Graph, package_id: str) -> frozenset[str]:
    found = (await graph.references_of([PAY, package_id]))[package_id, PACKAGE]
    if isinstance(found, GraphError):
        raise found
    return found


async def sorted_out[K](
    answers: AsyncIterator[tuple[K, AssignmentPage | GraphError]],
) -> dict[K, list[Assignment]]:
    """What was found for each key; raises an error only when all else has been read."""
    found: dict[K, list[Assignment]] = {}
    errors: list[GraphError] = []
    async for key, page in answers:
        if isinstance(page, GraphError):
            errors.append(page)
        else:
            found.setdefault(key, []).extend(page)
    if errors:
        raise errors[0]
    return found


# Everything that looks at one package, or changes what stands on it.
ASKS: dict[str, Ask] = {
    "package": lambda graph, package_id: graph.package(package_id),
    "packages_by_id": read_in_batch,
    "additional_access": read_additional_access,
    "additional_access, second": read_additional_access_as_second,
    "additional_access_of": read_additional_access_in_batch,
    "assignments": read_assignments,
    "assignments_of": read_assignments_in_batch,
    "references_of": read_references_in_batch,
    "groups": lambda graph, package_id: graph.references(package_id, GROUP),
    "packages": lambda graph, package_id: graph.references(package_id, PACKAGE),
    "add": lambda graph, package_id: graph.add(Reference(package_id, PACKAGE, PAY)),
    "remove": lambda graph, package_id: graph.remove(Reference(package_id, PACKAGE, PAY)),
}

# A filtered list is empty where its package does not exist.
TELLING = {name: ask for name, ask in ASKS.items() if not name.startswith("assignments")}


@pytest.fixture(params=["memory", "simulator"])
def adapter(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def graph(adapter: str, simulator: Simulator, connect: Connect) -> Graph:
    """Graph as the app sees it, which has a role in the Finance catalog only."""
    simulator.control.behave(page_size=PAGE_SIZE)
    return memory_graph(page_size=PAGE_SIZE) if adapter == "memory" else connect()


@pytest.fixture
def admin(adapter: str, connect: Connect) -> Graph:
    """Graph as an identity sees it that may read and write in the whole tenant."""
    if adapter == "simulator":
        return connect(AZURE_CLIENT_ID=ADMIN_CLIENT)
    memory = memory_graph()
    memory.unreadable.clear()
    memory.whole_tenant = True
    payers = Group(id=PAYERS, is_security_enabled=True, display_name=f"Group {PAYERS[:2]}")
    memory.groups = {PAYERS: payers}
    memory.members = {PAYERS: 3, READERS: 0}
    return memory


async def test_a_group_is_read_by_who_may_read_the_directory(admin: Graph) -> None:
    """With a directory permission a group is known, and so is that one does not exist."""
    group = await admin.group(PAYERS)
    assert group == Group(id=PAYERS, is_security_enabled=True)
    assert group.display_name == f"Group {PAYERS[:2]}"
    with pytest.raises(NotFound):
        await admin.group(UNKNOWN)


async def test_a_role_on_catalogs_reads_no_group(graph: Graph) -> None:
    """The app's own role says nothing about groups, whether they exist or not."""
    for group_id in (PAYERS, UNKNOWN):
        with pytest.raises(Forbidden):
            await graph.group(group_id)


async def test_members_are_counted_by_who_may_read_the_directory(admin: Graph) -> None:
    """Each group has its own answer: how many members it has, or that it does not exist."""
    found = await admin.member_counts([PAYERS, READERS, UNKNOWN])
    assert (found[PAYERS], found[READERS]) == (3, 0)
    assert isinstance(found[UNKNOWN], NotFound)
    assert await admin.member_counts([]) == {}


async def test_a_role_on_catalogs_counts_no_members(graph: Graph) -> None:
    """Not knowing is no zero: the app's own role is refused for each group."""
    found = await graph.member_counts([PAYERS, UNKNOWN])
    assert found.keys() == {PAYERS, UNKNOWN}
    assert all(isinstance(each, Forbidden) for each in found.values())


async def test_the_list_has_the_readable_packages_with_catalog_and_without_groups(
    graph: Graph,
) -> None:
    """Listing gives each readable package with its catalog, and groups to none."""
    found = {each.id: each for each in await graph.packages()}
    assert found.keys() == {PAY, APPROVE, ORDER}
    assert all(each.catalog_id == FINANCE for each in found.values())
    assert all(each.member_groups == frozenset() for each in found.values())
    assert found[PAY].display_name == "Pay"


async def test_the_list_goes_on_after_a_full_page(admin: Graph, graph: Graph) -> None:
    """Listing gives the packages of all pages."""
    assert {each.id for each in await admin.packages()} == set(CATALOG_OF)
    assert len(await graph.packages()) > PAGE_SIZE


async def test_a_package_names_the_groups_that_it_makes_people_members_of(graph: Graph) -> None:
    """Members and eligible members of directory groups, each apart; no owners, no sites."""
    found = await graph.package(PAY)
    assert found.member_groups == {PAYERS, READERS}
    assert found.eligible_groups == {ELIGIBLES}


async def test_a_package_has_no_groups_where_it_grants_none(graph: Graph) -> None:
    """A package without resources is a package with no groups."""
    assert (await graph.package(APPROVE)).member_groups == frozenset()


async def test_many_packages_come_each_with_its_own_answer(graph: Graph) -> None:
    """A batch gives packages as `package` does, and an error for each that cannot be read."""
    found = await graph.packages_by_id([APPROVE, RELEASE, PAY, UNKNOWN])
    assert found.keys() == {APPROVE, RELEASE, PAY, UNKNOWN}
    assert found[PAY] == await graph.package(PAY)
    assert found[APPROVE] == await graph.package(APPROVE)
    assert isinstance(found[RELEASE], Forbidden)
    assert isinstance(found[UNKNOWN], Forbidden)


async def test_more_packages_than_a_batch_takes_are_all_answered(graph: Graph) -> None:
    """Twenty-five ids are answered, though Graph takes twenty in a batch."""
    wanted = [PAY, *(guid(f"9{number:03}") for number in range(24))]
    found = await graph.packages_by_id(wanted)
    assert found.keys() == set(wanted)
    assert [key for key, each in found.items() if not isinstance(each, GraphError)] == [PAY]


async def test_no_packages_are_asked_for_in_vain(graph: Graph) -> None:
    """No ids give no packages."""
    assert await graph.packages_by_id([]) == {}


async def test_additional_access_gives_assignments_of_the_first_package(graph: Graph) -> None:
    """Who holds both packages is named by assignments of the first."""
    found = await collected(graph.additional_access(PAY, APPROVE))
    assert found == [assignment(PAY, ANN), assignment(PAY, BOB)]


async def test_additional_access_the_other_way_round(graph: Graph) -> None:
    """Turned round, the same people are named by assignments of the other package."""
    found = await collected(graph.additional_access(APPROVE, PAY))
    assert found == [assignment(APPROVE, ANN), assignment(APPROVE, BOB)]


async def test_additional_access_may_find_no_subject(graph: Graph) -> None:
    """Two packages without a common holder give no assignments, and no error."""
    assert await collected(graph.additional_access(APPROVE, ORDER)) == []


async def test_additional_access_needs_two_packages(graph: Graph) -> None:
    """One package against itself is refused."""
    with pytest.raises(Rejected):
        await collected(graph.additional_access(PAY, PAY))


async def test_assignments_include_expired_ones_and_unknown_people(graph: Graph) -> None:
    """All assignments come, expired ones too, and those whose person Graph does not know yet."""
    assert await collected(graph.assignments(PAY)) == assignments(PAY)


async def test_assignments_come_in_pages(graph: Graph) -> None:
    """No page is larger than Graph makes it."""
    sizes = [len(page) async for page in graph.assignments(PAY)]
    assert sizes == [2, 2, 1]


async def test_assignments_of_many_packages_come_page_by_page(graph: Graph) -> None:
    """Each package has all its assignments, on pages as Graph makes them."""
    wanted = [PAY, APPROVE, ORDER]
    pages = [(key, page) async for key, page in graph.assignments_of([*wanted, PAY])]
    sizes = Counter((key, len(page)) for key, page in pages if not isinstance(page, GraphError))
    assert sizes == {(PAY, 2): 2, (PAY, 1): 1, (APPROVE, 2): 2, (ORDER, 1): 1}
    assert await sorted_out(graph.assignments_of(wanted)) == {
        key: assignments(key) for key in wanted
    }


async def test_holders_of_many_packages_are_the_subjects_of_their_assignments(graph: Graph) -> None:
    """The ids are those that the assignments show; a package that may not be read has its error."""
    holders: dict[str, list[str]] = {}
    refused: list[str] = []
    async for key, page in graph.holders_of([PAY, APPROVE, RELEASE]):
        if isinstance(page, GraphError):
            refused.append(key)
        else:
            holders.setdefault(key, []).extend(page)
    assert refused == [RELEASE]
    assert holders == {
        key: [each.subject.id for each in assignments(key) if each.is_held]
        for key in (PAY, APPROVE)
    }


async def test_one_package_that_may_not_be_read_spoils_no_other(graph: Graph) -> None:
    """It yields its error once; the others are read to their ends."""
    answers = [each async for each in graph.assignments_of([RELEASE, PAY, UNKNOWN])]
    refused = {key: each for key, each in answers if isinstance(each, GraphError)}
    assert refused.keys() == {RELEASE, UNKNOWN}
    assert all(isinstance(each, Forbidden) for each in refused.values())
    pages = [page for key, page in answers if key == PAY and not isinstance(page, GraphError)]
    assert [each for page in pages for each in page] == assignments(PAY)


async def test_additional_access_of_many_pairs(graph: Graph) -> None:
    """Each ordered pair has its own answer, an empty or a refused one among them."""
    pairs = [(PAY, APPROVE), (APPROVE, PAY), (APPROVE, ORDER), (PAY, PAY)]
    answers = [each async for each in graph.additional_access_of(pairs)]
    found = {key: list(each) for key, each in answers if not isinstance(each, GraphError)}
    assert found == {
        (PAY, APPROVE): [assignment(PAY, ANN), assignment(PAY, BOB)],
        (APPROVE, PAY): [assignment(APPROVE, ANN), assignment(APPROVE, BOB)],
        (APPROVE, ORDER): [],
    }
    (refused,) = (each for key, each in answers if key == (PAY, PAY))
    assert isinstance(refused, Rejected)


async def test_references_of_many_packages(graph: Graph) -> None:
    """Both kinds of each package, over several pages; an error where it may not be read."""
    groups = {PAYERS, READERS, AUDITORS}
    for group in groups:
        await graph.add(Reference(PAY, GROUP, group))
    await graph.add(Reference(APPROVE, PACKAGE, PAY))
    found = await graph.references_of([PAY, APPROVE, RELEASE])
    assert isinstance(found[RELEASE, GROUP], Forbidden)
    assert isinstance(found[RELEASE, PACKAGE], Forbidden)
    assert {key: each for key, each in found.items() if key[0] != RELEASE} == {
        (PAY, GROUP): groups,
        (PAY, PACKAGE): frozenset(),
        (APPROVE, GROUP): frozenset(),
        (APPROVE, PACKAGE): {PAY},
    }


async def test_nothing_is_read_in_vain(graph: Graph) -> None:
    """No packages and no pairs give nothing."""
    assert [each async for each in graph.assignments_of([])] == []
    assert [each async for each in graph.holders_of([])] == []
    assert [each async for each in graph.additional_access_of([])] == []
    assert await graph.references_of([]) == {}


@pytest.mark.parametrize(
    ("kind", "targets"), [(GROUP, {PAYERS, AUDITORS}), (PACKAGE, {APPROVE, ORDER})]
)
async def test_added_references_are_listed(
    graph: Graph, kind: ReferenceKind, targets: set[str]
) -> None:
    """What was added is listed under its kind, on its package, and nowhere else."""
    for target in targets:
        await graph.add(Reference(PAY, kind, target))
    assert await graph.references(PAY, kind) == targets
    assert await graph.references(PAY, PACKAGE if kind is GROUP else GROUP) == frozenset()
    assert await graph.references(APPROVE, kind) == frozenset()


async def test_references_of_several_pages_are_all_listed(graph: Graph) -> None:
    """More references than a page holds are all listed."""
    groups = {PAYERS, READERS, AUDITORS}
    for group in groups:
        await graph.add(Reference(PAY, GROUP, group))
    assert len(groups) > PAGE_SIZE
    assert await graph.references(PAY, GROUP) == groups


@pytest.mark.parametrize(("kind", "target"), [(GROUP, AUDITORS), (PACKAGE, APPROVE)])
async def test_a_removed_reference_is_gone(graph: Graph, kind: ReferenceKind, target: str) -> None:
    """What was added can be removed."""
    reference = Reference(PAY, kind, target)
    await graph.add(reference)
    await graph.remove(reference)
    assert await graph.references(PAY, kind) == frozenset()


@pytest.mark.parametrize(
    ("reference", "refusal"),
    [
        pytest.param(Reference(PAY, PACKAGE, PAY), Rejected, id="itself"),
        pytest.param(Reference(PAY, PACKAGE, UNKNOWN), Rejected, id="unknown package"),
        pytest.param(Reference(PAY, GROUP, UNKNOWN_GROUP), Rejected, id="unknown group"),
        pytest.param(Reference(PAY, GROUP, MAIL_ONLY), Rejected, id="mail-only group"),
    ],
)
async def test_an_unsuitable_reference_is_refused(
    graph: Graph, reference: Reference, refusal: type[GraphError]
) -> None:
    """A reference to what cannot be incompatible is refused and not written."""
    with pytest.raises(refusal):
        await graph.add(reference)
    assert await graph.references(PAY, reference.kind) == frozenset()


async def test_a_package_that_may_not_be_read_may_be_referred_to(graph: Graph) -> None:
    """The package referred to may lie in a catalog that the app has no role in."""
    await graph.add(Reference(PAY, PACKAGE, RELEASE))
    assert await graph.references(PAY, PACKAGE) == {RELEASE}


@pytest.mark.parametrize(("kind", "target"), [(GROUP, AUDITORS), (PACKAGE, APPROVE)])
async def test_a_second_add_is_refused(graph: Graph, kind: ReferenceKind, target: str) -> None:
    """Adding what is there is refused, and it is there once."""
    reference = Reference(PAY, kind, target)
    await graph.add(reference)
    with pytest.raises(Rejected):
        await graph.add(reference)
    assert await graph.references(PAY, kind) == {target}


@pytest.mark.parametrize(("kind", "target"), [(GROUP, AUDITORS), (PACKAGE, APPROVE)])
async def test_removing_what_is_absent_finds_nothing(
    graph: Graph, kind: ReferenceKind, target: str
) -> None:
    """Removing a reference that is not there says so."""
    with pytest.raises(NotFound):
        await graph.remove(Reference(PAY, kind, target))


@pytest.mark.parametrize("package_id", [RELEASE, UNKNOWN], ids=["unreadable", "unknown"])
@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_a_refusal_does_not_tell_whether_the_package_exists(
    graph: Graph, ask: Ask, package_id: str
) -> None:
    """To an identity with catalog roles, unreadable and unknown packages are both forbidden."""
    with pytest.raises(Forbidden):
        await ask(graph, package_id)


@pytest.mark.parametrize("ask", TELLING.values(), ids=TELLING)
async def test_an_identity_with_the_whole_tenant_learns_that_a_package_does_not_exist(
    admin: Graph, ask: Ask
) -> None:
    """To an identity that may read everything, an unknown package is not found."""
    with pytest.raises(NotFound):
        await ask(admin, UNKNOWN)


async def test_assignments_of_an_unknown_package_are_an_empty_list_to_the_whole_tenants_identity(
    admin: Graph,
) -> None:
    """The filtered list of an unknown package is empty where nothing is forbidden."""
    assert await read_assignments(admin, UNKNOWN) == []
    assert await read_assignments_in_batch(admin, UNKNOWN) == []


async def test_both_graphs_hold_the_same_packages(admin: Graph) -> None:
    """The two tenants are one: each package of one is a package of the other."""
    for package_id in CATALOG_OF:
        found = await admin.package(package_id)
        assert replace(found, other_roles=frozenset()) == package(package_id)


async def test_the_probe_is_harmless(graph: Graph) -> None:
    """Probing raises nothing where Graph answers."""
    await graph.probe()


async def test_what_a_subject_holds_is_read_by_its_object_id(admin: Graph) -> None:
    """All packages of each of many subjects, expired ones included; a stranger holds nothing."""
    asked = [object_id(ANN), object_id(CAS), UNKNOWN]
    found = await sorted_out(admin.assignments_of_subjects(asked))
    held = {key: {each.package_id for each in page} for key, page in found.items()}
    assert held == {
        object_id(ANN): {PAY, APPROVE, RELEASE},
        object_id(CAS): {PAY, APPROVE},
        UNKNOWN: set(),
    }


async def test_rights_on_a_catalog_do_not_show_all_that_a_subject_holds(graph: Graph) -> None:
    """Graph refuses the list without a package, and gives it package by package."""
    with pytest.raises(Forbidden):
        await sorted_out(graph.assignments_of_subjects([object_id(ANN)]))
    wanted = [(object_id(ANN), package) for package in (PAY, ORDER)]
    found = await sorted_out(graph.assignments_of_subjects_in(wanted))
    assert [[each.id for each in found[key]] for key in wanted] == [[assignment_id(PAY, ANN)], []]
    with pytest.raises(Forbidden):
        await sorted_out(graph.assignments_of_subjects_in([(object_id(ANN), RELEASE)]))


async def test_a_subject_is_found_by_either_of_its_ids(graph: Graph) -> None:
    """The object id is the alternate key, the subject's id the key; the third id is unknown."""
    found = await graph.subjects([ANN, object_id(ANN), UNKNOWN])
    for key in (ANN, object_id(ANN)):
        person = found[key]
        assert isinstance(person, Subject)
        assert (person.id, person.object_id) == (ANN, object_id(ANN))
    assert isinstance(found[UNKNOWN], NotFound)


async def test_the_directory_is_not_for_a_role_in_entitlement_management(graph: Graph) -> None:
    """The directory requires its own permissions. Without them each answer is Forbidden."""
    found = await graph.directory_subjects([object_id(ANN), UNKNOWN])
    assert [type(each) for each in found.values()] == [Forbidden, Forbidden]
    found = await graph.users_by_name(["ann@contoso.example", GUEST_NAME])
    assert [type(each) for each in found.values()] == [Forbidden, Forbidden]


async def test_a_user_is_found_by_name(connect: Connect) -> None:
    """A guest's name contains a number sign. A name without an account is not found."""
    people = connect(AZURE_CLIENT_ID=PEOPLE_CLIENT)
    unknown = "a b/c?d=e@contoso.example"
    found = await people.users_by_name([GUEST_NAME, GUEST_NAME.upper(), unknown])
    for name in (GUEST_NAME, GUEST_NAME.upper()):
        user = found[name]
        assert isinstance(user, Subject)
        assert (user.object_id, user.principal_name) == (GUEST, GUEST_NAME)
    assert isinstance(found[unknown], NotFound)
    assert "contoso" not in str(found[unknown])
    assert await people.users_by_name([]) == {}
