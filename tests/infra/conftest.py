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


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("infra")
    copy(folder / "as-it-is")
    for name, mistake in MISTAKES.items():
        copy(folder / name)
        mistake.plant(folder / name)
    done = bicep("build", "--pattern", "*/infra/main.bicep", folder=folder)
    return Built(folder, [*done.stdout.splitlines(), *done.stderr.splitlines()])


def copy(folder: Path) -> None:
    """Copy what the checks read."""
    shutil.copytree(ROOT / "infra", folder / "infra")
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
