"""`entra-sod evidence`: prove that what sweeps and checks left behind is what they left."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.operations.evidence_files import BlobPacks, FolderPacks
from entra_sod.cli.operations.verify_evidence import Proof, read_head
from entra_sod.cli.operations.verify_evidence import verify as prove
from entra_sod.cli.storage import open_storage
from entra_sod.cli.terminal import err, out
from entra_sod.core.errors import SodError
from entra_sod.domain.text import counted
from entra_sod.stores.evidence_chain import EvidenceChain

MAX_SHOWN = 20

app = typer.Typer(help="The evidence of sweeps and checks.", no_args_is_help=True)


@app.callback()
def _evidence() -> None:
    """Keep `evidence verify` two words, though it is the only one."""


@app.command("verify")
def verify(
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Folder with copies of the packs. Default: the app's storage.", file_okay=False
        ),
    ] = None,
    first: Annotated[
        int,
        typer.Option(
            min=1, help="Number of the first pack to verify. Earlier packs are not verified."
        ),
    ] = 1,
) -> None:
    """Verify the chain of evidence, and list each place where it is broken, in order.

    Exit code 0: the chain is whole. 2: it is broken. 1: an error.
    """
    try:
        proof = asyncio.run(_verify(folder, first))
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        raise typer.Exit(1) from error
    _print_proof(proof, is_copy=folder is not None)
    raise typer.Exit(2 if proof.breaks else 0)


async def _verify(folder: Path | None, first: int) -> Proof:
    if folder is not None:
        return await prove(FolderPacks(folder), None, first=first, is_copy=True)
    async with open_storage(os.environ) as storage:
        # The head first: what is sealed meanwhile lies behind it.
        head = await read_head(EvidenceChain(storage))
        return await prove(BlobPacks(storage.blobs), head, first=first)


def _print_proof(proof: Proof, *, is_copy: bool) -> None:
    for each in proof.breaks[:MAX_SHOWN]:
        typer.echo(each)
    if len(proof.breaks) > MAX_SHOWN:
        typer.echo(f"and {len(proof.breaks) - MAX_SHOWN} more")
    for erased in proof.erased:
        typer.echo(erased)
    for folder in proof.unsealed:
        typer.echo(f"{folder}: is not sealed yet, or its manifest was taken away", err=True)
    if is_copy:
        typer.echo(
            "copies cannot show whether packs are missing at the end; without --folder the app's "
            "storage shows it",
            err=True,
        )
    broken = f"broken in {counted(len(proof.breaks), 'place')}" if proof.breaks else "whole"
    out.print(
        f"{counted(proof.packs, 'pack')}, {counted(proof.files, 'file')}: the chain is {broken}"
    )
