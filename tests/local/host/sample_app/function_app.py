"""A small app with one of everything that the host runs."""

import azure.functions as func

from tests.local.host.sample_app.queues import queues
from tests.local.host.sample_app.timers import timers
from tests.local.host.sample_app.web import web

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(web)
app.register_functions(queues)
app.register_functions(timers)
