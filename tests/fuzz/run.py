"""The whole contract under generated requests: schemathesis against the app in a local world."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from local.processes import CHECKOUT
from local.world import HostProcess, World
from tests.fuzz.odd import fuzz_oddly
from tests.host.callback_receiver import receiving_callbacks

# Names the receiver of callbacks to hooks.py, which runs in schemathesis's process.
RECEIVER = "ENTRA_SOD_FUZZ_RECEIVER"
ODD_CASES = 200  # of a round, that the contract does not describe
_HERE = Path(__file__).parent
_PROGRAM = Path(sys.executable).parent / "schemathesis"
# Boundary values do not come from the seed: the first round has them, and that is enough.
_FIRST, _LATER = "coverage,fuzzing,stateful", "fuzzing,stateful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one run of schemathesis did.

    Attributes:
        cases: how many requests were generated and judged.
        operations: how many were tried.
        report: what schemathesis says, with a way to repeat each failure.
    """

    seed: int
    cases: int
    operations: int
    passed: bool
    report: str


def fuzz(world: World, *, cases: int, seed: int, examples: int) -> Iterator[Round]:
    """Yield rounds, each with the next seed, until there were enough cases or one has failed.

    Args:
        world: to start the app in.
        cases: how many there should be, at least.
        seed: of the first round.
        examples: generated for each operation in a round, about.
    """
    done, phases = 0, _FIRST
    with receiving_callbacks() as subscription:
        host = world.start_host(auth=True, CALLBACK_HOSTS=subscription.host)
        for number in itertools.count(seed):
            ended = _round(host, subscription.host, number, examples, phases)
            odd = list(fuzz_oddly(host.url, host.function_key, cases=ODD_CASES, seed=number))
            ended = replace(
                ended,
                cases=ended.cases + ODD_CASES,
                passed=ended.passed and not odd,
                report="\n".join([ended.report, *odd]),
            )
            yield ended
            done, phases = done + ended.cases, _LATER
            if done >= cases or not ended.passed:
                return


def _round(host: HostProcess, subscription: str, seed: int, examples: int, phases: str) -> Round:
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder, "summary.json")
        done = subprocess.run(  # noqa: S603 - no shell, and our own arguments
            [
                str(_PROGRAM),
                f"--config-file={_HERE / 'schemathesis.toml'}",
                "run",
                str(CHECKOUT / "docs" / "openapi.json"),
                f"--url={host.url}/api",
                f"--header=x-functions-key:{host.function_key}",
                f"--seed={seed}",
                f"--max-examples={examples}",
                f"--phases={phases}",
                "--report=json",
                f"--report-json-path={summary}",
                "--output-sanitize=false",
                "--no-color",
            ],
            cwd=CHECKOUT,
            env={**os.environ, RECEIVER: subscription, "NO_PROXY": "127.0.0.1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if not summary.exists():
            return Round(seed=seed, cases=0, operations=0, passed=False, report=done.stdout)
        said = json.loads(summary.read_text(encoding="utf-8"))
    return Round(
        seed=seed,
        cases=said["test_cases"]["generated"],
        operations=said["operations"]["tested"],
        passed=done.returncode == 0,
        report=done.stdout,
    )
