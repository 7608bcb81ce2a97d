"""`entra-sod fmt`: rules files, bindings and tests in one canonical form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.import_rules import write_whole
from entra_sod.cli.operations.rules.format_yaml import format_yaml
from entra_sod.cli.yaml_files import read_yaml, yaml_files
from entra_sod.core.errors import RulesError
from entra_sod.core.names import visible
from entra_sod.domain.text import counted

FormatPaths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]", help="Files, or folders of them.", exists=True),
]
DEFAULT_PATH = Path("rules")


def fmt(
    paths: FormatPaths = None,
    check: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--check", help="Write nothing; name the files that would change.")
    ] = False,
) -> None:
    """Write rules files, bindings and tests in one canonical form, with all their comments.

    Only the layout changes: indentation, blank lines, the place of comments. Default of PATH: the
    folder `rules`. A file that is not YAML stays as it is.

    Exit code 0: done; with --check, nothing to change. 2: with --check, the files that are named
    would change. 1: a file cannot be read or written.
    """
    files = _named(paths or [DEFAULT_PATH])
    changed, failed = _format_all(files, is_check=check)
    for path in changed:
        typer.echo(visible(path.as_posix()))
    typer.echo(_summary(files, len(changed), failed, is_check=check), err=True)
    raise typer.Exit(_exit_code(changed, failed, is_check=check))


def _named(paths: Sequence[Path]) -> Sequence[Path]:
    try:
        return yaml_files(_present(paths))
    except OSError as error:
        typer.echo(f"entra-sod: {visible(str(error))}", err=True)
        raise typer.Exit(ExitCode.ERROR) from error


def _format_all(files: Sequence[Path], *, is_check: bool) -> tuple[Sequence[Path], int]:
    """Return the files that have another form, and how many could not be read or written."""
    changed: list[Path] = []
    failed = 0
    for path in files:
        try:
            if _format(path, is_check=is_check):
                changed.append(path)
        except (RulesError, OSError) as error:
            _tell(path, error)
            failed += 1
    return changed, failed


def _present(paths: Sequence[Path]) -> Sequence[Path]:
    """Raises FileNotFoundError if the default folder is meant and is not there."""
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(
                f"There is no folder {path} here. Name the files, or make a folder of rules: "
                "entra-sod init"
            )
    return paths


def _format(path: Path, *, is_check: bool) -> bool:
    """Write a file anew if its form is another one, and return whether it is."""
    before = path.read_bytes()
    text = format_yaml(read_yaml(path))
    if text.encode() == before:
        return False
    if not is_check:
        write_whole(path.resolve(), text)
    return True


def _tell(path: Path, error: RulesError | OSError) -> None:
    problems = (
        error.problems
        if isinstance(error, RulesError)
        else (f"{path.as_posix()}:1:1: cannot be written: {error.strerror}",)
    )
    for problem in problems:
        typer.echo(visible(problem), err=True)


def _summary(files: Sequence[Path], changed: int, failed: int, *, is_check: bool) -> str:
    if not files:
        return "no YAML file found"
    verb = "would change" if is_check else "formatted"
    text = f"{changed} of {counted(len(files), 'file')} {verb}"
    return f"{text}; {failed} could not be read or written" if failed else text


def _exit_code(changed: Sequence[Path], failed: int, *, is_check: bool) -> ExitCode:
    if failed:
        return ExitCode.ERROR
    return ExitCode.of(changed if is_check else (), ())
