"""`entra-sod import references`: what a tenant has becomes rules that ask for just that."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entra_sod.cli.operations.inventory import as_enforced
from entra_sod.cli.operations.plan_document import make_document
from entra_sod.cli.operations.rules.format_yaml import format_yaml
from entra_sod.cli.state import read_state
from entra_sod.core.errors import Forbidden
from entra_sod.domain.entra import Group, Reference, ReferenceKind
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from entra_sod.domain.rules.resolve import resolve
from entra_sod.domain.rules.ruleset import RuleSet
from tests.builders import guid, rule, side
from tests.cli.rolling_back import to_group, to_package
from tests.cli.way_in import WayIn, named

NAMES = "abcdef"
EVERY = sorted(
    {
        *(to_package(on, other) for on in NAMES for other in NAMES if on != other),
        *(to_group(on, group) for on in NAMES for group in "123"),
    }
)
TODAY = date(2026, 6, 1)


def both_ways(*pairs: str) -> set[Reference]:
    return {to_package(*way) for pair in pairs for way in (pair, pair[::-1])}


def parsed(folder: Path) -> ParsedRules:
    return parse_rules(
        SourceFile(path.name, path.read_text()) for path in sorted(folder.glob("*.yaml"))
    )


@pytest.fixture
def tenant(tmp_path: Path) -> WayIn:
    folder = tmp_path / "rules"
    folder.mkdir()
    return WayIn(folder, [named(each) for each in NAMES])


async def test_the_file_has_names_beside_ids(tenant: WayIn) -> None:
    """A set of which one is allowed, two sides, a pair that works one way, and groups."""
    tenant.graph.present = both_ways("ab", "ac", "bc") | {to_package("d", "e"), to_group("f", "1")}
    group = Group(id=guid("1"), is_security_enabled=True, display_name="Auditors")
    tenant.graph.groups = {guid("1"): group}
    done = await tenant.run("import", "references", "--owner", "ann@contoso.com")
    assert done.exit_code == 0, done.output
    text = (tenant.folder / "references.yaml").read_text()
    head, _, body = text.partition("version: 1\n")
    assert "# Source: http://localhost:1, 8 references, sha256:" in head
    a, b, c, d, e, f, one = (guid(each) for each in "abcdef1")
    assert body == (
        "rules:\n"
        "  - id: at-most-one-e89e864fac\n"
        '    title: "At most one of \\"Approve invoices (Finance)\\", \\"Pay invoices (Finance)\\"'
        ' and 1 more"\n'
        "    severity: medium\n"
        '    owner: "ann@contoso.com"\n'
        "    mode: record\n"
        '    source: {file: "http://localhost:1", note: made of 6 references of the tenant}\n'
        "    references: packages\n"
        "    atMost:\n"
        "      count: 1\n"
        "      of:\n"
        f"        - id: {a}  # Approve invoices (Finance)\n"
        f"        - id: {b}  # Pay invoices (Finance)\n"
        f"        - id: {c}  # Zahlung pru\u0308fen (Finanzen)\n"
        "  # One way. References back that are missing, and that enforce writes: 1\n"
        '  # holders of "Approve orders (Procurement)" can get "Package e (Other)"\n'
        "  - id: between-9bd3349303\n"
        '    title: "\\"Approve orders (Procurement)\\" against \\"Package e (Other)\\""\n'
        "    severity: medium\n"
        '    owner: "ann@contoso.com"\n'
        "    mode: record\n"
        '    source: {file: "http://localhost:1", note: made of 1 reference of the tenant}\n'
        "    references: packages\n"
        "    between:\n"
        "      - packages:\n"
        f"          - id: {d}  # Approve orders (Procurement)\n"
        "      - packages:\n"
        f"          - id: {e}  # Package e (Other)\n"
        "  - id: groups-8ccf5842fc\n"
        '    title: "\\"Package f (Other)\\" against members of group \\"Auditors\\""\n'
        "    severity: medium\n"
        '    owner: "ann@contoso.com"\n'
        "    mode: record\n"
        '    source: {file: "http://localhost:1", note: made of 1 reference of the tenant}\n'
        "    references: groups\n"
        "    between:\n"
        "      - packages:\n"
        f"          - id: {f}  # Package f (Other)\n"
        "      - groups:\n"
        f"          - id: {one}  # Auditors\n"
    )


async def test_the_file_is_in_canonical_form(tenant: WayIn) -> None:
    """So `fmt` does not touch it, and importing again still knows its own file."""
    tenant.graph.present = both_ways("ab", "ac", "bc") | {to_package("d", "e"), to_group("f", "1")}
    await tenant.run("import", "references")
    file = tenant.folder / "references.yaml"
    assert format_yaml(SourceFile(file.name, file.read_text())) == file.read_text()


async def test_validate_names_the_rules_without_an_owner(tenant: WayIn) -> None:
    """Once for the file, with the first rules; naming the owner ends the warning."""
    tenant.graph.present = both_ways("ab", "cd")
    await tenant.run("import", "references")
    file = tenant.folder / "references.yaml"
    rules = [each.id for each in parsed(tenant.folder).rules.values()]
    done = await tenant.run("validate", "rules", "--offline")
    warning = (
        f'rules.0.owner is the placeholder "not named yet": name who answers for {", ".join(rules)}'
    )
    assert [line for line in done.stdout.splitlines() if "placeholder" in line] == [
        f"rules/references.yaml:11:12: warning: {warning}"
    ]
    assert done.exit_code == 0
    file.write_text(file.read_text().replace("not named yet", "ann@contoso.com"))
    assert (await tenant.run("validate", "rules", "--offline")).stdout == ""


async def test_the_report_says_what_is_missing_in_the_other_direction(tenant: WayIn) -> None:
    """A line for each, and below how much was made and what comes next."""
    tenant.graph.present = {to_package("d", "e")} | both_ways("ab")
    done = await tenant.run("import", "references")
    d, e = guid("d"), guid("e")
    [line] = done.stdout.splitlines()
    assert line.startswith("references.yaml: note: between-")
    assert line.endswith(
        ' is one way: holders of "Approve orders (Procurement)" can get "Package e (Other)". '
        f"The reference on {e} to {d} is missing. Fix: under enforce the app writes it."
    )
    assert done.stderr.splitlines()[0] == (
        "2 rules for 3 of 3 references; 0 named by other rules, 1 missing in the other direction; "
        "rules/references.yaml written"
    )
    assert "Next: entra-sod validate rules" in done.stderr
    done = await tenant.run("import", "references", "--format", "json")
    [remark] = json.loads(done.stdout)
    assert (remark["kind"], "is one way" in remark["what"]) == ("note", True)


async def test_importing_again_changes_nothing(tenant: WayIn) -> None:
    """As long as the tenant is the same. An unedited file follows a changed tenant."""
    tenant.graph.present = both_ways("ab", "de")
    assert (await tenant.run("import", "references")).exit_code == 0
    file = tenant.folder / "references.yaml"
    first = file.read_text()
    done = await tenant.run("import", "references")
    assert (done.exit_code, "no file written" in done.stderr) == (0, True)
    assert file.read_text() == first
    tenant.graph.present = both_ways("ab", "ac", "bc")
    done = await tenant.run("import", "references")
    assert "is taken out: the tenant has other references now" in done.stdout
    assert [each.partition("-")[0] for each in parsed(tenant.folder).rules] == ["at"]


async def test_a_file_that_people_changed_stays(tenant: WayIn) -> None:
    """What is new goes to another file, and what people have named is not imported twice."""
    tenant.graph.present = both_ways("ab")
    await tenant.run("import", "references")
    file = tenant.folder / "references.yaml"
    file.write_text(file.read_text().replace("mode: record", "mode: enforce"))
    changed = file.read_text()
    done = await tenant.run("import", "references")
    assert (done.exit_code, "1 rules" in done.stderr, file.read_text()) == (0, False, changed)
    tenant.graph.present |= both_ways("de")
    done = await tenant.run("import", "references")
    assert (done.exit_code, file.read_text()) == (1, changed)
    assert "Fix: write the new rules to a file beside it" in done.stderr
    done = await tenant.run("import", "references", "--out", "rules/references-new.yaml")
    assert done.exit_code == 0
    assert "1 rule for 2 of 4 references; 2 named by other rules" in done.stderr
    assert len(parsed(tenant.folder).rules) == 2


async def test_a_file_that_no_import_wrote_is_refused(tenant: WayIn) -> None:
    """Nothing of it changes."""
    tenant.graph.present = both_ways("ab")
    file = tenant.folder / "references.yaml"
    file.write_text("version: 1\nrules: []\n")
    done = await tenant.run("import", "references")
    assert (done.exit_code, file.read_text()) == (1, "version: 1\nrules: []\n")
    done = await tenant.run("import", "references", "--out", "rules/refs.txt")
    assert (done.exit_code, "has to end in .yaml" in done.stderr) == (1, True)


async def test_rules_that_are_there_are_not_made_again(tenant: WayIn) -> None:
    """Whatever their mode is, and however they name the packages."""
    tenant.write_rules(rule("own", side("a"), side("b")))
    tenant.graph.present = both_ways("ab", "ac")
    done = await tenant.run("import", "references")
    assert "1 rule for 2 of 4 references; 2 named by other rules" in done.stderr


async def test_a_catalog_has_a_file_of_its_own(tenant: WayIn) -> None:
    """References on and to its packages; another catalog does not take them away."""
    tenant.graph.present = both_ways("ab", "de")
    done = await tenant.run("import", "references", "--catalog", "procurement")
    assert "1 rule for 2 of 2 references" in done.stderr
    assert "rules/references-procurement.yaml written" in done.stderr
    done = await tenant.run("import", "references", "--catalog", "Finance")
    assert "1 rule for 2 of 2 references" in done.stderr
    assert len(parsed(tenant.folder).rules) == 2


async def test_where_nothing_may_be_read_nothing_is_written(
    tenant: WayIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An identity without a role sees no package; exit code 3 says that it proves nothing."""
    tenant.graph.present = both_ways("ab")
    tenant.graph.unreadable |= {guid(each) for each in NAMES}
    done = await tenant.run("import", "references")
    assert (done.exit_code, list(tenant.folder.iterdir())) == (3, [])
    assert "not read: the list of access packages: it has no access package" in done.stdout

    async def refuse() -> None:
        raise Forbidden("no role", status=403)

    monkeypatch.setattr(tenant.graph, "packages", refuse)
    done = await tenant.run("import", "references")
    assert (done.exit_code, list(tenant.folder.iterdir())) == (3, [])


async def test_a_package_that_cannot_be_read_leaves_a_gap(tenant: WayIn) -> None:
    """Whether it refers back is not known; its rules of before stay where they are."""
    tenant.graph.present = both_ways("ab", "de")
    await tenant.run("import", "references")
    before = (tenant.folder / "references.yaml").read_text()
    tenant.graph.unreadable.add(guid("b"))
    done = await tenant.run("import", "references", "--out", "other/references.yaml")
    assert done.exit_code == 3
    assert f"whether {guid('b')} refers back to {guid('a')} is not known" in done.stdout
    tenant.graph.unreadable |= {guid("a")}
    tenant.graph._packages[guid("a")] = named("a")
    monkey = tenant.graph.packages

    async def listed() -> object:
        return [*await monkey(), named("a")]

    tenant.graph.packages = listed  # type: ignore[method-assign,assignment]
    done = await tenant.run("import", "references")
    assert (done.exit_code, (tenant.folder / "references.yaml").read_text()) == (1, before)
    assert "might go although the tenant has their references" in done.stderr


async def test_a_group_that_the_package_grants_itself_is_refused(tenant: WayIn) -> None:
    """No rule asks for such a reference, because a holder could not renew the package."""
    tenant.graph.put(named("a", "1"))
    tenant.graph.present = {to_group("a", "1"), to_group("b", "1")}
    done = await tenant.run("import", "references")
    assert done.exit_code == 2
    assert "refused: Approve invoices (Finance) grants membership of group" in done.stdout
    assert len(parsed(tenant.folder).rules) == 1


async def test_names_are_data(tenant: WayIn) -> None:
    """A name neither ends a comment nor begins a rule."""
    package = named("a")
    object.__setattr__(package, "display_name", 'x\n  - id: evil\u2028y\x1b[31m "#')
    tenant.graph.put(package)
    tenant.graph.present = both_ways("ab")
    done = await tenant.run("import", "references")
    assert done.exit_code == 0, done.output
    assert [each.partition("-")[0] for each in parsed(tenant.folder).rules] == ["between"]
    assert "\x1b" not in (tenant.folder / "references.yaml").read_text()


async def test_it_passes_validate(tenant: WayIn) -> None:
    """Rules about groups do nothing until they enforce, and validate says so."""
    tenant.graph.present = both_ways("ab", "ac", "bc") | {to_package("d", "e"), to_group("f", "1")}
    await tenant.run("import", "references", "--owner", "Ann")
    done = await tenant.run("validate", "rules", "--offline")
    assert done.exit_code == 0
    assert done.stdout == (
        "rules/references.yaml:43:7: warning: rules.2.between has no pair: "
        "groups alone work under enforce with references to groups\n"
    )


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(EVERY), max_size=30), st.sets(st.sampled_from(EVERY), max_size=3))
async def test_enforcing_the_rules_adds_exactly_the_missing_mirrors(
    present: AbstractSet[Reference], more: AbstractSet[Reference]
) -> None:
    """Of any tenant: what it has is asked for, nothing else is but references back."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "rules").mkdir()
        tenant = WayIn(Path(folder) / "rules", [named("a", "3"), *map(named, NAMES[1:])])
        tenant.graph.present = {*present, *more}
        own = {to_group("a", "3")}
        done = await tenant.run("import", "references")
        assert done.exit_code in {0, 2}, done.output
        rules = RuleSet(resolve(parsed(Path(folder) / "rules"), None, TODAY))
        view = frozenset(map(guid, NAMES))
        state = await read_state(tenant.graph, view, with_holders=False)
    plan = make_document(as_written_and_enforced(rules), state, prunable=(), made_at="")
    mirrors = {
        Reference(each.target, each.kind, each.on)
        for each in state.present
        if each.kind is ReferenceKind.PACKAGE
    }
    assert {each.reference for each in plan.additions} == mirrors - state.present
    assert set(plan.unchanged) | (own & state.present) == state.present


def as_written_and_enforced(rules: RuleSet) -> RuleSet:
    """The rules with the mode `enforce`, and the references that the file names."""
    wide = as_enforced(rules)
    kept = {each.id: each.rule.references for each in rules.rules}
    return RuleSet(
        replace(each, rule=msgspec.structs.replace(each.rule, references=kept[each.id]))
        for each in wide.rules
    )
