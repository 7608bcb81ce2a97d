#!/bin/sh
# Runs scripts/NAME.py as a hook of azd, in the checkout's .venv, which it makes where there is none: hook.sh NAME
cd "$(dirname "$0")/.." || exit 1
python=$(sh scripts/find-python) || exit 1
exec "$python" tasks.py hook "$@"
