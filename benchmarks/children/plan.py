"""`python -m benchmarks.children.plan FOLDER`: what `entra-sod plan` does, onto a terminal."""

from __future__ import annotations

import asyncio
import sys
import time
from io import StringIO
from pathlib import Path

from rich.console import Console

from benchmarks.children.checkpoint import reach
from entra_sod.cli import plan as plans
from entra_sod.cli.session import open_session

_WIDTH = 120


async def main(folder: Path) -> None:
    reach("imported")
    started = time.process_time()
    console = Console(file=StringIO(), width=_WIDTH, force_terminal=True)
    async with open_session() as session:
        plan, _ = await plans.make(session, folder, console)
    plans.show(plan, plans.Format.TABLE, console)
    seconds = time.process_time() - started
    reach("planned", seconds=seconds, additions=len(plan.additions))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
