"""Microsoft's documented exchanges through the whole way: HTTP → queue → worker → Graph → result.

The server below knows the documented requests and answers, and nothing that is not documented.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest

from local.processes import CHECKOUT
from tests.host.client import Caller
from tests.host.conftest import Stage

SHARED = Path(os.environ.get("ENTRA_SOD_SHARED", CHECKOUT.parent / "shared"))
EXAMPLES = SHARED / "graph-contract" / "examples"
GRAPH = "https://graph.microsoft.com"
USER1, USER2 = "cdbdf152-82ce-479c-b5b8-df90f561d5c7", "79a8f0b6-61dc-41db-b49e-470c278e05b6"
PAY, APPROVE = "2506aef1-3929-4d24-a61e-7c8b83d95e6f", "d5d99728-8c0b-4ede-83d2-cf9b0e8dabfb"
PACKAGE, OTHER = "73eb2497-3b88-4c0a-8bb3-68ba8162beff", "c0a74b4d-2694-4d5d-a964-1bee4ff0aaf2"

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(
        not EXAMPLES.is_dir(),
        reason="no graph-contract beside the checkout; ENTRA_SOD_SHARED names another place",
    ),
]


def example(number: str) -> dict[str, Any]:
    (file,) = EXAMPLES.glob(f"{number}-*.json")
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


class DocumentedGraph(ThreadingHTTPServer):
    """Answers as documented; lists show what was posted; keeps what it received."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = f"http://127.0.0.1:{self.server_port}"
        self.received: list[dict[str, Any]] = []
        self.posted: dict[str, list[dict[str, str]]] = {}

    def answer(  # noqa: PLR0911 - one for each kind of request
        self, method: str, target: str, body: Any
    ) -> tuple[int, Any]:
        if target.endswith("/$batch"):  # members of groups, which the role does not show
            answers = [{"id": each["id"], "status": 403, "body": {}} for each in body["requests"]]
            return 200, {"responses": answers}
        if method == "POST":
            place, _ = target.rsplit("/$ref", 1)
            entry = {"id": body["@odata.id"].rsplit("/", 1)[1]}
            self.posted.setdefault(place, []).append(entry)
            return example("03")["response"]["status"], None
        if target.endswith(("incompatibleGroups", "incompatibleAccessPackages")):
            return 200, {"value": self.posted.get(target, [])}
        if "additionalAccess" in target:
            documented = example("01")
            if GRAPH + target == documented["request"]["url"]:
                return 200, documented["response"]["body"]
            return 200, {"value": []}
        if target.endswith("/transitiveMembers/$count"):
            return 403, {"error": {"code": "Forbidden", "message": target}}
        return self._package(target)

    def _package(self, target: str) -> tuple[int, Any]:
        documented = example("11")
        for package_id in (PAY, APPROVE, PACKAGE, OTHER):
            if GRAPH + target == documented["request"]["url"].replace("{id}", package_id):
                return 200, documented["response"]["body"] | {"id": package_id}
        return 404, {"error": {"code": "NotFound", "message": target}}


class _Handler(BaseHTTPRequestHandler):
    @property
    def graph(self) -> DocumentedGraph:
        return cast("DocumentedGraph", self.server)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = json.loads(data) if data else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = {"method": self.command, "target": self.path, "headers": headers, "body": body}
        self.graph.received.append(request)
        status, answer = self.graph.answer(self.command, self.path, body)
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base class's names
        return


@pytest.fixture
def graph() -> Iterator[DocumentedGraph]:
    with DocumentedGraph() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_the_documented_answer_becomes_the_result(
    world: Stage, graph: DocumentedGraph, tmp_path: Path
) -> None:
    """Example 01: the two users of the documentation are the holders of the check's result."""
    # The demo's rules need the list of packages, which is no part of the example.
    (tmp_path / "rules.yaml").write_text("version: 1\nrules: []\n")
    host = world.start_host(GRAPH_ROOT=graph.root, GRAPH_CREDENTIAL="local", RULES=str(tmp_path))
    answer = Caller(host.url).check(PAY, APPROVE)
    assert (answer["outcome"], answer["holderCount"]) == ("conflict", 2)
    documented = example("01")["response"]["body"]["value"]
    assert answer["holders"] == [
        {
            "subjectId": each["target"]["id"],
            "objectId": each["target"]["objectId"],
            "displayName": each["target"]["displayName"],
            "subjectType": each["target"].get("subjectType"),
            "assignmentId": each["id"],
            "state": None,
        }
        for each in documented
    ]
    assert [each["objectId"] for each in answer["holders"]] == [USER1, USER2]
    targets = [GRAPH + each["target"] for each in graph.received]
    assert example("01")["request"]["url"] in targets


@pytest.mark.parametrize("number", ["03", "06"])
def test_the_documented_write_leaves_the_app_as_documented(
    world: Stage, graph: DocumentedGraph, tmp_path: Path, number: str
) -> None:
    """Examples 03 and 06: address, content type and body of the write are the documented ones."""
    (tmp_path / "rules.yaml").write_text(
        f"""
version: 1
rules:
  - id: documented
    title: The documentation's package against its group and its other package
    severity: high
    owner: owner@example.com
    mode: enforce
    between:
      - packages: [{{id: {PACKAGE}}}]
      - packages: [{{id: {OTHER}}}]
        groups: [{{id: {OTHER}}}]
"""
    )
    host = world.start_host(
        GRAPH_ROOT=graph.root,
        GRAPH_CREDENTIAL="local",
        ENFORCEMENT="apply",
        RULES=str(tmp_path),
    )
    answer = Caller(host.url).check(PACKAGE, OTHER)
    assert len(answer["references"]["written"]) == 3
    documented = example(number)["request"]
    (sent,) = [
        each
        for each in graph.received
        if each["method"] == "POST" and GRAPH + each["target"] == documented["url"]
    ]
    assert sent["headers"]["content-type"] == documented["headers"]["Content-type"]
    assert sent["body"] == json.loads(json.dumps(documented["body"]).replace(GRAPH, graph.root))
