"""The grids and rows of the sweeps' report."""

from xml.etree import ElementTree as ET

import pytest

from benchmarks.report import Row
from benchmarks.sweep import budgets, growth, table
from benchmarks.sweep.cases import FLAT, OVER_ASSIGNMENTS, OVER_PAIRS
from benchmarks.sweep.closing import Check
from benchmarks.sweep.world import Measured, sent_messages
from local.graph.scale import Scale
from tests.benchmarks.sweep_facts import MIB, a_case, measured, some_traffic

SVG = "{http://www.w3.org/2000/svg}"


def verdict_of(part: str, *found: Measured) -> str:
    rows: list[Row] = [row for row in budgets.rows(found) if part in row.what]
    assert len(rows) == 1, part
    return rows[0].verdict


def test_every_line_has_every_cell() -> None:
    """And one that did not end says so."""
    late = measured(result=None, check=None)
    for grid in (table.of_graph([measured(), late]), table.of_workers([measured(), late])):
        assert all(len(line) == len(grid.columns) for line in grid.lines)
        assert all(all(line) for line in grid.lines)
    assert "did not end in time" in table.of_workers([late]).lines[0]
    assert "not within 101 s" in table.of_graph([late]).lines[0]
    assert not any("times" in cell for cell in table.of_graph([late]).lines[0])


@pytest.mark.parametrize(
    ("part", "worse"),
    [
        ("per 10 s that a sweep uses", measured(traffic=some_traffic(busy_seconds=112.0))),
        ("answers that are 429", measured(traffic=some_traffic(refused=21))),
        ("queue messages", measured(messages=13)),
        ("planted conflict", measured(result={"status": "completed", "findings": 1})),
        ("planted conflict", measured(result=None)),
    ],
)
def test_the_worst_row_is_the_verdict(part: str, worse: Measured) -> None:
    """A budget that one row misses is missed, whatever the others did."""
    assert verdict_of(part, measured()) == "met"
    assert verdict_of(part, measured(), worse) == "missed"


@pytest.mark.parametrize("part", ["share of", "429", "queue messages"])
def test_a_sweep_that_did_not_end_keeps_no_budget(part: str) -> None:
    """Few requests are no merit of one that gave up."""
    assert verdict_of(part, measured(result=None)) == "missed"


def test_requests_are_held_against_a_call_per_pair_page() -> None:
    """As HTTP counts them, with large pages; what no way reaches has no verdict."""
    few = measured(a_case(page_size=999), traffic=some_traffic(counted=25, round_trips=1))
    many = measured(
        a_case(
            page_size=999,
            scale=Scale(packages=60, assignments=600, teams=1, requesters=25, approvers=25),
        ),
        traffic=some_traffic(counted=7, round_trips=6),
    )
    assert verdict_of("as HTTP counts", few) == "missed"
    assert verdict_of("as HTTP counts", many) == "met"
    assert verdict_of("as throttling counts", many) == ""
    assert verdict_of("as HTTP counts", measured(a_case(page_size=100))) == ""


def test_a_row_of_requests_says_what_can_be_reached() -> None:
    """The reader sees what the cheapest way would have taken."""
    (row,) = (row for row in budgets.rows([measured()]) if "as throttling counts" in row.what)
    assert "no way that we know takes under 6, 4.0 times fewer" in row.beside
    assert row.verdict == ""


def test_workers_share_the_rate_and_let_a_check_through() -> None:
    """Over a minute, at the lowest limit; a check without an answer in time counts as missed."""
    four = a_case("four", workers=4)
    assert verdict_of("4 workers share", measured(four)) == "met"
    slow = some_traffic(best_minute=539)
    assert verdict_of("4 workers share", measured(four, traffic=slow)) == "missed"
    assert verdict_of("a check sent", measured(four)) == "met"
    assert verdict_of("a check sent", measured(four, check=None)) == "missed"
    wrong = Check(seconds=0.1, outcome="unknown", ended_at=1.0)
    assert verdict_of("a check sent", measured(four, check=wrong)) == "missed"


def test_memory_is_flat_or_not() -> None:
    """Ten per cent, up or down."""
    less, more = (a_case(name) for name in FLAT)
    small = measured(less)
    for peak, expected in ((109, "met"), (111, "missed"), (89, "missed")):
        assert verdict_of("a worker's peak", small, measured(more, peak=peak * MIB)) == expected


def test_messages_are_counted_from_the_log_of_storage() -> None:
    """All that were accepted, but those of checks."""
    log = """
127.0.0.1 - - [22/Nov/2026:20:03:46 +0000] "PUT /devstoreaccount1/sweep-pairs HTTP/1.1" 201 -
127.0.0.1 - - [22/Nov/2026:20:03:46 +0000] "POST /devstoreaccount1/sweep-pairs/messages HTTP/1.1" 201 -
127.0.0.1 - - [22/Nov/2026:20:03:46 +0000] "POST /devstoreaccount1/sweep-pairs/messages?visibilitytimeout=9 HTTP/1.1" 201 -
127.0.0.1 - - [22/Nov/2026:20:03:46 +0000] "POST /devstoreaccount1/sweep-pairs/messages HTTP/1.1" 404 -
127.0.0.1 - - [22/Nov/2026:20:03:46 +0000] "POST /devstoreaccount1/conflict-checks/messages HTTP/1.1" 201 -
127.0.0.1 - - [22/Nov/2026:20:03:46 +0000] "GET /devstoreaccount1/sweep-pairs/messages HTTP/1.1" 200 -
"""  # noqa: E501 - as Azurite writes it
    assert sent_messages(log) == 2


def test_the_plot_has_every_measured_point() -> None:
    """Four lines in each of two charts, with a point for each row that is drawn."""
    names = {*OVER_PAIRS, *OVER_ASSIGNMENTS}
    found = [measured(a_case(name)) for name in sorted(names)]
    picture = ET.fromstring(growth.drawn(found))  # noqa: S314 - our own
    assert len(picture.findall(f"{SVG}polyline")) == 2 * 4
    points = 4 * (len(OVER_PAIRS) + len(OVER_ASSIGNMENTS))
    assert len(picture.findall(f"{SVG}circle")) == points
    titles = [each.findtext(f"{SVG}title") for each in picture.findall(f"{SVG}circle")]
    assert titles.count("1,000") == len(OVER_PAIRS) + len(OVER_ASSIGNMENTS)


def test_the_plot_grows_upwards_and_evenly_by_powers_of_ten() -> None:
    """Ten times as many requests are as far up anywhere."""
    sizes = [
        Scale(packages=60, assignments=600 * 10**each, teams=1, requesters=2, approvers=2)
        for each in range(3)
    ]
    found = [
        measured(a_case(name, scale=scale), traffic=some_traffic(counted=10 ** (place + 1)))
        for place, (name, scale) in enumerate(zip(OVER_ASSIGNMENTS, sizes, strict=True))
    ]
    picture = ET.fromstring(growth.drawn(found))  # noqa: S314 - our own
    lines = picture.findall(f"{SVG}polyline[@class='line ours']")
    places = [
        [float(number) for number in point.split(",")]
        for point in lines[-1].attrib["points"].split()
    ]
    first, second, third = places
    assert first[0] < second[0] < third[0]
    assert first[1] - second[1] == pytest.approx(second[1] - third[1], abs=0.2)
    assert first[1] > second[1]


def test_a_row_that_did_not_end_is_not_drawn() -> None:
    """Its count is of no whole sweep."""
    found = [measured(a_case(name), result=None) for name in OVER_PAIRS]
    picture = ET.fromstring(growth.drawn(found))  # noqa: S314 - our own
    assert not picture.findall(f"{SVG}circle")
