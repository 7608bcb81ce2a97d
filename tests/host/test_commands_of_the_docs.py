"""Every command and every curl that the docs show runs, against a local world.

A block that cannot run here says why in a comment above it: `<!-- not run: REASON -->`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.processes import CHECKOUT
from local.world import World
from tests.shell_blocks import PAGES, ShellBlock, blocks_of, contains

BLOCKS = {page: list(blocks_of(page)) for page in PAGES}
RUN = [page for page, blocks in BLOCKS.items() if any(not each.reason for each in blocks)]
# What a command may end with: 2 found something, 3 could not look at everything.
_FINE = frozenset({0, 2, 3})
# Prints each command that fails; the next one is run all the same, as in a person's terminal.
_WATCH = """trap 'echo "ended with $?: $BASH_COMMAND" >> "$ENDED"' ERR\n"""
_TIMEOUT = 240  # seconds, for one page


@dataclass(frozen=True, slots=True)
class RunningApp:
    """The app of a world, and the settings with which a command reaches the same world."""

    url: str
    settings: Mapping[str, str]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A world with the demo's tenant, all of which the app may read, after a sweep."""
    with World(logs=tmp_path_factory.mktemp("logs")) as world:
        give_all_catalogs(world)
        started = world.start_host(
            CALLER_KEYS="anyone", CALLBACK_HOSTS="hooks.contoso.com", RULES=str(CHECKOUT / "rules")
        )
        app = RunningApp(started.url, world.environment)
        swept = run("entra-sod sweep --url https://APP/api", app, tmp_path_factory.mktemp("swept"))
        assert swept.returncode in _FINE, swept.stderr
        yield app


def give_all_catalogs(world: World) -> None:
    """Give the app its role on the catalog that the demo keeps from it, too."""
    tenant = world.graph.tenant()
    roles: list[dict[str, str]] = tenant["roleAssignments"]
    scopes = [f"/AccessPackageCatalog/{each['id']}" for each in tenant["catalogs"]]
    given = {name: roles[0][name] for name in ("principalId", "roleDefinitionId")}
    missing = [each for each in scopes if each not in {role["appScopeId"] for role in roles}]
    world.graph.replace_roles(*roles, *({**given, "appScopeId": each} for each in missing))


def run(text: str, host: RunningApp, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands in a folder that looks like a clone, against the world."""
    bash = shutil.which("bash")
    assert bash
    return subprocess.run(  # noqa: S603 - the commands of our own docs
        [bash, "-c", _WATCH + addressed(text, host)],
        cwd=folder,
        env=environment(host, folder),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )


def addressed(text: str, host: RunningApp) -> str:
    """Put the address of the world in place of those that the docs have."""
    text = text.replace("https://APP", host.url).replace("http://localhost:7071", host.url)
    return text.replace("localhost:7071", host.url.removeprefix("http://"))


def environment(host: RunningApp, folder: Path) -> dict[str, str]:
    programs = CHECKOUT / ".venv" / "bin"
    return {
        **{name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ},
        **host.settings,
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "PYTHONPATH": str(CHECKOUT),
        "ENTRA_SOD_KEY": "any",
        "ENDED": str(folder / "ended"),
        "COLUMNS": "100",
    }


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the rules of the repository, and its environment."""
    shutil.copytree(CHECKOUT / "rules", tmp_path / "rules")
    (tmp_path / ".venv").symlink_to(CHECKOUT / ".venv")
    return tmp_path


@pytest.mark.slow
@pytest.mark.host
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_the_commands_of_a_page_run(page: Path, host: RunningApp, clone: Path) -> None:
    """In their order, each with an exit code that stands for no error."""
    for block in BLOCKS[page]:
        if not block.reason:
            check(block, host, clone)


def check(block: ShellBlock, host: RunningApp, folder: Path) -> None:
    ended = folder / "ended"
    ended.unlink(missing_ok=True)
    done = run(block.text, host, folder)
    failed = ended.read_text(encoding="utf-8").splitlines() if ended.exists() else []
    wrong = [line for line in failed if not is_fine(line)]
    assert wrong == [], f"{block.place}\n{done.stdout}\n{done.stderr}"
    assert not re.search(r"^HTTP/1.1 [45]", done.stdout, re.MULTILINE), block.place
    if block.answer is not None:
        assert contains(json.loads(done.stdout), block.answer), f"{block.place}\n{done.stdout}"


def is_fine(line: str) -> bool:
    """Whether a command that did not end with 0 found something, and is ours."""
    match = re.match(r"ended with (\d+): (\S+)", line)
    assert match, line
    return match[2] == "entra-sod" and int(match[1]) in _FINE


@pytest.mark.parametrize(
    "block",
    [each for blocks in BLOCKS.values() for each in blocks if each.reason],
    ids=lambda block: block.place,
)
def test_a_block_that_is_not_run_has_a_reason(block: ShellBlock) -> None:
    """What cannot run here needs Azure, another system, a person, or would change the machine."""
    assert re.search(r"needs|asks|would change|is the id of|tests of their own", block.reason), (
        block.reason
    )


def test_most_pages_with_commands_are_run() -> None:
    """So that marks do not spread: of 30 pages with commands at most a third run none of them."""
    with_commands = [page for page, blocks in BLOCKS.items() if blocks]
    assert len(with_commands) > 25
    assert len(RUN) > len(with_commands) * 2 / 3


@pytest.mark.parametrize(
    ("whole", "part", "is_in"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 2}}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": None}, {"a": None}, True),
    ],
)
def test_an_answer_has_to_contain_what_the_page_shows(
    whole: object, part: object, *, is_in: bool
) -> None:
    assert contains(whole, part) is is_in


def test_a_command_that_fails_is_not_fine() -> None:
    """Exit code 1 of ours, and any code of other programs."""
    assert is_fine("ended with 2: entra-sod plan")
    assert not is_fine("ended with 1: entra-sod plan")
    assert not is_fine("ended with 2: curl -s")
