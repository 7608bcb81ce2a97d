"""`python -m tests.fuzz [--cases 10000] [--seed 17]`: generated requests; 1 when one fails."""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from local.world import World
from tests.fuzz.run import Round, fuzz

_EXAMPLES = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="requests at least")
    parser.add_argument("--seed", type=int, help="of the first round; any, without it")
    arguments = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    started, cases, passed = time.monotonic(), 0, True
    with World() as world:
        for each in fuzz(world, cases=arguments.cases, seed=seed, examples=_EXAMPLES):
            cases, passed = cases + each.cases, each.passed
            _tell(each)
    print(f"{cases} cases in {time.monotonic() - started:.0f} s: {'ok' if passed else 'FAILED'}")
    return 0 if passed else 1


def _tell(ended: Round) -> None:
    verdict = "ok" if ended.passed else "FAILED"
    what = f"{ended.cases} cases of {ended.operations} operations"
    print(f"seed {ended.seed}: {what}: {verdict}", flush=True)
    if not ended.passed:
        print(ended.report)
        print(f"failed: make fuzz CASES=1 SEED={ended.seed}")


if __name__ == "__main__":
    sys.exit(main())
