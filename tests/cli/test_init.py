"""`entra-sod init`: what it writes, what it refuses, and that its first push is green."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from entra_sod.cli import init as command
from entra_sod.cli.__main__ import app
from entra_sod.cli.import_rules import write_whole
from entra_sod.cli.init import InitRefused, matching, numbers_of
from entra_sod.cli.operations.matrix.packs import pack_names, read_pack
from entra_sod.cli.operations.new_folder import (
    MAX_LISTED,
    NewFolder,
    PipelineKind,
    default_source,
    new_files,
)
from entra_sod.cli.operations.rules.format_yaml import format_yaml
from entra_sod.cli.schema import schema_text
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.parse import parse_rules
from tests.adapters.graph.fixtures import Simulator
from tests.builders import guid

SOURCE = "contoso/entra-sod@v0.1.0"
HOSTILE = [
    "@ASKED@",
    "@PACKAGES@",
    "a\nb: [",
    "# x",
    "@team `rm` [y]",
    "\u202eevil",
    "🙂" * 300,
    '"',
    "'",
    "- {a: b}",
    "\x1b[31m",
]


def run(*arguments: str | Path, answers: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments], input=answers)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tenant(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """The simulated tenant, for commands of this process."""
    for name, value in simulator.settings.items():
        monkeypatch.setenv(name, value)
    return simulator


def package(name: str, catalog: str = "Finance", number: str = "a") -> AccessPackage:
    return AccessPackage(id=guid(number), display_name=name, catalog_name=catalog)


def files_of(
    packages: Sequence[AccessPackage] | None,
    pack: str | None = None,
    pipeline: PipelineKind = PipelineKind.GITHUB,
) -> dict[str, str]:
    folder = NewFolder(
        packages=packages,
        catalogs=sorted({each.catalog_name for each in packages or ()}),
        pack=(pack, read_pack(pack)) if pack else None,
        pipeline=pipeline,
        source=SOURCE,
        schema=schema_text(),
    )
    return dict(new_files(folder, command._templates()))


def checks_of_its_own(folder: Path) -> list[list[str]]:
    """The commands of the hooks that init wrote, with the files that they are for."""
    hooks = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    found = [shlex.split(each["entry"])[1:] for each in hooks]
    return [["fmt", "--check", "rules"] if each == ["fmt"] else each for each in found]


@pytest.mark.parametrize("ci", list(PipelineKind))
@pytest.mark.parametrize("pack", [None, *pack_names()])
def test_the_first_push_is_green(here: Path, pack: str | None, ci: PipelineKind) -> None:
    """Each check that the folder brings succeeds in it, and no rule enforces."""
    more = ["--pack", pack] if pack else []
    code, out, _ = run("init", "--offline", "--ci", ci, *more)
    assert code == 0
    written = {each.as_posix() for each in Path().rglob("*") if each.is_file()}
    assert set(out.splitlines()) == written
    commands = checks_of_its_own(here)
    assert [each[0] for each in commands] == ["fmt", "validate", "test"]
    for arguments in commands:
        assert run(*arguments)[0] == 0, arguments
    rules = parse_rules(
        SourceFile(each.name, each.read_text()) for each in (here / "rules").glob("*.yaml")
    ).rules.values()
    assert {each.mode for each in rules} <= {Mode.RECORD}
    assert bool(rules) == bool(pack)


def test_the_pipeline_runs_the_same_checks(here: Path) -> None:
    """What Azure Pipelines runs of entra-sod is what the hooks run."""
    run("init", "--offline", "--ci", "azure-pipelines", "--source", SOURCE)
    steps = yaml.safe_load((here / "azure-pipelines.yml").read_text())["steps"]
    scripts = [each["script"] for each in steps if "script" in each]
    ours = [each.partition(" > ")[0] for each in scripts if each.startswith("entra-sod ")]
    assert ours == [
        "entra-sod fmt --check rules",
        "entra-sod validate rules --offline",
        "entra-sod test rules/tests --format junit",
    ]
    assert f'pip install --quiet "git+https://github.com/{SOURCE}"' in scripts[0]


def test_the_workflow_takes_the_tool_from_where_it_is_told(here: Path) -> None:
    """The action is of --source, each other one is pinned, and the checkout is the first step."""
    run("init", "--offline", "--source", SOURCE)
    text = (here / ".github" / "workflows" / "rules.yml").read_text()
    used = re.findall(r"uses: (\S+)", text)
    assert used[1:] == [SOURCE]
    assert re.fullmatch(r"actions/checkout@[0-9a-f]{40}", used[0])
    assert "@SOURCE@" not in "".join(each.read_text() for each in here.rglob("*") if each.is_file())


def test_without_a_known_source_it_says_what_to_replace(here: Path) -> None:
    """The owner of entra-sod on GitHub is not known to a command installed from a clone."""
    _, _, err = run("init", "--offline")
    assert f"CI takes entra-sod from {default_source()}" in err
    assert default_source() in (here / ".github" / "workflows" / "rules.yml").read_text()
    _, _, err = run("init", "other", "--offline", "--source", SOURCE)
    assert "CI takes" not in err


@pytest.mark.parametrize("source", ["contoso", "a/b", "a b/c@d", "a/b@$(x)", "a/b@c\n"])
def test_a_source_that_is_none_is_refused(here: Path, source: str) -> None:
    """It stands in a workflow, so it has a form."""
    code, _, err = run("init", "--offline", "--source", source)
    assert (code, "must be OWNER/NAME@REF" in err) == (1, True)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("name", ["rules.yaml", ".gitignore", "a\x1b[31m"])
def test_a_folder_that_is_not_empty_is_refused(here: Path, name: str) -> None:
    """What is there is named, stays as it is, and the message says what to do."""
    (here / name).write_text("mine")
    code, out, err = run("init", "--offline")
    assert (code, out) == (1, "")
    assert "is not empty" in err
    assert "entra-sod init FOLDER" in err
    assert "\x1b" not in err
    assert [each.read_text() for each in here.iterdir()] == ["mine"]


def test_a_file_in_place_of_the_folder_is_refused(here: Path) -> None:
    """And stays."""
    (here / "r").write_text("mine")
    code, _, err = run("init", "r", "--offline")
    assert (code, "r is a file" in err) == (1, True)
    assert (here / "r").read_text() == "mine"


def test_a_clone_without_files_is_empty(here: Path) -> None:
    """Its `.git` is no file of rules."""
    (here / ".git").mkdir()
    assert run("init", "--offline")[0] == 0


def test_names_stand_beside_the_ids_of_the_chosen_catalogs(here: Path, tenant: Simulator) -> None:
    """Packages of other catalogs are not in the files; the first of them are in the test."""
    listed = tenant.control.tenant()["accessPackages"]
    code, _, err = run("init", "--catalog", "FIN*")
    assert code == 0
    text = (here / "rules" / "rules.yaml").read_text()
    named = re.findall(r"# - \{id: (\S+)\}  # (.+) \((.+)\)", text)
    assert {catalog for _, _, catalog in named} == {"Finance"}
    by_id = {each["id"]: each["displayName"] for each in listed}
    assert named
    assert all(by_id[key] == name for key, name, _ in named)
    assert f"{len(named)} access packages of 1 catalog named" in err
    test = yaml.safe_load((here / "rules" / "tests" / "rules.yaml").read_text())
    assert {each["id"] for each in test["packages"]} <= {key for key, _, _ in named}
    for arguments in checks_of_its_own(here):
        assert run(*arguments)[0] == 0, arguments
    assert run("validate", "rules")[0] == 0


def test_catalogs_without_a_tenant_are_refused(here: Path) -> None:
    """They are not passed over in silence."""
    code, _, err = run("init", "--offline", "--catalog", "Finance")
    assert (code, "leave out --offline, or --catalog" in err) == (1, True)
    assert list(here.iterdir()) == []


def test_a_catalog_that_is_not_there_is_refused(here: Path, tenant: Simulator) -> None:
    """With what may have been meant; nothing is written."""
    assert tenant.settings
    code, _, err = run("init", "--catalog", "Finanse")
    assert (code, "did you mean Finance?" in err) == (1, True)
    assert list(here.iterdir()) == []


def test_without_a_terminal_the_catalogs_must_be_named(here: Path, tenant: Simulator) -> None:
    """The message has the names and the options."""
    assert tenant.settings
    code, _, err = run("init")
    assert code == 1
    assert "--catalog NAME" in err
    assert "Finance" in err
    assert list(here.iterdir()) == []


def test_on_a_terminal_it_asks_for_numbers(
    here: Path, tenant: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is not understood is asked for again."""
    assert tenant.settings
    monkeypatch.setattr(command, "is_terminal", lambda: True)
    code, _, err = run("init", answers="x\n99\n1\n")
    assert code == 0
    assert err.count("Give numbers from 1 to") == 2
    first = re.search(r"^ +1  (.+) \(", err, re.MULTILINE)
    assert first
    assert f"Access packages of {first[1]}," in (here / "rules" / "rules.yaml").read_text()


def test_without_a_sign_in_it_says_both_ways_on(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sign in, or write the folder without a tenant."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(here / "config"))
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.delenv("GRAPH_CREDENTIAL", raising=False)
    monkeypatch.delenv("GRAPH_ROOT", raising=False)
    code, _, err = run("init", "new", "--catalog", "Finance")
    assert code == 1
    assert "entra-sod login" in err
    assert "entra-sod init --offline" in err
    assert not (here / "new").exists()


def test_a_write_that_fails_leaves_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the same command can be run again."""
    write, left = write_whole, iter(range(3))

    def failing(path: Path, text: str) -> None:
        if next(left, None) is None:
            raise OSError("disk full")
        write(path, text)

    monkeypatch.setattr(command, "write_whole", failing)
    code, _, err = run("init", "new", "--offline")
    assert (code, "disk full" in err) == (1, True)
    assert [each for each in here.rglob("*") if each.is_file()] == []
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert run("init", "new", "--offline")[0] == 0


@pytest.mark.parametrize("pack", [None, "procure-to-pay"])
def test_names_are_data(pack: str | None) -> None:
    """Whatever a package is called, the files are YAML, in their form, and have all ids."""
    packages = [
        package(name, name, f"a{number}")
        for number, name in enumerate([*HOSTILE, "", "pay", "PAY"])
    ]
    files = files_of(packages, pack)
    text = files["rules/binding.yaml" if pack else "rules/rules.yaml"]
    assert all(each.id in text for each in packages)
    parse_rules(
        SourceFile(name, each)
        for name, each in files.items()
        if re.match(r"rules/[^/]+ya?ml", name)
    )
    for name, each in files.items():
        if name.startswith("rules/") and name.endswith(".yaml"):
            assert format_yaml(SourceFile(name, each)) == each
            assert "\x1b" not in each
            assert "\u202e" not in "".join(re.findall("#.*", each))


def test_a_large_catalog_is_named_in_part() -> None:
    """The rest is counted, with the command that lists it."""
    packages = [package(f"p{number}", number=f"{number:x}") for number in range(MAX_LISTED + 7)]
    text = files_of(packages)["rules/rules.yaml"]
    assert text.count("# - {id: ") == MAX_LISTED
    assert "# and 7 more: entra-sod packages" in text


@given(st.text(max_size=12), st.integers(1, 30))
def test_an_answer_is_numbers_of_the_list_or_none(answer: str, last: int) -> None:
    """No answer leads outside of the list."""
    assert all(1 <= each <= last for each in numbers_of(answer, last))


def test_answers_have_commas_or_blanks() -> None:
    """Each number counts once, in the order of the list."""
    assert list(numbers_of("3, 1 3", 3)) == [1, 3]
    assert list(numbers_of("ALL", 2)) == [1, 2]
    assert list(numbers_of("", 2)) == []


def test_names_and_patterns_choose_catalogs() -> None:
    """As in rules: without regard to case, whatever the composition."""
    known = ["Finance", "Zahlung pru\u0308fen", "Fin ops"]
    assert list(matching(["zahlung prüfen", "FIN*"], known)) == [
        "Finance",
        "Zahlung pru\u0308fen",
        "Fin ops",
    ]
    with pytest.raises(InitRefused):
        matching(["Treasury"], known)
