"""`python -m tests.fuzz [--cases 10000] [--seed 17]`: generated requests; 1 when one fails."""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from local.world import World
from tests.fuzz.run import fuzz

_EXAMPLES = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="requests at least")
    parser.add_argument("--seed", type=int, help="of the first round; any, without it")
    arguments = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    started = time.monotonic()
    with World() as world:
        rounds = fuzz(world, cases=arguments.cases, seed=seed, examples=_EXAMPLES)
    last = rounds[-1]
    if not last.passed:
        print(last.report)
        print(f"failed: make fuzz CASES=1 SEED={last.seed}")
    cases = sum(each.cases for each in rounds)
    print(
        f"{cases} cases of {last.operations} operations in {time.monotonic() - started:.0f} s, "
        f"seeds {seed} to {last.seed}: {'ok' if last.passed else 'FAILED'}"
    )
    return 0 if last.passed else 1


if __name__ == "__main__":
    sys.exit(main())
