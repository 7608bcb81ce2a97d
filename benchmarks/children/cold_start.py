"""`python -m benchmarks.children.cold_start FOLDER`: from nothing to an app's first 202."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from benchmarks.children.checkpoint import reach
from benchmarks.children.serve_http import Caller


async def main(app: Path) -> None:
    caller = await Caller.indexed(app)
    await caller.start(0)
    reach("accepted", at=time.monotonic(), processor=time.process_time())
    os._exit(0)  # connections that are still open would be told of


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
