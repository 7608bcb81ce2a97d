"""`entra-sod packages`: what people see before they write rules."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from entra_sod.cli.lists import PrintedList
from entra_sod.core.errors import Forbidden, UnreadableItem
from local.memory.graph import MemoryGraph
from tests.builders import guid, rule, side
from tests.cli.way_in import WayIn, named, on_terminal

A, B, C, D = (guid(each) for each in "abcd")


@pytest.fixture
def tenant(tmp_path: Path) -> WayIn:
    folder = tmp_path / "rules"
    folder.mkdir()
    return WayIn(folder, [named(each) for each in "dcba"], rule("pay", side("a"), side("b")))


async def test_a_piped_list_has_a_line_for_each_package(
    tenant: WayIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tabs between cells, in the order of catalogs and names; no assignment is read."""
    for each in ("assignments", "assignments_of", "references_of"):
        monkeypatch.delattr(MemoryGraph, each)
    done = await tenant.run("packages")
    assert (done.exit_code, done.stderr.strip()) == (0, "")
    assert done.stdout.splitlines() == [
        "name\tcatalog\tid\trules",
        f"Approve invoices\tFinance\t{A}\tpay",
        f"Pay invoices\tFinance\t{B}\tpay",
        f"Zahlung pru\u0308fen\tFinanzen\t{C}\t",
        f"Approve orders\tProcurement\t{D}\t",
    ]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["approve"], [A, D]),
        (["PAY"], [B]),
        (["Approve *", "--catalog", "finance"], [A]),
        (["zahlung pr\u00fcfen"], [C]),
        (["*pr?fen"], [C]),
        (["approve", "--catalog", "Fin*"], [A]),
        ([B[:8]], [B]),
        ([D.upper()], [D]),
    ],
)
async def test_a_search_compares_as_rules_do(
    arguments: list[str], found: list[str], tenant: WayIn
) -> None:
    """Any part of the name, a pattern of all of it, or an id; case and composition do not count."""
    done = await tenant.run("packages", *arguments, "--format", "json")
    assert [each["id"] for each in json.loads(done.stdout)["packages"]] == found
    assert done.exit_code == 0


async def test_the_formats_have_the_same_cells(tenant: WayIn) -> None:
    """CSV and Markdown for documents, JSON with what could not be read."""
    done = await tenant.run("packages", "pay", "--format", "csv")
    assert list(csv.reader(io.StringIO(done.stdout.lstrip("\ufeff")))) == [
        ["name", "catalog", "id", "rules"],
        ["Pay invoices", "Finance", B, "pay"],
    ]
    done = await tenant.run("packages", "pay", "--format", "markdown")
    assert done.stdout.splitlines()[2] == f"| Pay invoices | Finance | `{B}` | pay |"
    done = await tenant.run("packages", "pay", "--format", "json")
    assert json.loads(done.stdout) == {
        "packages": [
            {
                "id": B,
                "name": "Pay invoices",
                "catalog": "Finance",
                "catalogId": guid("c1"),
                "rules": ["pay"],
            }
        ],
        "notRead": [],
    }


async def test_a_search_that_finds_nothing_says_so(tenant: WayIn) -> None:
    """With the number of packages that there are, and the nearest name; the list is whole."""
    done = await tenant.run("packages", "Payed")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == (
        'no access package fits "Payed"; you may read 4. Did you mean Pay invoices?\n'
    )
    done = await tenant.run("packages", "--catalog", "Finanzem")
    assert "Did you mean Finanzen, Finance?" in done.stderr


async def test_an_identity_without_a_role_learns_which_it_needs(tenant: WayIn) -> None:
    """An empty list is no proof that there are no packages."""
    tenant.graph.unreadable |= {A, B, C, D}
    done = await tenant.run("packages")
    assert (done.exit_code, done.stdout) == (3, "")
    said = " ".join(done.stderr.split())
    assert "it has no access package that ada@example.com may read" in said
    assert "Fix: give it Catalog reader (to plan)" in said
    done = await tenant.run("packages", "--format", "json")
    [gap] = json.loads(done.stdout)["notRead"]
    assert gap["reason"] == "missing-role"


async def test_a_list_that_is_not_whole_is_exit_code_3(
    tenant: WayIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was understood is listed, and the item that was not is named."""

    async def partly() -> None:
        raise UnreadableItem("package 7", "it has no id", [named("a")])

    monkeypatch.setattr(tenant.graph, "packages", partly)
    done = await tenant.run("packages")
    assert done.exit_code == 3
    assert "Approve invoices" in done.stdout
    assert "not known: the list of access packages: Graph's answer" in done.stderr


async def test_a_tenant_that_refuses_is_exit_code_3(
    tenant: WayIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason of Graph."""

    async def refuse() -> None:
        raise Forbidden("no role", status=403)

    monkeypatch.setattr(tenant.graph, "packages", refuse)
    done = await tenant.run("packages")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "entra-sod: no role" in done.stderr


async def test_rules_with_mistakes_leave_the_list(tenant: WayIn) -> None:
    """People look at packages to mend rules; which rules name them is said to be unknown."""
    (tenant.folder / "rules.yaml").write_text("version: 1\nrules: [{id: x}]\n")
    done = await tenant.run("packages", "pay")
    assert done.exit_code == 3
    assert done.stdout.splitlines() == ["name\tcatalog\tid", f"Pay invoices\tFinance\t{B}"]
    assert "which rules name each access package" in done.stderr
    assert "entra-sod validate rules --offline" in " ".join(done.stderr.split())


async def test_without_a_folder_of_rules_there_is_no_such_column(tmp_path: Path) -> None:
    """Without rules, the list does not mention them."""
    (tmp_path / "elsewhere").mkdir()
    tenant = WayIn(tmp_path / "elsewhere", [named("a")])
    done = await tenant.run("packages")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "name\tcatalog\tid"


async def test_rules_in_a_container_are_no_folder(
    tenant: WayIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings of an app name one; the list goes without the column."""
    monkeypatch.setattr(tenant, "rules_setting", "blob:rules")
    done = await tenant.run("packages", "pay")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "name\tcatalog\tid")


async def test_names_are_data(tenant: WayIn) -> None:
    """A tab or a line break in a name makes no further cell or line."""
    tenant.graph.put(named("e"))
    tenant.graph._packages[guid("e")] = named("e")
    object.__setattr__(tenant.graph._packages[guid("e")], "display_name", "x\ty\n[red]\x1b[31m")
    done = await tenant.run("packages", "x*")
    assert done.stdout.splitlines()[1] == f"x\\ty\\n[red]\\x1b[31m\tOther\t{guid('e')}\t"


def test_at_80_columns_names_stand_above_ids() -> None:
    """An id is one word to copy, and no line is longer than the terminal."""
    listing = PrintedList(
        key="packages",
        columns=("name", "catalog", "id", "rules"),
        rows=[
            ("Approve invoices", "Finance", A, "approve-and-release, pay-and-approve"),
            ("A name that is quite long, as names of access packages are", "Procurement", B, ""),
        ],
        below={"name": "id"},
    )
    assert on_terminal(listing) == (
        "name                             catalog      rules\n"
        "Approve invoices                 Finance      approve-and-release,\n"
        "aaaaaaaa                                      pay-and-approve\n"
        "A name that is quite long, as    Procurement\n"
        "names of access packages are\n"
        "bbbbbbbb"
    )
    assert on_terminal(replace(listing, whole_ids=True)).splitlines()[2].startswith(A)


def test_rows_with_one_head_stand_below_it() -> None:
    """And their columns stand below each other, whichever head they have."""
    listing = PrintedList(
        key="findings",
        columns=("finding", "who", "state"),
        rows=[("1" * 32, "Ada", "open"), ("2" * 32, "Grace Hopper", "open"), ("3" * 32, "x", "o")],
        ids=frozenset({"finding"}),
        heads=[("Pay \u00d7 Approve", "high"), ("Pay \u00d7 Approve", "high"), ("Pay", "low")],
    )
    assert on_terminal(listing, 40) == (
        "Pay \u00d7 Approve  high\n"
        "  11111111  Ada           open\n"
        "  22222222  Grace Hopper  open\n"
        "Pay  low\n"
        "  33333333  x             o"
    )


@given(
    st.lists(st.tuples(st.text(max_size=60), st.uuids().map(str)), min_size=1), st.integers(40, 100)
)
def test_no_line_is_longer_than_the_terminal(rows: list[tuple[str, str]], width: int) -> None:
    """Whatever the names are; what does not fit is folded."""
    listing = PrintedList(key="x", columns=("name", "id"), rows=rows, below={"name": "id"})
    assert all(cell_len(each) <= width for each in on_terminal(listing, width).splitlines())
