"""entra-sod: the function app. Registers the blueprints; nothing else happens here."""

import azure.functions as func

from functions.triggers import checks, health, poison, sweeps, worker

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (checks.bp, sweeps.bp, worker.bp, poison.bp, health.bp):
    app.register_functions(blueprint)
