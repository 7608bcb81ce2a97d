"""`entra-sod rules push`: a folder of rules becomes the version in force of a container."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from entra_sod.cli.commands import PlanRulesFolder
from entra_sod.cli.lists import tell
from entra_sod.cli.storage import open_storage
from entra_sod.cli.terminal import err
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.core.errors import RulesError, SodError
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import parse_rules
from entra_sod.domain.rules.version import (
    CURRENT,
    RulesManifest,
    blob_name,
    hash_of,
    sha256,
)
from entra_sod.ports.storage import Blobs
from entra_sod.stores.rule_files import FolderRules, RuleVersions

_HASH_LENGTH = 12  # of the part of a hash that stands in a version's id


def push(
    container: Annotated[
        str,
        typer.Argument(help="Blob container in AzureWebJobsStorage: NAME or blob:NAME."),
    ],
    rules: PlanRulesFolder = Path("rules"),
) -> None:
    """Validate rules and upload them to a container as the version in force; old ones are kept.

    Apps whose RULES is blob:CONTAINER use them from their next run. Without a connection string,
    GRAPH_CREDENTIAL=default opens the storage with your own sign-in, such as that of az login.

    Exit code 0: the rules are in force. 1: the rules have mistakes and nothing was uploaded, or the
    storage could not be reached.
    """
    name = container.removeprefix("blob:")
    try:
        pushed = asyncio.run(_push(name, rules))
    except RulesError as error:
        for problem in error.problems:  # one line each, for editors
            typer.echo(problem, err=True)
        raise typer.Exit(1) from error
    except SodError as error:
        tell(f"entra-sod: {error}", "red")
        raise typer.Exit(1) from error
    typer.echo(summary(name, pushed))


async def push_folder(
    folder: Path, container: str, *, blobs: Blobs, clock: Clock
) -> RulesManifest | None:
    """Validate the rules of a folder and push them; None where they are in force already.

    Raises:
        RulesError: they have mistakes; nothing was uploaded.
        ConfigurationError: there are none.
        StorageUnavailable: the version in force is the one it was.
    """
    files = await FolderRules(folder, tell=err.print).files()
    parse_rules(files)
    return await push_version(container, blobs, files, clock.now())


async def push_version(
    container: str, blobs: Blobs, files: Sequence[SourceFile], at: datetime
) -> RulesManifest | None:
    """Make these files the version in force; None where they are it already.

    A version that is in force but damaged is pushed anew.
    """
    manifest = make_manifest(files, at)
    if await _is_in_force(RuleVersions(container, blobs), manifest.hash):
        return None
    for file in files:
        name = blob_name(manifest.id, file.name)
        await blobs.put(container, name, file.text.encode())
    await blobs.put(container, CURRENT, encode_manifest(manifest))
    return manifest


def make_manifest(files: Iterable[SourceFile], at: datetime) -> RulesManifest:
    """Name these files as a version that is pushed at a moment."""
    hashes = {file.name: sha256(file.text.encode()) for file in files}
    whole = hash_of(hashes)
    digits = whole.removeprefix("sha256:")[:_HASH_LENGTH]
    context = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return RulesManifest(version=1, id=f"{context}-{digits}", hash=whole, files=hashes)


def encode_manifest(manifest: RulesManifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"


async def _is_in_force(versions: RuleVersions, wanted: str) -> bool:
    try:
        present = await versions.current()
        if present is None or present.hash != wanted:
            return False
        await versions.files(present)
    except RulesError:
        return False
    return True


def summary(container: str, pushed: RulesManifest | None) -> str:
    if pushed is None:
        return f"blob:{container} has these rules in force already: nothing to do"
    files = f"{len(pushed.files)} file{'' if len(pushed.files) == 1 else 's'}"
    return f"blob:{container} has version {pushed.id} in force: {files}, {pushed.hash}"


async def _push(container: str, folder: Path) -> RulesManifest | None:
    async with open_storage(os.environ) as storage:
        return await push_folder(folder, container, blobs=storage.blobs, clock=SystemClock())
