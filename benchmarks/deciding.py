"""What a decision asks of Graph and takes of the processor, warm; and a batch of a hundred."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.children.decided import Batch, Decided, Single
from benchmarks.processes import answer
from benchmarks.report import Report, Row, milliseconds
from benchmarks.sweep.cases import SMALL, TINY
from benchmarks.sweep.tenants import package_ids, pairs, rules_file
from benchmarks.sweep.world import tenant_option
from local.graph.scale import Scale, an_id
from local.processes import Process, free_port
from local.world import printed_settings

MAX_REQUESTS, MAX_OWN_SECONDS, MAX_BATCH_REQUESTS = 2, 0.002, 10
_SUBJECTS = 100
_FAR_AWAY = 10**6  # the number of a subject who does not exist


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    scale: Scale = SMALL
    rounds: int = 300


FULL, QUICK = Size(), Size(scale=TINY, rounds=3)


def run(*, quick: bool = False) -> Report:
    size = QUICK if quick else FULL
    wanted, _ = package_ids(next(pairs(size.scale)))
    holder = an_id("person", next(iter(size.scale.holders(0, 1))))
    many = [an_id("person", number) for number in range(_SUBJECTS)]
    with graph(size.scale) as environment:
        decided = answer(
            Decided,
            "decide",
            size.rounds,
            holder,
            an_id("person", _FAR_AWAY),
            wanted,
            *many,
            environment=environment,
        )
    return Report(
        title=f"Decisions in a tenant of {size.scale.assignments:,} assignments, warm",
        rows=[*_singles(decided), *_batches(decided.live, decided.by_index)],
    )


@contextmanager
def graph(scale: Scale) -> Iterator[Mapping[str, str]]:
    """A simulated Graph and rules for it; yields the settings that lead to both."""
    with tempfile.TemporaryDirectory() as rules:
        Path(rules, "rules.yaml").write_text(rules_file(scale, "warn"), encoding="utf-8")
        argv = [sys.executable, "-m", "local.graph"]
        options = ("--port", str(free_port()), "--tenant", tenant_option(scale))
        with Process([*argv, *options]) as simulator:
            simulator.wait_ready(lambda: "GRAPH_ROOT=" in simulator.output(), 60)
            settings = printed_settings(simulator.output())
            yield {**settings, "RULES": rules, "GRAPH_REQUESTS_PER_10S": "130000"}


def _singles(decided: Decided) -> Iterator[Row]:
    holder, stranger = "a subject who holds packages", "an unknown id"
    yield _requests(holder, decided.holder)
    yield _requests(stranger, decided.stranger)
    for who, single in ((holder, decided.holder), (stranger, decided.stranger)):
        yield Row(
            what=f"own processor time of one about {who}",
            measured=milliseconds(single.own),
            beside=f"with the SDK's transport: {milliseconds(single.whole)}",
            budget="≤ 2 ms",
            is_met=single.own <= MAX_OWN_SECONDS,
        )


def _requests(who: str, single: Single) -> Row:
    return Row(
        what=f"Graph requests of a decision about {who}",
        measured=str(single.requests),
        budget="one or two",
        is_met=single.requests <= MAX_REQUESTS,
    )


def _batches(live: Batch, by_index: Batch) -> Iterator[Row]:
    yield Row(
        what=f"Graph requests of a batch of {_SUBJECTS} with a fresh index, as throttled",
        measured=str(by_index.requests),
        beside=f"without an index: {live.requests}",
        budget=f"≤ {MAX_BATCH_REQUESTS}",
        is_met=by_index.requests <= MAX_BATCH_REQUESTS,
    )
    yield Row(
        what="processor time of that batch, with the SDK's transport",
        measured=milliseconds(by_index.cpu),
        beside=f"without an index: {milliseconds(live.cpu)}",
    )
    same = sum(one == other for one, other in zip(live.decisions, by_index.decisions, strict=True))
    yield Row(
        what="decisions of that batch that are the same by both ways",
        measured=str(same),
        beside=f"{by_index.decisions.count('deny')} denied",
        budget=f"all {_SUBJECTS}",
        is_met=same == _SUBJECTS,
    )
