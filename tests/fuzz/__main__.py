"""`python -m tests.fuzz [--cases 10000] [--messages 5000] [--files 5000] [--seed 17]`.

Generated rules files and queue messages, which are in memory, and then generated requests of a
local world. Exit code 1 when one of them fails.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import sys
import time

from local.world import World
from tests.app import App, install_parts
from tests.fuzz.messages import Lost, MessageFuzzer, busy_app
from tests.fuzz.rules_files import find_failures
from tests.fuzz.run import Round, fuzz

_EXAMPLES = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="requests at least")
    parser.add_argument("--files", type=int, default=5000, help="rules files")
    parser.add_argument("--seed", type=int, help="of the first round; any, without it")
    parser.add_argument("--messages", type=int, default=5_000, help="queue messages")
    arguments = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    if not asyncio.run(_fuzz_messages(arguments.messages, seed)):
        return 1
    started, cases, passed = time.monotonic(), 0, _try_rules_files(arguments.files, seed)
    with World() as world:
        for each in fuzz(world, cases=arguments.cases, seed=seed, examples=_EXAMPLES):
            cases, passed = cases + each.cases, passed and each.passed
            _tell(each)
    print(f"{cases} cases in {time.monotonic() - started:.0f} s: {'ok' if passed else 'FAILED'}")
    return 0 if passed else 1


async def _fuzz_messages(number: int, seed: int) -> bool:
    """Deliver half of the messages to the work queues, and half to the poison queues."""
    logging.disable(logging.CRITICAL)  # each message that is kept is logged
    try:
        for on_poison in (False, True):
            app, _, samples = await busy_app(App)
            fuzzer = MessageFuzzer(app, samples, seed, on_poison=on_poison)
            await fuzzer.run(number // 2)
            where = "poison queues" if on_poison else "queues"
            print(f"seed {seed}: {number // 2} messages on {where}, {fuzzer.kept} kept: ok")
    except Lost as lost:
        print(f"FAILED: {lost}\nfailed: make fuzz CASES=1 SEED={seed}")
        return False
    finally:
        install_parts()
        logging.disable(logging.NOTSET)
    return True


def _try_rules_files(count: int, seed: int) -> bool:
    failures = list(find_failures(count, seed))
    print(f"{count} rules files from seed {seed}: {'FAILED' if failures else 'ok'}", flush=True)
    for each in failures:
        print(each.why, each.data, sep="\n")
    return not failures


def _tell(ended: Round) -> None:
    verdict = "ok" if ended.passed else "FAILED"
    what = f"{ended.cases} cases of {ended.operations} operations"
    print(f"seed {ended.seed}: {what}: {verdict}", flush=True)
    if not ended.passed:
        print(ended.report)
        print(f"failed: make fuzz CASES=1 SEED={ended.seed}")


if __name__ == "__main__":
    sys.exit(main())
