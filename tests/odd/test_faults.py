"""What is right on the odd tenant."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli.plan import make
from entra_sod.cli.session import Session
from entra_sod.core.errors import GraphError, UnsafeLink
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.rules.language import References
from entra_sod.settings import read_settings
from entra_sod.stores.ledger import Ledger, WriteOrigin
from local.graph import odd_packages as packages
from local.graph.demo_people import make_id
from local.graph.odd import SCHEDULES, assignment_id, object_id
from local.graph.odd_packages import COUNTERPART, NAMES, named
from local.memory.clock import ManualClock
from local.memory.storage import MemoryStorage
from tests.adapters.graph.fixtures import Simulator
from tests.odd.setup import Commands, OddApp, between

pytestmark = pytest.mark.slow

UNKNOWN = 3
# Strict: who mends a fault is told by the test that it passes, and takes the mark away.
PAYERS, APPROVERS = packages.GRANTS_PAYERS, packages.GRANTS_APPROVERS


@pytest.fixture(autouse=True)
def _app_is_put_back(make_app: object) -> None:
    """What a test installs is taken out again."""


@pytest.fixture(autouse=True)
def _nothing_waits(waits: list[float]) -> None:
    """Retries are counted, not waited for."""


def lose_role(simulator: Simulator) -> None:
    simulator.control.replace_roles()


def lose_role_and_read_empty_lists(simulator: Simulator) -> None:
    simulator.control.replace_roles()
    simulator.control.behave(lists_without_role="empty")


def lose_licence(simulator: Simulator) -> None:
    simulator.control.behave(licensed=False)


def gaps(answer: dict[str, Any]) -> str:
    return json.dumps(answer["coverage"]["skipped"])


# A1


@pytest.mark.parametrize("command", ["plan", "drift"])
@pytest.mark.parametrize("lose", [lose_role, lose_role_and_read_empty_lists, lose_licence])
def test_a1_what_could_not_be_read_is_not_nothing_to_do(
    commands: Commands, simulator: Simulator, command: str, lose: Any
) -> None:
    """Without a role or a licence, plan and drift end with 3."""
    commands.write(between(PAYERS, APPROVERS))
    lose(simulator)
    done = commands.run(command)
    assert done.exit_code == UNKNOWN
    assert "no drift" not in done.output


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_a1_a_missing_licence_is_named(
    commands: Commands, simulator: Simulator, command: str
) -> None:
    """The reason is Graph's, and not the one of a missing role."""
    commands.write(between(PAYERS, APPROVERS))
    lose_licence(simulator)
    assert "licence" in commands.run(command).output


@pytest.mark.parametrize("command", ["plan", "drift"])
@pytest.mark.parametrize("lose", [lose_role, lose_role_and_read_empty_lists, lose_licence])
def test_a1_rules_by_name_are_not_nothing_to_do(
    commands: Commands, simulator: Simulator, command: str, lose: Any
) -> None:
    """The same where packages are selected by name, of a list that is refused or empty."""
    sides = [{"packages": [{"name": "Payers"}]}, {"packages": [{"name": "Approvers"}]}]
    text = {"id": "r", "title": "T", "severity": "high", "owner": "o@example.com"}
    commands.write_json([{**text, "mode": "enforce", "between": sides}])
    lose(simulator)
    done = commands.run(command)
    assert done.exit_code == UNKNOWN, done.output
    assert "no drift" not in done.output


async def test_a1_a_licence_that_lapses_on_the_way_leaves_nothing_clear(
    client: GraphClient, simulator: Simulator
) -> None:
    """Every pair is unknown, and the licence is the reason."""
    wanted = [packages.WITH_GHOSTS, packages.WITH_STATES, packages.GRANTS_NOTHING]
    app = OddApp(client, *(between(each, COUNTERPART, f"r{n}") for n, each in enumerate(wanted)))
    simulator.control.add_faults(
        {
            "kind": "status",
            "error": "no-license",
            "match": {"path_contains": "entitlementManagement"},
            "skip": 2,
            "times": 10**6,
        }
    )
    answer = await app.swept()
    assert answer["pairs"] == {"total": 3, "conflict": 0, "clear": 0, "unknown": 3}
    assert "licence" in gaps(answer)


# A2


async def test_a2_what_the_ledger_knows_is_not_made_by_others(
    client: GraphClient, simulator: Simulator, tmp_path: Path
) -> None:
    """References of ours stay ours when one package moves out of reach."""
    clock, storage = ManualClock(), MemoryStorage()
    ledger, origin = (
        Ledger(storage, clock),
        WriteOrigin(run_id="run", rule_ids=("r",), rules_hash="hash"),
    )
    for on, to in ((PAYERS, APPROVERS), (APPROVERS, PAYERS)):
        reference = Reference(on, ReferenceKind.PACKAGE, to)
        await ledger.intend(reference, origin)
        await client.add(reference)
        await ledger.confirm(reference, origin)
    simulator.control.move_packages({APPROVERS: packages.ELSEWHERE})
    Commands(tmp_path, {}).write(between(PAYERS, APPROVERS))
    settings = read_settings({**simulator.settings, "PRUNE": "true"})
    session = Session(settings=settings, graph=client, storage=storage, clock=clock)
    plan, _ = await make(session, tmp_path, Console(quiet=True))
    assert list(plan.left_alone) == []


# A4


def test_a4_a_decomposed_name_is_selected(commands: Commands) -> None:
    """The composed pattern selects both packages of that name."""
    composed = unicodedata.normalize("NFC", NAMES["decomposed"])
    sides = [{"packages": [{"name": f"{composed}*"}]}, {"packages": [{"id": COUNTERPART}]}]
    text = {"id": "r", "title": "T", "severity": "high", "owner": "o@example.com"}
    commands.write_json([{**text, "mode": "enforce", "between": sides}])
    plan = json.loads(commands.run("plan", "--format", "json").stdout)
    assert plan["packages"].keys() == {named("composed"), named("decomposed"), COUNTERPART}


def test_a4_a_decomposed_catalog_is_selected(commands: Commands) -> None:
    """A composed pattern selects a catalog whose name is decomposed."""
    composed = unicodedata.normalize("NFC", "Pru\u0308fung")
    sides = [{"packages": [{"catalog": composed}]}, {"packages": [{"id": COUNTERPART}]}]
    text = {"id": "r", "title": "T", "severity": "high", "owner": "o@example.com"}
    commands.write_json([{**text, "mode": "enforce", "between": sides}])
    plan = json.loads(commands.run("plan", "--format", "json").stdout)
    assert plan["packages"].keys() == {packages.IN_DECOMPOSED, COUNTERPART}


# A5


def test_a5_a_package_that_gives_what_another_gives_is_named(commands: Commands) -> None:
    """The override package grants both sides, and no rule names it."""
    commands.write(between(PAYERS, APPROVERS, references=References.BOTH))
    for command, arguments in (("plan", ()), ("plan", ("--format", "markdown")), ("validate", ())):
        assert "for a day" in commands.run(command, *arguments).output


async def test_a5_a_sweep_names_it(client: GraphClient) -> None:
    """In the result and in the coverage, whether another rule names it or not."""
    for rules in (
        [between(PAYERS, APPROVERS)],
        [between(PAYERS, APPROVERS), between(packages.OVERRIDE, packages.GRANTS_NOTHING, "o")],
    ):
        answer = await OddApp(client, *rules).swept()
        assert [each["accessPackageId"] for each in answer["toxicPackages"]] == [packages.OVERRIDE]
        assert "for a day" in str(answer["coverage"]["checked"])


async def test_a5_the_override_package_is_not_simply_allowed(client: GraphClient) -> None:
    """Asking for it is asking for both sides."""
    app = OddApp(client, between(PAYERS, APPROVERS, references=References.BOTH))
    answer = await app.decided(object_id("ordinary"), packages.OVERRIDE)
    assert answer["decision"] == "deny"


# A6


@pytest.mark.parametrize(
    "granting",
    [
        packages.GRANTS_APP_ROLE,
        packages.GRANTS_OWNER,
        packages.GRANTS_ELIGIBLE_MEMBER,
        packages.GRANTS_ELIGIBLE_OWNER,
        packages.GRANTS_DIRECTORY_ROLE,
        packages.GRANTS_ELIGIBLE_AZURE_ROLE,
        packages.GRANTS_NOTHING,
    ],
)
def test_a6_a_rule_that_enforces_nothing_is_told(commands: Commands, granting: str) -> None:
    """No side grants membership of a security group. The plan says so."""
    commands.write(between(granting, packages.GRANTS_SITE_ROLE, references=References.GROUPS))
    plan = json.loads(commands.run("plan", "--format", "json").stdout)
    assert plan["additions"] == []
    assert plan["notEnforceable"]


def test_a6_a_microsoft_365_group_is_not_planned(commands: Commands, simulator: Simulator) -> None:
    """Graph refuses it, as it is not security-enabled."""
    commands.write(
        between(packages.GRANTS_TEAM, packages.GRANTS_SITE_ROLE, references=References.GROUPS)
    )
    tenant = simulator.control.tenant()
    tenant["identities"][0]["permissions"] = ["Group.Read.All"]
    simulator.control.replace_tenant(tenant)
    plan = json.loads(commands.run("plan", "--format", "json").stdout)
    assert plan["additions"] == []
    assert packages.GROUP_TEAM in json.dumps(plan["notEnforceable"])


# A9


@pytest.mark.parametrize(
    ("entry", "package_id", "holders"),
    [
        (None, packages.WITH_NULL_TARGET, 1),
        ("null", packages.WITH_GHOSTS, 1),
        ("misshapen", packages.WITH_GHOSTS, 1),
    ],
)
async def test_a9_one_unreadable_assignment_is_a_gap_of_its_own(
    client: GraphClient,
    simulator: Simulator,
    entry: str | None,
    package_id: str,
    holders: int,
) -> None:
    """The others are read, and it is named."""
    behaviour: dict[str, Any] = {"additional_access": "forbidden"}
    if entry:
        item = assignment_id(package_id, "forgotten")
        behaviour["unreadable"] = [{"item": item, "answer": entry}]
    simulator.control.behave(**behaviour)
    answer = await OddApp(client, between(package_id, COUNTERPART)).check_ids(
        package_id, COUNTERPART
    )
    assert (answer["status"], answer["outcome"]) == ("completed", "conflict")
    assert answer["holderCount"] == holders
    assert "assignment" in gaps(answer)


async def test_a9_a_null_target_spoils_no_other_package(
    client: GraphClient, simulator: Simulator
) -> None:
    """The packages of the same part of a sweep are read."""
    simulator.control.behave(additional_access="forbidden")
    answer = await OddApp(
        client,
        between(packages.WITH_NULL_TARGET, COUNTERPART, "null"),
        between(packages.WITH_GHOSTS, COUNTERPART, "ghosts"),
    ).swept()
    assert answer["pairs"]["conflict"] == 2
    assert f"the assignments of {COUNTERPART}" not in gaps(answer)


# Items, packages and references that cannot be read


async def test_new_one_package_that_fails_spoils_no_other(
    client: GraphClient, simulator: Simulator
) -> None:
    """A package that answers 500 is a gap; the other pair is checked."""
    simulator.control.behave(unreadable=[{"path_contains": packages.WITH_STATES}])
    answer = await OddApp(
        client,
        between(packages.WITH_STATES, COUNTERPART, "states"),
        between(packages.WITH_GHOSTS, COUNTERPART, "ghosts"),
    ).swept()
    assert answer["pairs"] == {"total": 2, "conflict": 1, "clear": 0, "unknown": 1}
    assert packages.WITH_STATES in gaps(answer)
    assert packages.WITH_GHOSTS not in gaps(answer)


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_new_one_package_that_fails_does_not_end_a_command(
    commands: Commands, simulator: Simulator, command: str
) -> None:
    """The rest is planned, the package is named, exit code 3."""
    commands.write(
        between(packages.WITH_STATES, COUNTERPART, "states"), between(PAYERS, APPROVERS, "pay")
    )
    simulator.control.behave(unreadable=[{"path_contains": packages.WITH_STATES}])
    done = commands.run(command)
    assert done.exit_code == UNKNOWN
    assert packages.WITH_STATES in done.output


@pytest.mark.parametrize("answer", ["null", "misshapen", "server-error"])
@pytest.mark.parametrize("command", ["plan", "drift"])
def test_new_one_reference_that_fails_does_not_end_a_command(
    commands: Commands, simulator: Simulator, command: str, answer: str
) -> None:
    """Its package is named, the others are planned, exit code 3."""
    tenant = simulator.control.tenant()
    for package in tenant["accessPackages"]:
        if package["id"] == PAYERS:
            package["incompatibleGroups"] = [{"id": packages.GROUP_APPROVERS}]
    simulator.control.replace_tenant(tenant)
    commands.write(
        between(PAYERS, APPROVERS, "pay"), between(packages.WITH_GHOSTS, COUNTERPART, "ghosts")
    )
    simulator.control.behave(
        unreadable=[
            {
                "item": packages.GROUP_APPROVERS,
                "path_contains": "incompatibleGroups",
                "answer": answer,
            }
        ]
    )
    done = commands.run(command)
    assert done.exit_code == UNKNOWN
    assert PAYERS in done.output


@pytest.mark.parametrize("answer", ["forbidden", "not-found"])
@pytest.mark.parametrize("page", [1, 2, 3])
async def test_new_one_page_that_fails_leaves_the_pair_unknown(
    client: GraphClient, simulator: Simulator, answer: str, page: int
) -> None:
    """A check that read only some pages is completed, and unknown."""
    simulator.control.behave(
        additional_access="forbidden",
        page_size=20,
        unreadable=[{"path_contains": COUNTERPART, "page": page, "answer": answer}],
    )
    pair = (packages.WITH_GHOSTS, COUNTERPART)
    found = await OddApp(client, between(*pair)).check_ids(*pair)
    assert (found["status"], found["outcome"]) == ("completed", "unknown")
    assert COUNTERPART in gaps(found)


# A10


@pytest.mark.parametrize("then", ["first-page", "last-page", "empty-page"])
async def test_a10_a_list_without_end_ends(
    client: GraphClient, simulator: Simulator, then: str
) -> None:
    """The list is an unsafe link long before 300 requests."""
    simulator.control.behave(after_last_page=then, after_last_page_path=COUNTERPART)
    simulator.control.add_faults({"kind": "status", "status": 400, "skip": 300, "times": 10**6})
    with pytest.raises(GraphError) as raised:
        async for _ in client.assignments(COUNTERPART):
            pass
    assert isinstance(raised.value, UnsafeLink)


@pytest.mark.parametrize("then", ["first-page", "last-page", "empty-page"])
async def test_a10_a_list_without_end_is_a_gap_of_a_batch(
    client: GraphClient, simulator: Simulator, then: str
) -> None:
    """In batches, too, and the other lists are read."""
    simulator.control.behave(after_last_page=then, after_last_page_path=packages.WITH_STATES)
    simulator.control.add_faults({"kind": "status", "status": 400, "skip": 300, "times": 10**6})
    wanted = [packages.WITH_STATES, packages.WITH_GHOSTS]
    errors = {
        key: page
        async for key, page in client.assignments_of(wanted)
        if isinstance(page, Exception)
    }
    assert isinstance(errors.pop(packages.WITH_STATES), UnsafeLink)
    assert errors == {}


# A12


@pytest.mark.parametrize("way", ["supported", "forbidden"])
async def test_a12_holders_are_counted_not_their_assignments(
    client: GraphClient, simulator: Simulator, way: str
) -> None:
    """One person under two policies is one holder, in both orders."""
    simulator.control.behave(additional_access=way)
    pair = (packages.WITH_TWO_POLICIES, COUNTERPART)
    app = OddApp(client, between(*pair))
    counts = [(await app.check_ids(*order))["holderCount"] for order in (pair, pair[::-1])]
    assert counts == [1, 1]


# A13


@pytest.mark.parametrize("name", SCHEDULES)
async def test_a13_a_delivered_assignment_is_held_whatever_its_schedule(
    client: GraphClient, name: str
) -> None:
    """Year 1 is no end. What lasts for ever is denied, not left to a review."""
    app = OddApp(client, between(packages.WITH_SCHEDULES, packages.WITH_STATES))
    answer = await app.decided(object_id(f"schedule {name}"), packages.WITH_STATES)
    assert answer["decision"] == "deny"
    assert not str(answer["conflicts"][0]["until"]).startswith("0001")


# B1


@pytest.mark.parametrize(
    "subject",
    [make_id("in no tenant"), "00000000-0000-0000-0000-000000000000", COUNTERPART],
    ids=["random", "zero", "a package"],
)
async def test_b1_an_unknown_subject_is_not_allowed(client: GraphClient, subject: str) -> None:
    """An id that nothing vouches for is a review."""
    app = OddApp(client, between(packages.WITH_STATES, COUNTERPART))
    assert (await app.decided(subject, packages.WITH_STATES))["decision"] == "review"


# B2


async def test_b2_a_known_person_is_not_called_unknown(client: GraphClient) -> None:
    """The alternate key finds the person."""
    app = OddApp(client, between(packages.WITH_STATES, packages.WITH_GHOSTS))
    answer = await app.decided(object_id("ordinary"), packages.WITH_STATES)
    assert answer["decision"] == "allow"
    assert "no such subject" not in json.dumps(answer)


async def test_b1_a_deleted_person_is_not_allowed(client: GraphClient) -> None:
    """Entitlement management no longer finds the person by either key."""
    app = OddApp(client, between(packages.WITH_STATES, packages.WITH_SCHEDULES))
    answer = await app.decided(object_id("deleted"), packages.WITH_STATES)
    assert answer["decision"] == "review"


# C1, C2


@pytest.mark.parametrize("oddity", NAMES)
@pytest.mark.parametrize("arguments", [(), ("--format", "markdown")], ids=["table", "markdown"])
def test_c1_c2_names_are_data(commands: Commands, oddity: str, arguments: tuple[str, ...]) -> None:
    """No traceback, no control, bidi or zero-width character."""
    commands.write(between(named(oddity), COUNTERPART))
    done = commands.run("plan", *arguments)
    assert done.exit_code == 2, repr(done.exception)
    unseen = {each for each in done.output if unicodedata.category(each) in {"Cc", "Cf", "Zl"}}
    assert unseen <= {"\n", "\t"}  # a tab stands between two cells
    if arguments:
        rows = [line for line in done.output.splitlines() if line.startswith("|")]
        bars = [row.replace("\\|", "").count("|") for row in rows]
        assert bars == [8] * 3 + [6] * 4  # by rule, and by reference
        assert "<img" not in done.output
        assert "**Pay**" not in done.output
        assert len(done.output) < 4_000


def test_c1_marks_in_a_name_are_shown(commands: Commands) -> None:
    """Rich markup is a part of the name."""
    commands.write(between(named("rich markup"), COUNTERPART))
    assert "[bold red]now[/bold red]" in commands.run("plan").output


async def test_c4_a_long_name_of_a_package_does_not_hold_up_a_sweep(client: GraphClient) -> None:
    """The sweep closes."""
    app = OddApp(client, between(named("long"), COUNTERPART))
    assert (await app.swept())["status"] == "completed"


async def test_c4_odd_names_of_people_do_not_hold_up_a_sweep(client: GraphClient) -> None:
    """A finding for each of them, though a name fits no table property."""
    app = OddApp(client, between(packages.WITH_NAMES, COUNTERPART))
    answer = await app.swept()
    assert (answer["status"], answer["findings"]) == ("completed", len(NAMES))
