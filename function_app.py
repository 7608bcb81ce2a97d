"""entra-sod: the function app. Registers the blueprints; nothing else happens here."""

import azure.functions as func

from functions.triggers import (
    checks,
    decisions,
    findings,
    health,
    poison,
    subscriptions,
    sweeps,
    worker,
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for module in (checks, decisions, findings, subscriptions, sweeps, worker, poison, health):
    app.register_functions(module.bp)
