"""Metrics on their way to Application Insights, by Microsoft's own worker code."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from local.processes import CHECKOUT

pytestmark = pytest.mark.host

# As azure_functions_runtime does where PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY is true.
PROGRAM = """
from azure_functions_runtime.otel import initialize_azure_monitor
initialize_azure_monitor()
from entra_sod.core import telemetry
from opentelemetry.metrics import get_meter_provider
telemetry.count_response(200, 20)
telemetry.record_sweep(status="completed", seconds=60, conflicts=3, gaps=0)
get_meter_provider().force_flush()
get_meter_provider().shutdown()
"""


class Ingestion:
    """Takes telemetry as Application Insights does, and keeps it."""

    def __init__(self) -> None:
        self.kept = kept = list[dict[str, Any]]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                items = json.loads(body) if self.path.endswith("/track") else []
                kept.extend(items)
                taken = len(items)
                answer = {"itemsReceived": taken, "itemsAccepted": taken, "errors": []}
                data = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def metrics(self) -> dict[str, tuple[float, dict[str, str]]]:
        """Value and properties of each of our own metrics, by name."""
        found = {}
        for item in self.kept:
            data = item["data"]["baseData"]
            for metric in data.get("metrics", ()):
                if metric["name"].startswith("entra_sod."):
                    found[metric["name"]] = (metric["value"], data["properties"])
        return found


@pytest.fixture
def ingestion() -> Iterator[Ingestion]:
    ingestion = Ingestion()
    thread = threading.Thread(target=ingestion.server.serve_forever)
    thread.start()
    yield ingestion
    ingestion.server.shutdown()
    ingestion.server.server_close()
    thread.join()


def test_the_workers_own_telemetry_carries_our_metrics(ingestion: Ingestion) -> None:
    """With the worker's setting alone, and no set-up of ours, they reach the ingestion endpoint."""
    connection = (
        "InstrumentationKey=00000000-0000-0000-0000-000000000001;"
        f"IngestionEndpoint={ingestion.address};LiveEndpoint={ingestion.address}"
    )
    environment = {
        **os.environ,
        "APPLICATIONINSIGHTS_CONNECTION_STRING": connection,
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        "NO_PROXY": "127.0.0.1",
    }
    subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", PROGRAM],
        cwd=CHECKOUT,
        env=environment,
        check=True,
        timeout=60,
        capture_output=True,
    )
    assert ingestion.metrics() == {
        "entra_sod.graph.requests": (20, {"status": "200"}),
        "entra_sod.sweep.duration": (60, {"status": "completed"}),
        "entra_sod.conflicts": (3, {"status": "completed"}),
        "entra_sod.gaps": (0, {"status": "completed"}),
    }
