"""The least that could take a check: a function that puts its body onto a queue and answers 202."""

from __future__ import annotations

import os

import azure.functions as func
from azure.storage.queue.aio import QueueClient

_STORAGE = os.environ["AzureWebJobsStorage"]  # noqa: SIM112 - the platform's own name

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
queue = QueueClient.from_connection_string(_STORAGE, "bare")


@app.function_name("start_check")
@app.route("checks", methods=["POST"])
async def start_check(req: func.HttpRequest) -> func.HttpResponse:
    await queue.send_message(req.get_body().decode())
    return func.HttpResponse(status_code=202)
