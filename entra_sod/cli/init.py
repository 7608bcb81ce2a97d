"""`entra-sod init`: the start of a repository of rules."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.confirm import is_terminal
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.import_rules import told, write_whole
from entra_sod.cli.operations.matrix.packs import pack_names, read_pack
from entra_sod.cli.operations.new_folder import (
    NewFolder,
    PipelineKind,
    default_source,
    new_files,
)
from entra_sod.cli.schema import schema_text
from entra_sod.cli.terminal import err, line, shown
from entra_sod.core.errors import ConfigurationError, SodError
from entra_sod.core.names import visible
from entra_sod.core.validation import nearest
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.text import TextPattern, counted, fold_for_patterns

TEMPLATES = Path(__file__).with_name("template")
MAX_TOLD = 3  # of the files that are in the way
_SOURCE = re.compile(r"[\w.-]+/[\w.-]+@[\w./-]+")
_ORIGIN = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")
_NOT_IN_THE_WAY = frozenset({".git"})

NewPack = Annotated[
    str | None,
    typer.Option("--pack", help="Start with the rules of a pack: " + ", ".join(pack_names()) + "."),
]
InCatalogs = Annotated[
    list[str] | None,
    typer.Option("--catalog", help="Name of a catalog, or a pattern (* is all). May be repeated."),
]
SourceOfTool = Annotated[
    str | None,
    typer.Option("--source", help="Where CI installs entra-sod from: OWNER/NAME@REF on GitHub."),
]


class InitRefused(SodError):
    """A folder cannot be started as it was asked for; nothing was written."""


def init(  # noqa: PLR0917 - options, which typer passes by name
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="[FOLDER]", help="Folder to write. It must be empty or must not exist."
        ),
    ] = Path(),
    pack: NewPack = None,
    catalogs: InCatalogs = None,
    ci: Annotated[
        PipelineKind, typer.Option(help="The CI system that runs the checks.")
    ] = PipelineKind.GITHUB,
    source: SourceOfTool = None,
    offline: Annotated[  # noqa: FBT002 - a flag
        bool,
        typer.Option(
            "--offline", help="Do not read a tenant. The files then name no access packages."
        ),
    ] = False,
) -> None:
    """Start a repository of rules, with tests and the CI workflow that checks them at each push.

    Names the access packages of the catalogs that you choose, with their ids. No rule enforces.
    On a terminal it asks for the catalogs. Without a terminal, name them with --catalog.

    Exit code 0: written. 3: written, and the list of access packages may be incomplete. 1: an
    error; nothing was written.
    """
    with told():
        _require_empty(folder)
        wanted, gaps = _wanted(pack, catalogs or (), ci, source, offline=offline)
        files = new_files(wanted, _templates())
        _write(folder, files)
    for name in sorted(files):
        typer.echo(visible((folder / name).as_posix()))
    _tell_next(folder, wanted, is_known=source is not None or _origin() is not None)
    for gap in gaps:
        _say(f"not known: {gap.what}: {gap.why}", "yellow")
    raise typer.Exit(ExitCode.of((), gaps))


def _require_empty(folder: Path) -> None:
    """Raises InitRefused if there is something that a file could overwrite."""
    if folder.exists() and not folder.is_dir():
        raise InitRefused(f"{folder} is a file. Fix: name a folder: entra-sod init FOLDER")
    found = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    found = [each for each in found if each not in _NOT_IN_THE_WAY]
    if found:
        more = len(found) - MAX_TOLD
        named = ", ".join(map(shown, found[:MAX_TOLD])) + (f" and {more} more" if more > 0 else "")
        raise InitRefused(
            f"{folder.resolve()} is not empty ({named}), and init overwrites nothing. Fix: name a "
            "new folder (entra-sod init FOLDER), or add rules to this one (entra-sod import)."
        )


def _wanted(
    pack: str | None,
    catalogs: Sequence[str],
    ci: PipelineKind,
    source: str | None,
    *,
    offline: bool,
) -> tuple[NewFolder, Sequence[Skipped]]:
    """Return what the new folder is made of, and why more access packages may belong to it."""
    if offline and catalogs:
        raise InitRefused("--catalog needs a tenant. Fix: leave out --offline, or --catalog.")
    tool = _checked(source) if source else _origin() or default_source()
    matrix = (pack, read_pack(pack)) if pack else None
    packages, gaps = (None, ()) if offline else asyncio.run(_read_packages())
    chosen = _choose(packages, catalogs) if packages is not None else []
    wanted = NewFolder(
        packages=_of_catalogs(packages, chosen),
        catalogs=chosen,
        pack=matrix,
        pipeline=ci,
        source=tool,
        schema=schema_text(),
    )
    return wanted, gaps


def _checked(source: str) -> str:
    if not _SOURCE.fullmatch(source):
        raise InitRefused(
            f"--source {source}: must be OWNER/NAME@REF, such as contoso/entra-sod@v0.1.0."
        )
    return source


def _origin() -> str | None:
    """Return where this command was installed from, if that is a commit on GitHub (PEP 610)."""
    with suppress(PackageNotFoundError, ValueError, KeyError, TypeError):
        origin = json.loads(distribution("entra-sod").read_text("direct_url.json") or "{}")
        if found := _ORIGIN.fullmatch(origin["url"]):
            return f"{found[1]}@{origin['vcs_info']['commit_id']}"
    return None


async def _read_packages() -> tuple[Sequence[AccessPackage], Sequence[Skipped]]:
    """Read the packages of the tenant, and say why there may be more.

    Raises:
        InitRefused: there is no sign-in, or no package may be read.
        GraphError: the list could not be read.
    """
    from entra_sod.cli.made_by import made_by  # slow, and --offline needs none of it
    from entra_sod.cli.read_references import unlisted
    from entra_sod.cli.session import open_session
    from entra_sod.services.rules.provider import read_tenant

    try:
        async with open_session() as session:
            tenant = await read_tenant(session.graph)
            who = "" if tenant.packages else await made_by(session)
    except ConfigurationError as error:
        why = " ".join(error.problems)
        problem = f"{why} Or write the folder without a tenant: entra-sod init --offline"
        raise InitRefused(problem) from error
    gaps = list(unlisted(tenant, who))
    if not tenant.packages:
        reasons = " ".join(f"{each.what}: {each.why}." for each in gaps)
        raise InitRefused(f"{reasons} Or: entra-sod init --offline")
    found = sorted(
        tenant.packages.values(),
        key=lambda each: (each.catalog_name.casefold(), each.display_name.casefold(), each.id),
    )
    return found, gaps


def _choose(packages: Sequence[AccessPackage], named: Sequence[str]) -> Sequence[str]:
    """Return the names of the catalogs that are wanted.

    Raises:
        InitRefused: none is named and there is no terminal to ask on, or none has a name.
    """
    known = list(dict.fromkeys(each.catalog_name for each in packages))
    if named:
        return matching(named, known)
    if is_terminal():
        return _ask(packages, known)
    listed = ", ".join(map(shown, known[:20]))
    raise InitRefused(
        "There is no terminal to ask on which catalogs the rules are for. Fix: --catalog NAME for "
        f"each, or --catalog '*' for all. You may read: {listed}."
    )


def matching(named: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    """Return the known catalogs that fit names or patterns, in their own order.

    Raises:
        InitRefused: a name fits none.
    """
    found: set[str] = set()
    for each in named:
        pattern = TextPattern(each.strip())
        fitting = {name for name in known if pattern.fits(fold_for_patterns(name))}
        if not fitting:
            meant = nearest(each, known) or f"; you may read {', '.join(map(shown, known[:20]))}"
            raise InitRefused(f"There is no catalog {shown(each)}{meant}")
        found |= fitting
    return [each for each in known if each in found]


def _ask(packages: Sequence[AccessPackage], known: Sequence[str]) -> Sequence[str]:
    """Ask for catalogs by number until the answer is understood."""
    for number, name in enumerate(known, start=1):
        count = sum(each.catalog_name == name for each in packages)
        _say(f"{number:>4}  {shown(name)} ({counted(count, 'access package')})")
    while True:
        answer: str = typer.prompt(
            "Catalogs of the rules, as numbers (1,3), or all", default="all", err=True
        )
        if numbers := numbers_of(answer, len(known)):
            return [known[each - 1] for each in numbers]
        _say(f"Give numbers from 1 to {len(known)}, with commas between them, or all.", "yellow")


def numbers_of(answer: str, last: int) -> Sequence[int]:
    """Return the numbers of an answer, in order, each once; none if it is not understood."""
    parts = answer.replace(",", " ").split()
    if [each.casefold() for each in parts] == ["all"]:
        return range(1, last + 1)
    if not all(each.isascii() and each.isdigit() and 1 <= int(each) <= last for each in parts):
        return ()
    return sorted({int(each) for each in parts})


def _of_catalogs(
    packages: Sequence[AccessPackage] | None, catalogs: Collection[str]
) -> Sequence[AccessPackage] | None:
    if packages is None:
        return None
    return [each for each in packages if each.catalog_name in catalogs]


def _templates() -> Mapping[str, str]:
    return {
        each.relative_to(TEMPLATES).as_posix(): each.read_text(encoding="utf-8")
        for each in sorted(TEMPLATES.rglob("*"))
        if each.is_file()
    }


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files; if one cannot be written, remove those that were, and their folders."""
    written: list[Path] = []
    try:
        for name, text in files.items():
            written.append(folder / name)
            write_whole(written[-1], text)
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        _remove_empty(folder, [each.parent for each in written])
        raise


def _remove_empty(folder: Path, below: Sequence[Path]) -> None:
    """Remove the folders in a folder that hold nothing."""
    inner = {each for path in below for each in (path, *path.parents) if folder in each.parents}
    for each in sorted(inner, reverse=True):  # a folder comes after those in it
        with suppress(OSError):
            each.rmdir()


def _tell_next(folder: Path, wanted: NewFolder, *, is_known: bool) -> None:
    if wanted.packages is None:
        _say("Written without a tenant: no access package is named in the files.")
    else:
        packages = counted(len(wanted.packages), "access package")
        _say(f"{packages} of {counted(len(wanted.catalogs), 'catalog')} named in the comments.")
    if wanted.pipeline is not PipelineKind.NONE and not is_known:
        _say(
            f"CI takes entra-sod from {wanted.source} on GitHub: put the owner in place of OWNER "
            "in the files, or write them again with --source OWNER/NAME@REF.",
            "yellow",
        )
    where = "" if folder.resolve() == Path.cwd() else f"cd {folder.as_posix()}, then "
    _say(f"Next: {where}entra-sod validate rules, entra-sod test rules/tests")


def _say(text: str, style: str = "") -> None:
    err.print(line(text, style), soft_wrap=not err.is_terminal)
