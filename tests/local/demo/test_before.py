"""What the demo holds the Logic App's calls against is what Microsoft documents."""

import pytest

from local.demo.documented import RESUME_PATH, callout, resume_body
from local.demo.expectations import fields
from tests.infra.logic_apps.files import documented


@pytest.mark.parametrize(("number", "denies"), [("21", False), ("22", True)])
def test_the_resume_bodies_are_the_documented_ones(number: str, denies: bool) -> None:  # noqa: FBT001 - a case
    """Every field, in the documented order, with the example's own values in it."""
    request = documented(number)["request"]
    data = request["body"]["data"]
    made = resume_body(
        source=request["body"]["source"],
        stage=data["stage"],
        stage_instance=data["customExtensionStageInstanceId"],
        detail=data["customExtensionStageInstanceDetail"],
        denies=denies,
    )
    assert made == request["body"]
    path = request["url"].removeprefix("https://graph.microsoft.com")
    assert RESUME_PATH.format(request["url"].split("/")[-2]) == path


def test_the_callout_is_a_part_of_the_documented_one() -> None:
    """Each field that the demo calls out with is documented, with the example's own values."""
    example = documented("20")
    made = callout(
        request=example["AccessPackageAssignmentRequestId"],
        stage=example["Stage"],
        stage_instance=example["CustomExtensionStageInstanceId"],
        kind=example["RequestType"],
        package=example["AccessPackage"]["Id"],
        target=example["Assignment"]["Target"]["Id"],
        who=example["Assignment"]["Target"]["ObjectId"],
    )
    wanted = fields(example)
    assert {name: wanted.get(name) for name in fields(made)} == fields(made)


def test_fields_are_named_by_their_paths() -> None:
    """Nested ones with dots, so that a difference names its place."""
    assert fields({"a": 1, "b": {"c": 2, "d": {"e": None}}}) == {"a": 1, "b.c": 2, "b.d.e": None}
