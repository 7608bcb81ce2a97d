"""What the console's tests answer is what the app answers, by the types of its contract."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
import pytest

from entra_sod.cli.operations.api.operations import OPERATIONS
from tests.api.console import answers

BODIES = {
    f"{each.route.method} {each.route.path}": {
        status: answer.body for status, answer in each.responses.items()
    }
    for each in OPERATIONS
}


@pytest.mark.parametrize("route", answers.everything())
def test_each_answer_is_in_the_shape_of_the_contract(route: str) -> None:
    """A field that was renamed in the app would leave the console's tests green otherwise."""
    bodies = BODIES[route]
    body = bodies.get(HTTPStatus.OK) or bodies.get(HTTPStatus.ACCEPTED)
    given = answers.everything()[route]
    if body is None:
        assert given is None
        assert HTTPStatus.NO_CONTENT in bodies
        return
    known = msgspec.to_builtins(msgspec.convert(given, body))
    assert given.keys() <= known.keys()


def test_progress_is_in_the_shape_of_the_contract() -> None:
    """A sweep that runs answers 202."""
    body = BODIES["GET sweeps/{id}"][HTTPStatus.ACCEPTED]
    assert body is not None
    msgspec.convert(answers.progress(), body)
