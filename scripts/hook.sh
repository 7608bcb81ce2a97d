#!/bin/sh
# Runs scripts/NAME.py as a hook of azd, in the checkout's .venv, which it makes where there is none: hook.sh NAME
cd "$(dirname "$0")/.." || exit 1
if python=$(sh scripts/find-python 2>/dev/null); then exec "$python" tasks.py hook "$@"; fi
if command -v uv >/dev/null 2>&1; then exec uv run tasks.py hook "$@"; fi
sh scripts/find-python
