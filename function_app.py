"""entra-sod: the function app. Registers the blueprints; nothing else happens here."""

import azure.functions as func

from functions.triggers import (
    checks,
    decisions,
    health,
    poison,
    subscriptions,
    sweeps,
    webhooks,
    worker,
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for module in (checks, decisions, subscriptions, webhooks, sweeps, worker, poison, health):
    app.register_functions(module.bp)
