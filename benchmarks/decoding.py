"""How long a page of assignments takes from bytes to values: ours, json.loads, the SDK's models."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.pages import PAGE_SIZE, page
from benchmarks.processes import answer
from benchmarks.report import Report, Row, Timing, milliseconds, times_faster

TIMES_FASTER_THAN_SDK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    items: int = PAGE_SIZE
    rounds: int = 60
    sdk_rounds: int = 3


FULL, QUICK = Size(), Size(items=5, rounds=2, sdk_rounds=1)


def run(*, quick: bool = False) -> Report:
    size = QUICK if quick else FULL
    ours = answer(dict[str, Timing], "decode_bytes", size.items, size.rounds)
    answer(dict[str, Timing], "decode_sdk", 1, 1)  # writes the .pyc files of the SDK's models
    sdk = answer(dict[str, Timing], "decode_sdk", size.items, size.sdk_rounds)
    weight = len(page(range(size.items))) / 1024
    return Report(
        title=f"Decoding a page of {size.items} assignments ({weight:,.0f} KiB), processor time",
        rows=[*_our_rows(ours, sdk), *_sdk_rows(sdk)],
    )


def _our_rows(ours: dict[str, Timing], sdk: dict[str, Timing]) -> list[Row]:
    seconds, plain = ours["ours"].median, ours["json"].median
    without_gc = ours["ours, gc off"].median, ours["json, gc off"].median
    return [
        Row(
            what="from bytes to our values",
            measured=milliseconds(seconds),
            beside=f"{times_faster(plain, seconds)} than `json.loads` ({milliseconds(plain)})",
            budget="no slower than `json.loads`",
            is_met=seconds <= plain,
        ),
        _against_sdk("the SDK's typed models, warm", sdk["warm"].median, seconds),
        _against_sdk("the SDK's typed models, first page", sdk["cold"].median, seconds),
        Row(
            what="msgspec's part of ours",
            measured=milliseconds(ours["msgspec"].median),
            beside=f"{ours['msgspec'].median / seconds:.0%} of ours",
        ),
        Row(
            what="ours, garbage collector off",
            measured=milliseconds(without_gc[0]),
            beside=f"{times_faster(without_gc[1], without_gc[0])} than `json.loads`, likewise off",
        ),
    ]


def _against_sdk(what: str, sdk: float, ours: float) -> Row:
    return Row(
        what=f"the same against {what}",
        measured=milliseconds(ours),
        beside=f"{times_faster(sdk, ours)} than {milliseconds(sdk)}",
        budget=f"≥ {TIMES_FASTER_THAN_SDK:,} times faster",
        is_met=sdk / ours >= TIMES_FASTER_THAN_SDK,
    )


def _sdk_rows(sdk: dict[str, Timing]) -> list[Row]:
    return [
        Row(
            what="importing the SDK's model and JSON parser",
            measured=milliseconds(sdk["import"].median),
            beside="before its first page; not counted above",
        ),
    ]
