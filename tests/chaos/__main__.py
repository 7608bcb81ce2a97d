"""`python -m tests.chaos [--seeds 50 | --seed 17]`: chaos from seeds; 1 when one of them fails."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

from local.processes import CHECKOUT
from tests.chaos.run import Outcome, run
from tests.chaos.schedule import schedule

FOLDER = CHECKOUT / ".local" / "chaos"


def main() -> int:
    seeds, started = _seeds(), time.monotonic()
    failed = {seed: left for seed in seeds if (left := _left_of(seed)) is not None}
    print(f"{len(seeds) - len(failed)} of {len(seeds)} in {time.monotonic() - started:.0f} s")
    for seed, left in failed.items():
        print(f"failed: make chaos SEED={seed}  (logs and data: {left})")
    return 1 if failed else 0


def _seeds() -> Sequence[int]:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="runs seeds 1 to this")
    parser.add_argument("--seed", type=int, help="runs this one alone")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return [arguments.seed]
    return range(1, arguments.seeds + 1)


def _left_of(seed: int) -> Path | None:
    """Run a seed; return the folder of one that failed."""
    print(f"seed {seed}", end=": ", flush=True)
    folder = _new_folder(seed)
    try:
        outcome = run(schedule(seed), folder)
    except Exception as error:  # noqa: BLE001 - the other seeds are still to be run
        print(f"FAILED: {type(error).__name__}: {error}", flush=True)
        return folder
    _tell(outcome)
    if outcome.wrong:
        (folder / "wrong.txt").write_text("\n".join(outcome.wrong))
        return folder
    shutil.rmtree(folder)
    return None


def _tell(outcome: Outcome) -> None:
    verdict = "FAILED" if outcome.wrong else "ok"
    print(f"{outcome.done}, {outcome.seconds:.0f} s: {verdict}", flush=True)
    for wrong in outcome.wrong:
        print(f"  {wrong}", flush=True)


def _new_folder(seed: int) -> Path:
    """A folder that is not there yet: what a failed run has left may never come again."""
    names = chain([f"seed-{seed}"], (f"seed-{seed}.{number}" for number in count(1)))
    return next(FOLDER / name for name in names if not (FOLDER / name).exists())


if __name__ == "__main__":
    sys.exit(main())
