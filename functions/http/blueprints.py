"""Every blueprint of HTTP functions, in the order in which they are registered."""

from __future__ import annotations

from functions.http import (
    callers,
    checks,
    console,
    decisions,
    findings,
    freeze,
    health,
    openapi,
    report,
    rules,
    selections,
    subjects,
    subscriptions,
    sweeps,
    webhooks,
)

_WORK = (checks, decisions, findings, subscriptions, webhooks, sweeps, freeze)
_SHOWN = (callers, subjects, rules, selections, report, console, openapi, health)
BLUEPRINTS = tuple(module.bp for module in (*_WORK, *_SHOWN))
