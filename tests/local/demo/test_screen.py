"""How the story looks: plain in a log, and readable in both."""

import io
from dataclasses import replace

import pytest
from rich.console import RenderableType

from local.demo import tables
from local.demo.facts import Gap
from local.demo.screen import LOG_LINES, Screen, console_on
from tests.local.demo.made_up import (
    DECIDED,
    GRANTED,
    PLANNED,
    PROBLEM,
    REFUSED,
    STARTED,
    SWEPT,
    resumed,
)


def plain(*renderables: RenderableType) -> str:
    output = io.StringIO()
    Screen(console_on(output)).show(*renderables)
    return output.getvalue()


def lines(*renderables: RenderableType) -> list[str]:
    return [" ".join(line.split()) for line in plain(*renderables).splitlines()]


def test_a_log_gets_no_control_characters() -> None:
    """Without a terminal a spinner is one line, and no line is longer than 100 columns."""
    output = io.StringIO()
    screen = Screen(console_on(output))
    screen.title("The demo")
    screen.step("Everything")
    with screen.waiting("sweeping") as report:
        report(1, 2)
    screen.show(tables.gaps([Gap("a package", "because " * 40)]))
    screen.proved("it [bold]works[/bold]")
    text = output.getvalue()
    assert "1  Everything" in text
    assert "   sweeping: 0." in text
    assert "✓ it [bold]works[/bold]" in text
    assert not [character for character in text if character < " " and character != "\n"]
    assert max(map(len, text.splitlines())) <= 100


def test_an_old_encoding_does_not_end_the_story() -> None:
    """What cannot be written becomes a question mark."""
    raw = io.BytesIO()
    output = io.TextIOWrapper(raw, encoding="ascii")
    Screen(console_on(output)).proved("done")
    assert raw.getvalue() == b"   ? done\n"


@pytest.mark.parametrize(("is_ok", "line"), [(True, "demo: ok, all"), (False, "demo: FAILED: all")])
def test_the_last_line_is_one_line(is_ok: bool, line: str) -> None:  # noqa: FBT001 - a case
    """However long it is: scripts read it."""
    output = io.StringIO()
    screen = Screen(console_on(output))
    (screen.ended if is_ok else screen.failed)("all" * 60)
    assert output.getvalue().startswith(f"\n{line}")
    assert len(output.getvalue().strip().splitlines()) == 1


def test_of_a_log_the_end_is_shown() -> None:
    """Its last lines, and nothing at all where there is none."""
    output = io.StringIO()
    screen = Screen(console_on(output))
    screen.log("the log", "\n".join(map(str, range(100))))
    screen.log("another", "\n")
    expected = ["the log:", *map(str, range(100 - LOG_LINES, 100))]
    assert output.getvalue().split("\n")[1:-1] == expected


def test_what_runs_is_told_with_its_addresses() -> None:
    """Ports, packages, people and rules are numbers that a person can follow."""
    shown = lines(
        tables.running(STARTED, storage_port=20000, tenant="http://127.0.0.1:2"),
        tables.ready(STARTED),
    )
    assert "storage Azurite: blobs, queues, tables 127.0.0.1, ports 20000 to 20002" in shown
    assert "app on its host, ENFORCEMENT=plan http://127.0.0.1:1" in shown
    assert "The app reaches queues, and has read 7 rules, 6 pairs." in shown


def test_a_check_is_told_with_its_holders_and_references() -> None:
    """Everybody who holds both, and who is kept away from which package."""
    shown = lines(
        tables.accepted(PLANNED),
        tables.holders(PLANNED.holders, of="Pay invoices"),
        tables.references("Planned:", PLANNED.references.planned),
    )
    assert "answer 202, Retry-After: 5" in shown
    assert "7 people hold both:" in shown
    assert "Ada delivered" in shown
    assert "Approve invoices group members of Invoice payers" in shown
    assert "Pay invoices package holders of Approve invoices" in shown


def test_an_empty_table_says_so() -> None:
    """Nothing is shown as none, not as a heading over nothing."""
    assert "none" in lines(tables.references("Written:", ()))


def test_requests_are_told_with_graphs_answers() -> None:
    """A refusal has its reason. A person without a package holds nothing."""
    shown = lines(
        tables.requests([REFUSED, replace(GRANTED, holds=None)]), tables.reasons([REFUSED])
    )
    assert "Ines Pay invoices Approve invoices 400 IncompatibleAccess" in shown
    assert "Hugo nothing Approve invoices 201 given" in shown
    assert "400: The target is not eligible." in shown


def test_a_pair_that_was_not_read_has_no_count() -> None:
    """Zero would read as an all-clear."""
    shown = lines(tables.swept(SWEPT), tables.swept_pairs(SWEPT.pairs))
    assert "checked 5 of 6 pairs" in shown
    assert "Approve invoices × Release payments unknown not known a-rule" in shown  # noqa: RUF001
    assert "Order goods × Receive goods clear 0 a-rule" in shown  # noqa: RUF001


def test_a_problem_is_shown_beside_what_was_sent() -> None:
    """Both as JSON, with status and content type."""
    text = plain(tables.problem(PROBLEM))
    assert '"accessPackageId": "no id"' in text
    assert "422 application/problem+json" in text


def test_a_decision_shows_its_reason_and_advice() -> None:
    """What was asked, the answer, what stands against it, and what to do."""
    shown = lines(tables.decided(DECIDED))
    assert "asked POST /api/decisions: Ines wants Pay invoices, reference CHG-1" in shown
    assert "decision deny (critical)" in shown
    assert "holds already Approve invoices" in shown
    assert "advice Keep one of them." in shown


def test_an_answer_to_entra_is_shown_field_by_field() -> None:
    """Equal fields and different ones are told apart, and no value is cut off."""
    right = resumed(denied=True)
    wrong = replace(right, body={**right.body, "source": "another"})
    assert "data.state = denied" in lines(tables.resumed(right))
    assert "source differs the demo" in lines(tables.resumed(wrong))
    assert "\u2026" not in plain(tables.resumed(right))
