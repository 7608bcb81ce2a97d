"""entra-sod: the function app. Registers the blueprints; nothing else happens here."""

import azure.functions as func

from functions.triggers import (
    checks,
    contract,
    decisions,
    findings,
    health,
    poison,
    report,
    subscriptions,
    sweeps,
    webhooks,
    worker,
)

# The level of HTTP functions that are not behind the guard: nobody was given a function key.
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
asked = (checks, decisions, findings, subscriptions, webhooks, sweeps, report, contract, health)
for module in (*asked, worker, poison):
    app.register_functions(module.bp)
