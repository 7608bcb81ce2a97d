"""What Graph documents: the description of its answers, and examples of whole exchanges."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from local.graph.tenant import Tenant
from tests.local.graph.caller import ROOT, Caller, app_of

GRAPH = "https://graph.microsoft.com"

type Json = dict[str, Any]


class Description:
    """The OpenAPI description."""

    def __init__(self, file: Path) -> None:
        self._content: Json = _strict(yaml.safe_load(file.read_text()))
        resource = DRAFT4.create_resource(self._content)
        self._registry: Registry[Any] = Registry[Any]().with_resource("urn:graph", resource)

    def answer(self, template: str, method: str = "get") -> Json:
        """The schema of a success; `template` is a path as the description writes it."""
        responses = self._content["paths"][template][method]["responses"]
        response = self._resolved(responses["2XX"])
        schema: Json = response["content"]["application/json"]["schema"]
        return schema

    def error(self) -> Json:
        return {"$ref": "#/components/schemas/microsoft.graph.ODataErrors.ODataError"}

    def template_with(self, part: str) -> str:
        paths: list[str] = list(self._content["paths"])
        [template] = [path for path in paths if part in path]
        return template

    def faults(self, schema: Json, body: object) -> list[str]:
        """What is wrong with a body: types and values by schema, and properties it lacks."""
        anchored = json.loads(json.dumps(schema).replace('"#/', '"urn:graph#/'))
        validator = OAS30Validator(anchored, registry=self._registry)
        wrong = [error.message for error in validator.iter_errors(body)]
        return wrong + [f"{name} is not declared" for name in self._undeclared(schema, body)]

    def _undeclared(self, schema: Json, body: object) -> list[str]:
        schema = self._resolved(schema)
        if isinstance(body, list):
            return [name for item in body for name in self._undeclared(schema["items"], item)]
        if not isinstance(body, dict):
            return []
        known = self._properties(schema)
        own = {name: value for name, value in body.items() if not name.startswith("@")}
        missing = [name for name in own if name not in known]
        below = [self._undeclared(known[name], own[name]) for name in own if name in known]
        return missing + [name for names in below for name in names]

    def _properties(self, schema: Json) -> Json:
        schema = self._resolved(schema)
        found: Json = dict(schema.get("properties", {}))
        for part in (*schema.get("allOf", []), *schema.get("anyOf", [])):
            found |= self._properties(part)
        return found

    def _resolved(self, schema: Json) -> Json:
        if "$ref" not in schema:
            return schema
        found: Any = self._content
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return self._resolved(found)


def _strict(schema: Any) -> Any:
    """The description without its loophole: beside a type it allows any object, to allow null."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.keys() >= {"type", "nullable"} and schema["type"] == "object":
        return {"enum": [None]}
    return {name: _strict(value) for name, value in schema.items()}


def example(contract: Path, number: str) -> tuple[Json, Json]:
    """A documented request and its answer, on this simulator's host."""
    [file] = contract.glob(f"examples/{number}-*.json")
    content = json.loads(file.read_text().replace(GRAPH, ROOT))
    return content["request"], content["response"]


async def replay(contract: Path, number: str, tenant: Tenant) -> httpx.Response:
    """The answer of a tenant to the documented request; its status is the documented one."""
    request, response = example(contract, number)
    address = urlsplit(request["url"].replace("{id}", str((response.get("body") or {}).get("id"))))
    target = f"{address.path}?{address.query}" if address.query else address.path
    caller = Caller(app_of(tenant), tenant.identities[0].client_id)
    caller.behaviour.missing_state = number == "01"  # abridged, like other examples
    answer = await caller.send(request["method"], target, body=request["body"])
    assert answer.status_code == response["status"], answer.text
    return answer


def plain(body: Any) -> Any:
    """A body without its annotations."""
    if isinstance(body, dict):
        return {name: plain(value) for name, value in body.items() if not name.startswith("@")}
    return [plain(item) for item in body] if isinstance(body, list) else body
