"""docs/reference is what the code says: each page equal to the made one, each table complete."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from entra_sod.cli.expected import EXPECTED
from entra_sod.cli.operations.api.document import openapi
from entra_sod.core.log_actions import LOG_ACTIONS
from entra_sod.domain.notifications.event import EventName
from entra_sod.domain.notifications.event_descriptions import EVENT_DESCRIPTIONS
from entra_sod.settings.descriptions import DESCRIPTIONS, settings_in_code
from entra_sod.stores.places import PLACES
from local.processes import CHECKOUT
from local.reference.cli_page import with_exit_codes
from local.reference.dependencies_page import npm_reasons, reasons_in
from local.reference.markdown import anchor, table
from local.reference.pages import FOLDER, NoMarksError, pages_as_made, with_part, write_pages
from local.reference.problems import problem_types
from local.reference.samples import sample

MADE = dict(pages_as_made())
# Actions that are no literal where they are logged: they are named after events.
_NAMED_AFTER_EVENTS = {each.replace(".", "_") for each in EventName}


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_each_page_is_the_made_one(path: Path) -> None:
    """`make docs` would change nothing."""
    assert path.read_text(encoding="utf-8") == MADE[path], "run make docs"


def test_a_page_that_differs_is_written_and_named(tmp_path: Path) -> None:
    """A second run has nothing to do."""
    for path in FOLDER.glob("*.md"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "metrics.md").write_text("# old\n")
    assert write_pages(tmp_path) == ["metrics.md"]
    assert write_pages(tmp_path) == []
    assert (tmp_path / "metrics.md").read_bytes() == (FOLDER / "metrics.md").read_bytes()


def test_a_part_without_its_marks_is_an_error() -> None:
    """A page whose marks were removed by hand is named, and not written without the part."""
    with pytest.raises(NoMarksError, match="generated: x"):
        with_part("# Page\n", "x", "made")


def test_every_setting_has_a_meaning_and_no_other_is_described() -> None:
    """The names that the code reads are the described ones."""
    assert set(DESCRIPTIONS) == set(settings_in_code())
    assert all(each.meaning.endswith(".") for each in DESCRIPTIONS.values())


def test_the_default_of_a_setting_is_the_code_s() -> None:
    """What the reference shows is read from the code, not written down a second time."""
    read = settings_in_code()
    assert read["MAX_REFERENCE_WRITES"].default == "`50`"
    assert read["PRUNE"].default == "`false`"
    assert read["DECISION_ON_GAPS"].values == "`review`, `deny`"
    assert read["CALLBACK_HOSTS"].default == "none"


def test_every_event_is_described() -> None:
    assert set(EVENT_DESCRIPTIONS) == set(EventName)


def logged_actions() -> Iterator[str]:
    """Every action that stands as text beside a log call, or is passed to a function that logs."""
    for folder in ("entra_sod", "functions"):
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Dict):
                    yield from _of_dict(node)
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield from _of_call(node, node.func.id)


def _of_dict(node: ast.Dict) -> Iterator[str]:
    for key, value in zip(node.keys, node.values, strict=True):
        named = isinstance(key, ast.Constant) and key.value == "action"
        if named and isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def _of_call(node: ast.Call, function: str) -> Iterator[str]:
    if function in ("_log", "_log_write"):
        for each in node.args:
            if isinstance(each, ast.Constant) and re.fullmatch("[a-z]+(_[a-z]+)+", str(each.value)):
                yield str(each.value)


def test_every_log_action_is_described_and_no_other() -> None:
    """The actions in the source, and those that announcements are named after."""
    logged = set(logged_actions())
    described = [each.name for each in LOG_ACTIONS]
    assert len(logged) > 20
    assert len(described) == len(set(described))
    assert logged <= set(described)
    assert set(described) - logged <= _NAMED_AFTER_EVENTS


def test_every_place_of_storage_is_described_and_no_other() -> None:
    """Tables, containers and queues are those that infra/ makes."""
    bicep = (CHECKOUT / "infra/modules/storage.bicep").read_text(encoding="utf-8")
    made = {
        (kind, name)
        for kind in ("table", "container", "queue")
        for name in re.findall(r"'([\w-]+)'", bicep.split(f"var {kind}s = [")[1].split("]")[0])
    }
    made = {each for each in made if not each[1].endswith("-poison")} | {("container", "evidence")}
    assert {(each.kind, each.name) for each in PLACES} == made


def test_every_function_is_in_the_reference() -> None:
    """HTTP functions and the timer on the page of the API, those of queues beside the queues."""
    text = "".join(
        (FOLDER / name).read_text(encoding="utf-8") for name in ("api.md", "tables-and-blobs.md")
    )
    assert [name for name in sorted(EXPECTED) if f"`{name}`" not in text] == []


def test_every_dependency_has_a_reason() -> None:
    """It stands beside the requirement, or in package.json."""
    files = ("requirements.in", "requirements-dev.in", "requirements-infra.in")
    found = [*npm_reasons(), *(each for file in files for each in reasons_in(file))]
    assert len(found) > 40
    assert [name for name, why in found if not why] == []


def test_problems_are_read_from_the_source() -> None:
    """With their status, also of those that a helper makes; each type has one status."""
    found = problem_types()
    assert (401, "unauthenticated", "The caller is not authenticated") in found
    assert (503, "storage", "Storage is unavailable") in found
    assert len({slug for _, slug, _ in found if slug != "not-set-up"}) >= len(found) - 1


def samples() -> Iterator[tuple[str, Any]]:
    """Every body of the contract by its route, with its schema."""
    for path, item in openapi()["paths"].items():
        for method, operation in item.items():
            given = [operation.get("requestBody", {}), *operation.get("responses", {}).values()]
            for each in given:
                if body := each.get("content", {}).get("application/json"):
                    yield f"{method} {path}", body["schema"]


def test_every_sample_fits_its_schema() -> None:
    """What the reference shows as a request or an answer is one."""
    document = openapi()
    wrong = {}
    for name, schema in samples():
        validator = Draft202012Validator(
            {**schema, "components": document["components"]}, format_checker=FormatChecker()
        )
        made: Any = sample(schema, document["components"]["schemas"])
        if errors := [each.message for each in validator.iter_errors(made)]:
            wrong[name] = errors
    assert len(list(samples())) > 25
    assert wrong == {}


def test_a_sample_has_what_is_required_and_follows_references() -> None:
    schemas = {
        "Rule": {
            "type": "object",
            "required": ["id", "mode"],
            "properties": {"id": {"type": "string"}, "mode": {"enum": ["warn"]}},
        }
    }
    schema = {
        "type": "object",
        "required": ["rules", "count"],
        "properties": {
            "rules": {"type": "array", "items": {"$ref": "#/components/schemas/Rule"}},
            "count": {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 2}]},
            "other": {"type": "string"},
        },
    }
    assert sample(schema, schemas) == {
        "rules": [{"id": "pay-and-approve", "mode": "warn"}],
        "count": 2,
    }


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("Exit code 0: done. 1: an error; see 2.", ["- 0: done.", "- 1: an error; see 2."]),
        (
            "Exit code 0: all. With --dry-run 2: some. 3: gaps.",
            ["- 0: all.", "- 2 with `--dry-run`: some.", "- 3: gaps."],
        ),
    ],
)
def test_exit_codes_become_a_list(paragraph: str, expected: list[str]) -> None:
    """Also those of one option; a number in a sentence is none."""
    assert with_exit_codes(paragraph).splitlines()[2:] == expected
    assert with_exit_codes("Writes nothing.") == "Writes nothing."


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("GET /checks/{id}", "get-checksid"),
        ("`atMost`", "atmost"),
        ("A damaged row", "a-damaged-row"),
    ],
)
def test_anchors_are_those_of_github(heading: str, expected: str) -> None:
    assert anchor(heading) == expected


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(("a",), [("x|y",), ("",)]).splitlines()[2:] == ["| x\\|y |", "| - |"]
