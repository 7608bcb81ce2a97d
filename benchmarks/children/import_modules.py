"""`python -m benchmarks.children.import_modules NAME…`: imports them one after another."""

from __future__ import annotations

import importlib
import sys

from benchmarks.children.checkpoint import reach

if __name__ == "__main__":
    reach("start")
    for name in sys.argv[1:]:
        importlib.import_module(name)
        reach(name, modules=len(sys.modules))
