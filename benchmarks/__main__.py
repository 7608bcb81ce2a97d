"""`python -m benchmarks [NAME…] [--quick]`: measures, prints, and writes README.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from benchmarks import readme, terminal
from benchmarks.browser import CHROMIUM
from benchmarks.catalog import BENCHMARKS, IN_A_BROWSER
from benchmarks.report import machine


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _arguments(argv)
    console = Console()
    console.print(machine())
    names = dict.fromkeys(arguments.names or BENCHMARKS)
    missing = [name for name in names if name in IN_A_BROWSER and not CHROMIUM.exists()]
    if missing:  # said before the others are measured, which takes half an hour
        told = f"NOT measured: {', '.join(missing)}: there is no {CHROMIUM}; run make chromium"
        print(told, file=sys.stderr)
    for name in (each for each in names if each not in missing):
        with console.status(name):
            report = BENCHMARKS[name](quick=arguments.quick)
        terminal.show(console, report)
        if not arguments.quick:
            readme.write(readme.README, name, report)
    return 1 if missing else 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures the app and writes benchmarks/README.md."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="tiny sizes; README.md stays as it is")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
