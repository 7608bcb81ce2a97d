from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.bicep import ROOT, Json, bicep, compiled
from tests.infra.check import FILES
from tests.infra.mistakes import MISTAKES


@dataclass(frozen=True)
class Built:
    """Copies of the infrastructure, compiled in one go: as it is, and with one mistake each.

    Attributes:
        said: by the compiler, line by line; each names a file of a copy.
    """

    folder: Path
    said: list[str]

    @property
    def as_it_is(self) -> Path:
        return self.folder / "as-it-is"

    @property
    def template(self) -> Json:
        return compiled(self.as_it_is)

    def words_about(self, name: str) -> list[str]:
        return [line for line in self.said if f"/{name}/" in line]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever comes first waits for the compiler, which is slow on a busy machine."""
    for item in items:
        if "built" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("infra")
    copy(folder / "as-it-is")
    in_bicep = {name for name, each in MISTAKES.items() if each.file.endswith(".bicep")}
    for name in in_bicep:
        copy(folder / name)
        MISTAKES[name].plant(folder / name)
    done = bicep("build", "--pattern", "*/infra/main.bicep", folder=folder)
    for name in MISTAKES.keys() - in_bicep:  # the template is the same: no need to compile it again
        shutil.copytree(folder / "as-it-is", folder / name)
        MISTAKES[name].plant(folder / name)
    return Built(folder, [*done.stdout.splitlines(), *done.stderr.splitlines()])


def copy(folder: Path) -> None:
    """Copy what the checks read."""
    shutil.copytree(ROOT / "infra", folder / "infra")
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
