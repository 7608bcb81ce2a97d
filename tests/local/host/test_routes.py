import pytest

from local.host.errors import BindingError
from local.host.routes import Match, Routes
from tests.local.host.functions import http


def routes(*paths: str, prefix: str = "api") -> Routes:
    return Routes([http(f"f{i}", route=path) for i, path in enumerate(paths)], prefix)


def name(match: Match | None) -> str | None:
    return match.route.function.name if match else None


def test_a_parameter_takes_one_segment() -> None:
    """The value is decoded; an escaped slash stays inside it."""
    match = routes("checks/{id}").find("GET", "/api/checks/a%2Fb%20c")
    assert match is not None
    assert match.parameters == {"id": "a/b c"}


def test_a_parameter_takes_any_character() -> None:
    """A line's end is no end of the value; the function is asked, and says what it thinks of it."""
    match = routes("checks/{id}").find("GET", "/api/checks/a%0Ab")
    assert match is not None
    assert match.parameters == {"id": "a\nb"}


@pytest.mark.parametrize("path", ["/api/checks", "/api/checks/1/2", "/checks/1", "/api/other/1"])
def test_another_path_finds_nothing(path: str) -> None:
    """Too short, too long, without the prefix or misspelt: none is the route's."""
    assert routes("checks/{id}").find("GET", path) is None


def test_an_optional_parameter_may_be_missing() -> None:
    """{name?} matches with and without a value."""
    found = routes("health/{name?}")
    bare, full = found.find("GET", "/api/health"), found.find("GET", "/api/health/x")
    assert bare is not None
    assert bare.parameters == {}
    assert full is not None
    assert full.parameters == {"name": "x"}


def test_a_catch_all_takes_the_rest() -> None:
    """{*rest} matches any number of segments."""
    match = routes("files/{*rest}").find("GET", "/api/files/a/b")
    assert match is not None
    assert match.parameters == {"rest": "a/b"}


def test_literal_text_wins_over_a_parameter() -> None:
    """sweeps/latest is not the sweep whose id is latest, in whatever order they are declared."""
    found = routes("sweeps/{id}", "sweeps/latest")
    assert name(found.find("GET", "/api/sweeps/latest")) == "f1"
    assert name(found.find("GET", "/api/sweeps/7")) == "f0"


def test_a_constraint_decides() -> None:
    """A constrained parameter is tried first, and passes on what it does not accept."""
    found = routes("sweeps/{id}", "sweeps/{number:int}")
    assert name(found.find("GET", "/api/sweeps/7")) == "f1"
    assert name(found.find("GET", "/api/sweeps/x")) == "f0"


def test_paths_compare_without_regard_to_case() -> None:
    """As in ASP.NET, and a slash at the end does not matter."""
    assert routes("Checks").find("GET", "/API/checks/") is not None


def test_methods_choose_between_functions_of_one_path() -> None:
    """A method that no function takes finds nothing: the real host answers 404, not 405."""
    functions = [
        http("read", route="checks", methods=["GET"]),
        http("create", route="checks", methods=["POST"]),
    ]
    found = Routes(functions, "api")
    assert name(found.find("GET", "/api/checks")) == "read"
    assert name(found.find("POST", "/api/checks")) == "create"
    assert found.find("DELETE", "/api/checks") is None


def test_a_function_without_a_route_has_its_name() -> None:
    """And an empty prefix puts it at the root."""
    assert name(Routes([http("health")], "").find("PUT", "/health")) == "health"


def test_a_route_part_that_is_not_known_is_named() -> None:
    """A constraint that this host lacks is an error, not a route that never matches."""
    with pytest.raises(BindingError, match=r"f0.*regex"):
        routes("a/{b:regex}")
