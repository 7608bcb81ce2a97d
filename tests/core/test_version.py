import tomllib

from entra_sod.core.version import VERSION
from local.processes import CHECKOUT


def test_the_app_knows_the_version_of_the_project() -> None:
    """What reports name is what pyproject.toml says, which is not deployed."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION
