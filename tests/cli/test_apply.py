"""`entra-sod apply`: what was reviewed is shown, compared, asked about, and written."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from entra_sod.cli.operations.plan_file import save_plan
from entra_sod.core.errors import NoToken, Throttled, Unavailable
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.roles.model import TokenPrincipal
from entra_sod.domain.rules.language import Protected, RulesFile
from entra_sod.stores.write_controls import WriteControls
from tests.builders import guid, held, package, rule, side
from tests.cli.tenant import A_TO_B, B_TO_A, Tenant

FOREIGN = Reference(guid("a"), ReferenceKind.GROUP, guid("f"))
OTHERS = [f"{number:02x}" for number in range(1, 31)]


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    """Subject y holds both packages, x and z one of them."""
    return Tenant(tmp_path, assignments={"a": held("a", "xy"), "b": held("b", "yz")})


def joined(text: str) -> str:
    return " ".join(text.split())


async def test_the_figures_are_those_that_were_reviewed(tenant: Tenant) -> None:
    """G1: each row has its own figures, never at least 0, then both references are written.

    A subject has given a package back since: the output still shows what was reviewed.
    """
    await tenant.reviewed()
    tenant.hold("b", held("b", "y"))
    done = await tenant.apply("--yes")
    assert done.exit_code == 0, done.output
    assert "≥" not in done.stdout
    assert "that ada@example.com made at 2026-01-01T00:00:00Z" in joined(done.stdout)
    assert "2 to add, 0 to remove" in done.stdout
    rows = [line.split("\t") for line in done.stdout.splitlines() if "holders of Package" in line]
    assert [row[-2:] for row in rows] == [["1", "1"], ["1", "1"]]
    assert "2 written" in done.stdout
    assert tenant.graph.present == {A_TO_B, B_TO_A}


async def test_elsewhere_than_on_a_terminal_yes_has_to_be_said(tenant: Tenant) -> None:
    """Without it nothing is written, and the figures and what to do are shown."""
    await tenant.reviewed()
    done = await tenant.apply()
    assert done.exit_code == 1
    assert "--yes" in done.stderr
    assert "Add 2 references and remove 0" in joined(done.stderr)
    assert tenant.graph.present == set()
    assert await tenant.used() == 0


@pytest.mark.parametrize(("answer", "written"), [("yes\n", 2), ("no\n", 0), ("\n", 0), ("", 0)])
async def test_on_a_terminal_the_word_is_asked_for(
    tenant: Tenant, answer: str, written: int
) -> None:
    """Only the word yes writes."""
    await tenant.reviewed()
    done = await tenant.apply(answer=answer)
    assert (done.exit_code, len(tenant.graph.present)) == (0 if written else 1, written)


async def test_a_dry_run_asks_nothing(tenant: Tenant) -> None:
    """Neither --yes nor ENFORCEMENT=apply is needed to see what would be written."""
    await tenant.reviewed()
    done = await tenant.apply("--dry-run")
    assert (done.exit_code, "2 to add" in done.stdout) == (0, True)
    assert tenant.graph.present == set()


async def test_grown_impact_is_refused_unless_it_is_allowed(tenant: Tenant) -> None:
    """G2: one more holder since the review; both numbers are said, and what to do."""
    await tenant.reviewed()
    tenant.hold("b", held("b", "yzw"))
    done = await tenant.apply("--yes")
    assert done.exit_code == 1
    told = joined(done.stderr)
    assert "rule r: subjects kept from getting a package: 2 reviewed, 3 now" in told
    assert "--replan" in told
    assert tenant.graph.present == set()
    done = await tenant.apply("--yes", "--allow-growth", "1")
    assert done.exit_code == 0, done.output
    assert "2 reviewed, 3 now" in joined(done.stdout)
    assert tenant.graph.present == {A_TO_B, B_TO_A}


async def test_a_changed_tenant_is_written_as_far_as_growth_allows(tmp_path: Path) -> None:
    """A foreign reference makes a plan stale; where growth is allowed, its own are written."""
    tenant = Tenant(tmp_path)
    await tenant.reviewed()
    tenant.graph.present.add(FOREIGN)
    done = await tenant.apply("--yes")
    assert (done.exit_code, "the tenant has changed" in done.stderr) == (1, True)
    done = await tenant.apply("--yes", "--allow-growth", "1")
    assert done.exit_code == 0, done.output
    assert tenant.graph.present == {A_TO_B, B_TO_A, FOREIGN}


async def test_replan_shows_the_new_figures_and_asks_for_them(tenant: Tenant) -> None:
    """The old plan has another impact; the new one is what is asked about."""
    await tenant.reviewed()
    tenant.hold("b", held("b", "yzw"))
    done = await tenant.apply("--replan")
    assert (done.exit_code, "--yes" in done.stderr) == (1, True)
    assert "the new plan" in done.stdout
    assert "so that 3 times a subject cannot get" in joined(done.stderr)
    assert (await tenant.apply("--replan", answer="no\n")).exit_code == 1
    assert tenant.graph.present == set()
    assert (await tenant.apply("--replan", answer="yes\n")).exit_code == 0
    assert tenant.graph.present == {A_TO_B, B_TO_A}


async def test_a_plan_that_is_too_old_is_refused(tenant: Tenant) -> None:
    """G2: after a day; --max-age allows more, up to a week, and --replan makes a new one."""
    await tenant.reviewed()
    tenant.clock.advance(25 * 3600)
    done = await tenant.apply("--yes")
    assert (done.exit_code, "may be 24 hours old" in joined(done.stderr)) == (1, True)
    assert (await tenant.apply("--yes", "--max-age", "26")).exit_code == 0
    tenant.graph.present.clear()
    assert (await tenant.apply("--yes", "--replan")).exit_code == 0


@pytest.mark.parametrize("made_at", ["1999-01-01T00:00:00Z", "2027-01-01T00:00:00Z"])
async def test_a_made_up_age_is_refused(tenant: Tenant, made_at: str) -> None:
    """G2: also where the digest was made anew."""
    plan = await tenant.reviewed()
    save_plan(msgspec.structs.replace(plan, made_at=made_at), tenant.file)
    done = await tenant.apply("--yes", "--max-age", "168")
    assert (done.exit_code, made_at in done.stderr) == (1, True)
    assert "entra-sod plan --out" in joined(done.stderr)
    assert tenant.graph.present == set()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--max-age", "0"),
        ("--max-age", "169"),
        ("--max-age", "day"),
        ("--allow-growth", "-1"),
        ("--allow-growth", "1e9"),
        ("--allow-growth", "9" * 30),
        ("--wait", "-5"),
        ("--wait", "nan"),
        ("--wait", "100000"),
    ],
)
async def test_wrong_numbers_are_refused(tenant: Tenant, option: str, value: str) -> None:
    """Not a number, negative, or beyond all reason: the option and its range are named."""
    await tenant.reviewed()
    done = await tenant.apply("--yes", option, value)
    assert (done.exit_code, option in done.stderr) == (1, True)
    assert tenant.graph.present == set()


async def test_figures_written_in_by_hand_are_refused(tenant: Tenant) -> None:
    """G2: nothing is read of the tenant, and nothing is written."""
    await tenant.reviewed()
    content = tenant.file.read_text()
    tenant.file.write_text(content.replace('"keptFromGetting": 1', '"keptFromGetting": 0', 1))
    done = await tenant.apply("--yes")
    assert (done.exit_code, "was edited" in joined(done.stderr)) == (1, True)
    assert tenant.graph.present == set()


async def test_a_throttled_graph_is_waited_out(tmp_path: Path) -> None:
    """G3: 429 with Retry-After in the middle of 60 writes: waits, says so, and writes all 60.

    In the budget each of them counts once.
    """
    tenant = Tenant(tmp_path, ["a", *OTHERS], MAX_REFERENCE_WRITES="60")
    add, refusals = tenant.graph.add, [1, 2]

    async def add_or_refuse(reference: Reference) -> None:
        if len(tenant.graph.writes) >= 20 * (3 - len(refusals)) and refusals:
            refusals.pop()
            raise Throttled("slow down", retry_after=12.0)
        await add(reference)

    tenant.graph.add = add_or_refuse  # type: ignore[method-assign]
    await tenant.reviewed()
    done = await tenant.apply("--yes")
    assert done.exit_code == 0, done.output
    assert "60 written" in done.stdout
    assert joined(done.stderr).count("waiting 12 s: Graph is busy;") == 2
    assert "of 60 written" in done.stderr
    assert len(tenant.graph.present) == len(tenant.graph.writes) == 60
    assert await tenant.used() == 60


async def test_a_write_that_was_taken_before_the_wait_counts_once(tenant: Tenant) -> None:
    """Graph took it and throttled the look at it: it is found, is ours, and is not sent again."""
    references, throttled = tenant.graph.references, list[str]()

    async def throttle_once(package_id: str, kind: ReferenceKind) -> frozenset[str]:
        if tenant.graph.writes and not throttled:
            throttled.append(package_id)
            raise Throttled("slow down", retry_after=2.0)
        return await references(package_id, kind)

    await tenant.reviewed()
    tenant.graph.references = throttle_once  # type: ignore[method-assign]
    done = await tenant.apply("--yes")
    assert done.exit_code == 0, done.output
    assert throttled
    assert sorted(tenant.graph.writes) == [A_TO_B, B_TO_A]
    assert (len(await tenant.states()), await tenant.used()) == (2, 2)


@pytest.mark.parametrize("error", [Unavailable("503", status=503), Throttled("x", retry_after=9.0)])
async def test_a_tenant_that_cannot_be_read_for_a_while_is_waited_for(
    tenant: Tenant, error: Unavailable | Throttled
) -> None:
    """A package that could be read when the plan was made, and answers later."""
    await tenant.reviewed()
    references_of, tries = tenant.graph.references_of, list[int]()

    async def fail_twice(package_ids: object) -> object:
        tries.append(1)
        if len(tries) <= 2:
            raise error
        return await references_of(package_ids)  # type: ignore[arg-type]

    tenant.graph.references_of = fail_twice  # type: ignore[method-assign,assignment]
    done = await tenant.apply("--yes")
    assert done.exit_code == 0, done.output
    assert done.stderr.count("reading the tenant") == 2
    assert tenant.graph.present == {A_TO_B, B_TO_A}


async def test_patience_ends_and_what_is_done_is_said(tenant: Tenant) -> None:
    """The tally, the error, and how to go on; the rest is written by another command."""
    add = tenant.graph.add

    async def add_or_fail(reference: Reference) -> None:
        if reference == B_TO_A:
            raise Throttled("slow down", retry_after=90.0)
        await add(reference)

    await tenant.reviewed()
    tenant.graph.add = add_or_fail  # type: ignore[method-assign]
    done = await tenant.apply("--yes", "--wait", "2")
    assert done.exit_code == 1, done.output
    assert "1 written" in done.stdout
    assert "entra-sod: slow down. Run the command again to go on" in joined(done.stderr)
    assert tenant.graph.present == {A_TO_B}
    # Graph may have taken what it did not answer, so both count.
    assert await tenant.used() == 2
    tenant.graph.add = add  # type: ignore[method-assign]
    done = await tenant.apply("--yes")
    assert "1 of its 2 references are as planned already" in joined(done.stdout)
    assert (done.exit_code, tenant.graph.present) == (0, {A_TO_B, B_TO_A})


async def test_an_interrupted_run_is_gone_on_with(tenant: Tenant) -> None:
    """What was written in between is no growth, and is not asked about again."""
    await tenant.reviewed()
    await tenant.is_written(A_TO_B)
    done = await tenant.apply("--yes", "--max-age", "48")
    assert done.exit_code == 0, done.output
    assert "Add 1 references" not in done.output
    assert tenant.graph.writes == [B_TO_A]


async def test_frozen_writing_is_said_before_the_operator_is_asked(tenant: Tenant) -> None:
    """Who froze it, why, and the command that ends it."""
    await tenant.reviewed()
    controls = WriteControls(tenant.storage, tenant.clock)
    await controls.freeze("an audit", "ada")
    done = await tenant.apply(answer="yes\n")
    assert done.exit_code == 1
    assert "by ada: an audit" in joined(done.stderr)
    assert "unfreeze" in done.stderr
    assert "Type yes" not in done.output


async def test_what_is_held_is_shown_and_not_written(tenant: Tenant) -> None:
    """In the plan's table, its Markdown, and before apply asks."""
    content = RulesFile(
        version=1,
        rules=[rule("r", side("a"), side("b"))],
        protected=Protected(packages=side("a").packages),
    )
    (tenant.folder / "rules.yaml").write_bytes(msgspec.json.encode(content))
    plan = await tenant.reviewed()
    assert (plan.writes, len(plan.held)) == (0, 2)
    done = await tenant.apply("--yes")
    assert done.exit_code == 0, done.output
    assert "2 held" in done.stdout
    assert "held: to be added: on Package a, holders of Package b" in joined(done.stdout)
    assert tenant.graph.present == set()
    rules = ("--rules", str(tenant.folder))
    markdown = (await tenant.command("plan", *rules, "--format", "markdown")).stdout
    assert "- **held**: to be added: on Package a (`" in markdown
    assert f"access package {guid('a')} is protected".replace("-", "\\-") in markdown
    written = (await tenant.command("plan", *rules, "--format", "json")).stdout
    assert len(json.loads(written)["held"]) == 2


async def test_a_package_that_is_gone_is_not_waited_for(tenant: Tenant) -> None:
    """Its answer stays what it is: the plan is stale."""
    await tenant.reviewed()
    tenant.graph.unreadable.add(guid("b"))
    done = await tenant.apply("--yes")
    assert (done.exit_code, "the tenant has changed" in done.stderr) == (1, True)
    assert f"access package {guid('b')}: may not read" in joined(done.stderr)
    assert "waiting" not in done.stderr


async def test_a_plan_file_says_who_made_it(tenant: Tenant) -> None:
    """The user and the machine, if the token has no name."""

    async def caller() -> TokenPrincipal:
        raise NoToken("none")

    tenant.graph.caller = caller  # type: ignore[method-assign]
    done = await tenant.command(
        "plan", "--rules", str(tenant.folder), "--out", str(tenant.file), "--format", "markdown"
    )
    assert done.exit_code == 2, done.output
    assert "@" in msgspec.json.decode(tenant.file.read_bytes())["madeBy"]
    assert (await tenant.apply("--yes")).exit_code == 0
    assert package("a").display_name in done.stdout
