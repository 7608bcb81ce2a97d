"""The story from its beginning to its end: each step is done, shown, and held to its claims."""

import contextlib
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

import httpx

from local.demo import expectations, tables
from local.demo.before import NoAnswerError
from local.demo.facts import Asked, Checked, Reference, Reviewed, Swept
from local.demo.screen import Screen
from local.demo.story import NotDoneError, Story, new_world
from local.graph.demo import (
    APPROVE_INVOICES,
    CLEAR_PAYMENTS,
    CLOSE_BOOKS,
    GROUP_EXPENSE_APPROVERS,
    GROUP_EXTERNAL_AUDITORS,
    MAINTAIN_VENDORS,
    ORDER_GOODS,
    PAY_INVOICES,
    POST_JOURNALS,
    RECEIVE_GOODS,
    RUN_PAYMENTS,
    WAITING_HARMLESS_REQUEST,
    WAITING_REQUEST,
)
from local.processes import NotReadyError, free_ports

# the rules' pairs that the app may read
PAIRS = (
    (PAY_INVOICES, APPROVE_INVOICES),
    (MAINTAIN_VENDORS, PAY_INVOICES),
    (POST_JOURNALS, CLOSE_BOOKS),
    (ORDER_GOODS, RECEIVE_GOODS),
    (CLEAR_PAYMENTS, RUN_PAYMENTS),
)
RULE = "pay-and-approve"
FREEZE_REASON = "the auditors are here"
NONSENSE = {
    "accessPackageId": "Pay invoices",
    "incompatibleAccessPackageId": APPROVE_INVOICES,
    "enforcement": "always",
}
_STORAGE_PORTS = 3
# Their messages say all there is to say.
_FORESEEN = (
    expectations.Unmet,
    NoAnswerError,
    NotDoneError,
    NotReadyError,
    httpx.HTTPError,
)


def run(screen: Screen, *, second_enforcement: str = "apply") -> int:
    """Tells the whole story; 0 when all that it claims has happened, and 1 otherwise.

    Args:
        screen: where it is shown.
        second_enforcement: what the app is started with the second time; the story comes true with
            `apply` only.
    """
    try:
        counts = _in_a_world(screen, second_enforcement)
    except Exception as error:  # noqa: BLE001 - whatever happened, the last line says so
        _show_failure(screen, error)
        return 1
    screen.ended(counts)
    return 0


def counts_in_words(
    planned: Checked, applied: Checked, asked: list[Asked], reviewed: Reviewed, swept: Swept
) -> str:
    """What the last line says; every number is one that was seen."""
    unknown = sum(each.outcome == "unknown" for each in swept.pairs)
    let_in = applied.holder_count - planned.holder_count
    return (
        f"{planned.holder_count} conflicts found and {let_in} more let in, "
        f"{len(applied.references.written)}+{len(reviewed.additions)} references written, "
        f"{sum(not each.has_it for each in asked)} requests refused, "
        f"{len(swept.pairs)} pairs swept, {unknown} unknown"
    )


def _in_a_world(screen: Screen, second_enforcement: str) -> str:
    screen.title("entra-sod: separation of duties for Microsoft Entra access packages")
    screen.step("A company, its queues and the app, all on this machine")
    port = free_ports(_STORAGE_PORTS)
    with contextlib.ExitStack() as ending:
        with screen.waiting("starting the simulated tenant and storage"):
            world = ending.enter_context(new_world(port, datetime.now(UTC)))
        teller = _Teller(screen, Story(world, PAIRS))
        try:
            teller.introduce(world.graph.root, port)
            return teller.tell(second_enforcement)
        except Exception:
            screen.log("the end of the app's log", teller.story.log())
            raise


def _show_failure(screen: Screen, error: Exception) -> None:
    first, _, rest = str(error).partition("\n")
    if not isinstance(error, _FORESEEN):
        first, rest = f"{type(error).__name__}: {first}", traceback.format_exc()
    screen.log("what went wrong", rest)
    screen.failed(first.rstrip(":"))


class _Teller:
    def __init__(self, screen: Screen, story: Story) -> None:
        self._screen = screen
        self.story = story

    def introduce(self, tenant_address: str, storage_port: int) -> None:
        with self._screen.waiting("starting the app"):
            started = self.story.start_app("plan")
        self._screen.show(
            tables.running(started, storage_port=storage_port, tenant=tenant_address),
            tables.size(self.story.look().size()),
            tables.ready(started),
        )
        expectations.expect_ready(started)

    def tell(self, second_enforcement: str) -> str:
        planned = self._plan()
        self._decide()
        self._answer_entra()
        self._let_through()
        applied = self._apply(second_enforcement)
        asked = self._refuse()
        reviewed = self._review()
        swept = self._sweep()
        repaired = self._repair()
        held = self._hold()
        self._freeze(held)
        self._take_back(held, repaired)
        self._refuse_nonsense()
        return counts_in_words(planned, applied, asked, reviewed, swept)

    def _plan(self) -> Checked:
        self._screen.step("A ticket asks who both pays and approves invoices; the app only plans")
        checked = self._check("CHG-2041")
        self._screen.show(
            tables.accepted(checked),
            tables.holders(checked.holders, of="Pay invoices"),
            tables.references(
                "References planned, in both directions:", checked.references.planned
            ),
        )
        expectations.expect_accepted(checked, ticket="CHG-2041")
        expectations.expect_holders(checked, count=expectations.HOLDERS[checked.pair])
        expectations.expect_plan_only(checked)
        self._screen.proved("the same people hold both by the tenant's own assignments")
        self._screen.proved("nothing was written: the tenant is what it was before")
        return checked

    def _decide(self) -> None:
        self._screen.step("A ticket asks before it grants; the answer is no, with the reason")
        decided = self.story.decide(WAITING_REQUEST, ticket="CHG-2040")
        self._screen.show(tables.decided(decided))
        expectations.expect_denied(decided, ticket="CHG-2040")
        self._screen.proved("the person does not have the access, and nothing has changed")

    def _answer_entra(self) -> None:
        self._screen.step("Entra itself asks and waits: the Logic App denies one, lets one go on")
        denied = self.story.resume(WAITING_REQUEST)
        continued = self.story.resume(WAITING_HARMLESS_REQUEST)
        self._screen.show(tables.resumed(denied), tables.resumed(continued))
        expectations.expect_resumed(denied, denied=True)
        expectations.expect_resumed(continued, denied=False)
        self._screen.proved("both calls are the documented ones, field by field")
        self._screen.proved("Graph took them: one request is denied, the other has its access")

    def _let_through(self) -> None:
        self._screen.step("Meanwhile the help desk can still give a person both")
        asked = self.story.ask(APPROVE_INVOICES, held=PAY_INVOICES)
        self._screen.show(tables.requests([asked]))
        expectations.expect_let_through(asked)
        self._screen.proved(f"{asked.person} now both pays and approves: one conflict more")

    def _apply(self, enforcement: str) -> Checked:
        self._screen.step(f"The app is started again with ENFORCEMENT={enforcement}")
        with self._screen.waiting("starting the app"):
            expectations.expect_ready(self.story.start_app(enforcement))
        checked = self._check("CHG-2042")
        self._screen.show(
            tables.accepted(checked),
            tables.references("References written:", checked.references.written),
        )
        expectations.expect_written(checked)
        expectations.expect_holders(checked, count=expectations.HOLDERS[checked.pair] + 1)
        self._screen.proved(f"{checked.holder_count} people hold both now")
        self._screen.proved("the tenant has each of these references exactly once")
        again = self._check("CHG-2043")
        expectations.expect_nothing_left_to_write(again)
        self._screen.proved("the same check again finds all of them and writes nothing")
        return checked

    def _refuse(self) -> list[Asked]:
        self._screen.step("Entra itself now says no, in both directions")
        refused = [
            self.story.ask(APPROVE_INVOICES, held=PAY_INVOICES),
            self.story.ask(PAY_INVOICES, held=APPROVE_INVOICES),
        ]
        granted = self.story.ask(PAY_INVOICES, held=None)
        self._screen.show(tables.requests([*refused, granted]), tables.reasons(refused))
        for each in refused:
            expectations.expect_refused(each)
        expectations.expect_let_through(granted)
        self._screen.proved(
            "holders of either are refused the other one; a person with neither is not"
        )
        return refused

    def _review(self) -> Reviewed:
        self._screen.step("All the other rules, as code: validated, planned, reviewed, applied")
        with (
            self._screen.waiting("at the command line"),
            tempfile.TemporaryDirectory() as folder,
        ):
            reviewed = self.story.review(Path(folder) / "plan.json")
        self._screen.show(
            tables.reviewed(reviewed),
            tables.references("References that the plan added:", reviewed.additions),
        )
        expectations.expect_reviewed(reviewed)
        self._screen.proved("the tenant has each of them exactly once, those of before, too")
        self._screen.proved("the plan of an applied plan is empty")
        return reviewed

    def _sweep(self) -> Swept:
        self._screen.step("The nightly timer looks at every pair of the rules")
        with self._screen.waiting("sweeping") as report:
            swept = self.story.sweep(report)
        self._screen.show(
            tables.swept(swept),
            tables.swept_pairs(swept.pairs),
            tables.passing(swept.passing),
            tables.gaps(swept.gaps),
        )
        expectations.expect_swept(swept, let_in=1)
        self._screen.proved("the sweep counts the same holders as the tenant itself")
        self._screen.proved("all references were there, and nothing was written again")
        self._screen.proved("a package that gives both duties is named, and so is the legacy one")
        self._screen.proved(
            "what the app may not read is unknown, with the reason, and never clear"
        )
        return swept

    def _repair(self) -> Swept:
        self._screen.step("A person edits a package by hand; the next night repairs what is ours")
        disturbed = self.story.disturb(
            PAY_INVOICES, lose=APPROVE_INVOICES, gain=GROUP_EXTERNAL_AUDITORS
        )
        with self._screen.waiting("sweeping") as report:
            swept = self.story.sweep(report)
        self._screen.show(
            tables.drift(swept.drift),
            tables.references("References written:", swept.references.written),
        )
        expectations.expect_drift_repaired(swept, disturbed)
        self._screen.proved("the reference that was removed is back, in the tenant itself")
        self._screen.proved("the reference that another person added is named, and left alone")
        return swept

    def _hold(self) -> Reference:
        self._screen.step("A package's manager adds a group; the next night holds what it would do")
        granted = self.story.grant(APPROVE_INVOICES, GROUP_EXPENSE_APPROVERS)
        with self._screen.waiting("sweeping") as report:
            swept = self.story.sweep(report)
        with self._screen.waiting("at the command line"):
            approved = self.story.command("selection", "approve", "--rule", RULE, "--yes")
        self._screen.show(tables.held(swept), tables.commands(approved))
        held = expectations.expect_held(swept, granted)
        # Approved, and one package that the rules name could not be read.
        expectations.expect_command(approved, expectations.UNKNOWN)
        self._screen.proved(f"members of {granted.group} can still get Pay invoices")
        self._screen.proved("a person has looked at it, and approved it")
        return held

    def _freeze(self, held: Reference) -> None:
        self._screen.step("Writing is frozen: a sweep only plans, until writing is allowed again")
        frozen = self.story.command("freeze", "--reason", FREEZE_REASON)
        with self._screen.waiting("sweeping") as report:
            swept = self.story.sweep(report)
        unfrozen = self.story.command("unfreeze")
        self._screen.show(
            tables.commands(frozen, unfrozen),
            tables.references("References planned:", swept.references.planned),
            tables.stopped(swept),
        )
        expectations.expect_command(frozen, 0)
        expectations.expect_command(unfrozen, 0)
        expectations.expect_frozen(swept, held, reason=FREEZE_REASON)
        self._screen.proved("what was approved is planned, and nothing was written")

    def _take_back(self, held: Reference, before: Swept) -> None:
        self._screen.step(
            "A check writes it, and a rollback takes back what that check has written"
        )
        checked = self._check("CHG-2044")
        expectations.expect_written_later(checked, held)
        now = self.story.look()
        let_in = len(now.holders(APPROVE_INVOICES) - now.holders(PAY_INVOICES))
        with self._screen.waiting("at the command line"):
            taken = self.story.take_back(checked.location.rpartition("/")[2])
        behind = taken.shown.said  # the second command shows the same before it removes
        self._screen.show(tables.printed(taken.shown), tables.printed(taken.done, behind=behind))
        expectations.expect_taken_back(taken, before, let_in=let_in)
        self._screen.proved("the dry run says who can get the package again, and removes nothing")
        self._screen.proved("the tenant has the references of before, and no other")

    def _refuse_nonsense(self) -> None:
        self._screen.step("A request with two mistakes is told both of them")
        refused = self.story.send(NONSENSE)
        self._screen.show(tables.problem(refused))
        expectations.expect_problem(refused)

    def _check(self, ticket: str) -> Checked:
        with self._screen.waiting(f"checking for ticket {ticket}"):
            return self.story.check(PAY_INVOICES, APPROVE_INVOICES, ticket=ticket)
