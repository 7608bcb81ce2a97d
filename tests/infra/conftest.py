from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.bicep import ROOT, Json, bicep, compiled
from tests.infra.check import FILES
from tests.infra.mistakes import MISTAKES

AS_IT_IS = "as-it-is"


@dataclass(frozen=True)
class Built:
    """Copies of the infrastructure, each compiled in a folder of its own.

    Attributes:
        said: by the compiler, line by line; each names a file of a copy.
    """

    folder: Path
    said: list[str]

    @property
    def template(self) -> Json:
        return compiled(self.folder / AS_IT_IS)

    def words_about(self, name: str) -> list[str]:
        return [line for line in self.said if f"/{name}/" in line]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for the compiler, which is slow on a busy machine."""
    for item in items:
        if {"built", "planted"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The infrastructure as it is."""
    folder = tmp_path_factory.mktemp("infra")
    copy(folder / AS_IT_IS)
    return Built(folder, build(folder))


@pytest.fixture(scope="session")
def planted(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A copy for each mistake, compiled in one go; the others have the template as it is."""
    folder = tmp_path_factory.mktemp("planted")
    for name, mistake in MISTAKES.items():
        if mistake.file.endswith(".bicep"):
            copy(folder / name)
            mistake.plant(folder / name)
    said = build(folder)
    for name, mistake in MISTAKES.items():
        if not mistake.file.endswith(".bicep"):
            shutil.copytree(built.folder / AS_IT_IS, folder / name)
            mistake.plant(folder / name)
    return Built(folder, said)


def build(folder: Path) -> list[str]:
    """Compile every copy in a folder; the compiler takes longer to start than to compile one."""
    done = bicep("build", "--pattern", "*/infra/main.bicep", folder=folder)
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


def copy(folder: Path) -> None:
    """Copy what the checks read."""
    shutil.copytree(ROOT / "infra", folder / "infra")
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
