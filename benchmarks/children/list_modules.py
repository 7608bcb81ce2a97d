"""`python -m benchmarks.children.list_modules NAME`: the modules that importing NAME loads."""

import sys

before = set(sys.modules)

import importlib  # noqa: E402 - counted, where the app is the first to need it
import json  # noqa: E402

importlib.import_module(sys.argv[1])
sys.stdout.write(json.dumps(sorted(set(sys.modules) - before)))
