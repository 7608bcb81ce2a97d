"""How requests grow with pairs and with assignments, drawn as SVG. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.sweep.cases import OVER_ASSIGNMENTS, OVER_PAIRS, Case
from benchmarks.sweep.tenants import intersection_requests, loop_requests
from benchmarks.sweep.world import Measured

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 380, 260, 80, 70, 90
_CLASSES = ("both", "loop", "ours", "http")
_NAMES = (
    "both lists for each pair, computed",
    "a call for each pair, computed",
    "sweep, as throttling counts, measured",
    "sweep, as HTTP counts, measured",
)
# Its own ground, so that it can be read wherever it is shown.
_STYLE = """
  svg { font: 12px system-ui, sans-serif; }
  .ground { fill: #ffffff; } text { fill: #1f2328; } .grid { stroke: #d1d9e0; }
  .line { fill: none; stroke-width: 2; } .both { stroke: #bc4c00; } .loop { stroke: #8250df; }
  .ours { stroke: #0969da; } .http { stroke: #1a7f37; stroke-dasharray: 5 3; }
  circle.line { stroke-dasharray: none; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; } text { fill: #f0f6fc; } .grid { stroke: #3d444d; }
    .both { stroke: #ffa657; } .loop { stroke: #d2a8ff; }
    .ours { stroke: #79c0ff; } .http { stroke: #7ee787; }
  }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One chart; `lines` are in the order of the names, points of each from left to right."""

    title: str
    lines: Sequence[Sequence[tuple[int, int]]]


def drawn(measured: Sequence[Measured]) -> str:
    """Both charts, side by side."""
    ended = {each.case.name: each for each in measured if each.result is not None}
    return _svg(
        [
            _panel("pairs", [ended[name] for name in OVER_PAIRS if name in ended], _pairs),
            _panel(
                "assignments",
                [ended[name] for name in OVER_ASSIGNMENTS if name in ended],
                _assignments,
            ),
        ]
    )


def _pairs(case: Case) -> int:
    return case.scale.pairs


def _assignments(case: Case) -> int:
    return case.scale.assignments


def _panel(what: str, measured: Sequence[Measured], size: Callable[[Case], int]) -> Panel:
    counts: Sequence[Callable[[Measured], int]] = (
        lambda each: intersection_requests(each.case.scale, each.case.page_size),
        lambda each: loop_requests(each.case.scale, each.case.page_size),
        lambda each: each.traffic.counted,
        lambda each: each.traffic.round_trips,
    )
    return Panel(
        title=f"Graph requests over {what}",
        lines=[[(size(each.case), count(each)) for each in measured] for count in counts],
    )


def _svg(panels: Sequence[Panel]) -> str:
    width = len(panels) * (_WIDTH + _GAP) + 20
    height = _TOP + _HEIGHT + 40
    label = "Graph requests of a sweep over pairs and over assignments"
    space = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg {space} role="img" aria-label="{label}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
        *_legend(),
        *(
            part
            for place, panel in enumerate(panels)
            for part in _chart(panel, _LEFT + place * (_WIDTH + _GAP))
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _legend() -> Iterator[str]:
    for place, (name, css) in enumerate(zip(_NAMES, _CLASSES, strict=True)):
        x, y = _LEFT + place % 2 * 300, 16 + place // 2 * 18
        yield f'<path class="line {css}" d="M{x} {y} h24"/>'
        yield f'<text x="{x + 30}" y="{y + 4}">{name}</text>'


def _chart(panel: Panel, left: float) -> Iterator[str]:
    points = [point for line in panel.lines for point in line]
    if not points:
        return
    across = _Axis.over([x for x, _ in points], left, left + _WIDTH)
    up = _Axis.over([y for _, y in points], _TOP + _HEIGHT, _TOP)
    yield f'<text x="{left}" y="{_TOP - 8}">{panel.title}</text>'
    for value in across.ticks():
        x = across.at(value)
        yield f'<path class="grid" d="M{x:.1f} {_TOP} v{_HEIGHT}"/>'
        yield f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{value:,}</text>'
    for value in up.ticks():
        y = up.at(value)
        yield f'<path class="grid" d="M{left} {y:.1f} h{_WIDTH}"/>'
        yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>'
    for line, css in zip(panel.lines, _CLASSES, strict=True):
        places = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in line)
        yield f'<polyline class="line {css}" points="{places}"/>'
        for x, y in line:
            circle = f'cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="3"'
            yield f'<circle class="line {css}" {circle}><title>{y:,}</title></circle>'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """Powers of ten, laid out evenly between two places."""

    lowest: int
    highest: int
    start: float
    end: float

    @classmethod
    def over(cls, values: Sequence[int], start: float, end: float) -> _Axis:
        lowest, highest = min(values), max(values)
        first, last = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
        return cls(lowest=first, highest=max(last, first + 1), start=start, end=end)

    def at(self, value: float) -> float:
        part = (math.log10(value) - self.lowest) / (self.highest - self.lowest)
        return self.start + part * (self.end - self.start)

    def ticks(self) -> Iterator[int]:
        for power in range(self.lowest, self.highest + 1):
            yield 10**power
