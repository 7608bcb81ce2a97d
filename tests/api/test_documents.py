"""The documents that are made of the table of operations and of the app's types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import schemathesis

from entra_sod.cli.contract import as_text, connector_files
from entra_sod.cli.operations.api.document import openapi, response
from entra_sod.cli.operations.api.model import ApiResponse, Operation, title_of
from entra_sod.cli.operations.api.operations import OPERATIONS
from entra_sod.cli.operations.api.schemas import FIELD_EXTENSIONS, components, either
from entra_sod.cli.operations.connector import api_definition
from entra_sod.domain.callers.keys import HEADER as GUARD_HEADER
from entra_sod.domain.results.check import CheckResult
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.services.checks.request import CheckRequest
from entra_sod.services.decisions.request import DecisionRequest
from entra_sod.services.notifications.subscribe import SubscriptionRequest
from local.processes import CHECKOUT

CONNECTOR = api_definition()
IDS = {each.id for each in OPERATIONS}
NOT_IN_SWAGGER = {"anyOf", "oneOf", "const", "nullable", "components", "requestBody", "content"}


def operations_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every operation of a document by its id."""
    methods = {"get", "post", "put", "delete", "options"}
    return {
        operation["operationId"]: operation
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in methods
    }


def mappings(value: object) -> Iterator[dict[str, Any]]:
    """Every object of a document, however deep."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from mappings(each)
    elif isinstance(value, list):
        for each in value:
            yield from mappings(each)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("docs/openapi.json", as_text(openapi())),
        ("functions/http/openapi.json", as_text(openapi())),
        *((f"infra/connector/{name}", text) for name, text in connector_files().items()),
    ],
)
def test_the_checked_in_copy_is_the_one_that_is_made(name: str, text: str) -> None:
    """A change of a type or of the table requires `make contract`."""
    assert (CHECKOUT / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("document", [openapi(), CONNECTOR])
def test_a_document_is_valid(document: dict[str, Any]) -> None:
    """Against the metaschemas of OpenAPI 3.1 and of Swagger 2.0."""
    schemathesis.openapi.from_dict(document).validate()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_an_operation_says_what_every_one_must(operation: Operation) -> None:
    """Refusals, throttling and an outage are documented, and that it is open where it is."""
    made = operations_of(openapi())[operation.id]
    assert made["summary"]
    assert made["description"].endswith((".", "?"))
    if operation.is_open:
        assert made["security"] == []
    else:
        assert {"401", "403", "429", "503"} <= made["responses"].keys()
        assert "security" not in made


def test_a_token_or_a_key_is_enough() -> None:
    """Two ways to prove oneself, each by itself, and in the header where the guard looks."""
    schemes = openapi()["components"]["securitySchemes"]
    assert openapi()["security"] == [{"entraToken": []}, {"callerKey": []}]
    assert schemes["entraToken"] == schemes["entraToken"] | {"type": "http", "scheme": "bearer"}
    assert schemes["callerKey"] == schemes["callerKey"] | {"in": "header", "name": GUARD_HEADER}


def test_every_reference_leads_somewhere() -> None:
    """No schema and no response is referred to that the document does not have."""
    for document in (openapi(), CONNECTOR):
        for each in mappings(document):
            if isinstance(reference := each.get("$ref"), str):
                place: Any = document
                for step in reference.removeprefix("#/").split("/"):
                    place = place[step]
                assert place


@pytest.mark.parametrize("kind", [CheckRequest, DecisionRequest, SubscriptionRequest])
def test_every_field_that_is_asked_for_is_described(kind: type[msgspec.Struct]) -> None:
    """A caller who reads the document alone knows what to send."""
    for place in components()[kind.__name__]["properties"].values():
        assert place["description"][0].isupper()
        assert place["x-ms-summary"]


@pytest.mark.parametrize(("kind", "name"), FIELD_EXTENSIONS)
def test_what_is_said_of_a_field_is_in_the_document(kind: type, name: str) -> None:
    """An extension whose field was renamed is noticed."""
    place = components()[kind.__name__]["properties"][name]
    assert FIELD_EXTENSIONS[kind, name].items() <= place.items()


def test_an_answer_may_come_as_text_too() -> None:
    """Beside its type it may have other media types, for people and for spreadsheets."""
    content = response(ApiResponse(text="A table.", body=CheckResult, also=("text/csv",)))[
        "content"
    ]
    assert content == {
        "application/json": {"schema": {"$ref": "#/components/schemas/CheckResult"}},
        "text/csv": {"schema": {"type": "string"}},
    }


def test_titles_are_made_of_names() -> None:
    """Makers of flows read words, not camel case."""
    assert title_of("accessPackageId") == "Access Package Id"
    assert title_of("self") == "Self"


class TestConnector:
    def test_it_speaks_swagger_alone(self) -> None:
        """No word of OpenAPI 3 is in it, and no type is a list of types."""
        for each in mappings(CONNECTOR):
            assert not each.keys() & NOT_IN_SWAGGER
            assert not isinstance(each.get("type"), list)

    def test_it_has_what_a_maker_can_use(self) -> None:
        """Health, readiness, pages, the documents and what others send are not for flows."""
        left_out = {"Health", "Ready", "GetContract", "GetReport", "GetConsole", "GetCaller"}
        left_out |= {"ReceiveWebhook", "AgreeToWebhooks"}
        assert operations_of(CONNECTOR).keys() == IDS - left_out

    def test_packages_are_chosen_by_name(self) -> None:
        """Each dynamic value names an operation of the connector, and fields of its answer."""
        found = [
            each["x-ms-dynamic-values"]
            for each in mappings(CONNECTOR)
            if "x-ms-dynamic-values" in each
        ]
        assert len(found) == 3
        shown = CONNECTOR["definitions"]["PackageList"]["properties"]
        view = CONNECTOR["definitions"]["PackageChoice"]["properties"]
        for each in found:
            operation = operations_of(CONNECTOR)[each["operationId"]]
            answer = operation["responses"]["200"]["schema"]["$ref"]
            assert answer == "#/definitions/PackageList"
            assert each["value-collection"] in shown
            assert {each["value-path"], each["value-title"]} <= view.keys()
            assert not [p for p in operation["parameters"] if p["required"]]

    def test_the_trigger_is_a_webhook(self) -> None:
        """The platform fills in its address, takes Location from 201, and can DELETE it."""
        item = CONNECTOR["paths"]["/subscriptions"]
        assert item["post"]["x-ms-trigger"] == "single"
        assert "Location" in item["post"]["responses"]["201"]["headers"]
        callback = CONNECTOR["definitions"]["SubscriptionRequest"]["properties"]["callbackUrl"]
        assert callback["x-ms-notification-url"] is True
        assert callback["x-ms-visibility"] == "internal"
        assert "delete" in CONNECTOR["paths"]["/subscriptions/{id}"]
        told = item["x-ms-notification-content"]["schema"]["properties"]
        assert {"outcome", "findings", "status"} <= told.keys()

    def test_one_answer_is_shown(self) -> None:
        """An action has the fields of one good answer, and of a problem."""
        for each in operations_of(CONNECTOR).values():
            good = [a for status, a in each["responses"].items() if status != "default"]
            assert sum("schema" in answer for answer in good) <= 1
            assert each["responses"]["default"]["schema"]["$ref"] == "#/definitions/Problem"

    def test_what_is_internal_is_not_wanted_from_a_maker(self) -> None:
        """An internal field that is required is one that the platform fills in."""
        for kind, name in FIELD_EXTENSIONS:
            place = components()[kind.__name__]
            if place["properties"][name].get("x-ms-visibility") == "internal":
                filled = place["properties"][name].get("x-ms-notification-url")
                assert filled or name not in place["required"]

    def test_a_key_is_asked_for_as_a_secret(self) -> None:
        """The connection stores the key unreadably, and says which key it is."""
        properties = json.loads(connector_files()["apiProperties.json"])["properties"]
        (name,) = CONNECTOR["securityDefinitions"]
        asked = properties["connectionParameters"][name]
        assert asked["type"] == "securestring"
        assert "CALLER_KEYS" in asked["uiDefinition"]["description"]
        assert CONNECTOR["securityDefinitions"][name]["name"] == "x-functions-key"

    def test_the_host_is_the_makers_own(self) -> None:
        """`entra-sod connector --host` puts it in; nothing else differs."""
        made = api_definition("sod.contoso.com")
        assert made == {**CONNECTOR, "host": "sod.contoso.com"}


def test_a_notification_has_the_fields_of_checks_and_of_sweeps() -> None:
    """A field that both have means the same in both."""
    made = components()
    check, sweep = (made[each.__name__]["properties"] for each in (CheckResult, SweepResult))
    for name in check.keys() & sweep.keys():
        without = [
            {k: v for k, v in of[name].items() if k != "description"} for of in (check, sweep)
        ]
        assert without[0] == without[1]
    both = either((CheckResult, SweepResult), made)
    assert both["properties"].keys() == check.keys() | sweep.keys()
    assert both["required"] == ["coverage", "id", "references", "rulesHash", "sets", "status"]


EXAMPLES = [
    *((each.body, each.body_example) for each in OPERATIONS if each.body_example),
    *(
        (answer.body, answer.example)
        for each in OPERATIONS
        for answer in each.responses.values()
        if answer.example
    ),
]


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_an_example_is_as_the_app_would_write_it(kind: type, example: dict[str, Any]) -> None:
    """Of the type of its body, with each field that is always there, and no other."""
    assert json.loads(msgspec.json.encode(msgspec.convert(example, kind))) == example


def test_there_are_examples() -> None:
    """At least of what people look up."""
    assert len(EXAMPLES) >= 10
