"""`entra-sod redrive`: messages that were given up, looked at and sent again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.lists import ListAs, ListFormat, PrintedList, print_list
from entra_sod.cli.operations.redrive import Filter, RedriveCase, Redriver
from entra_sod.cli.storage import open_storage
from entra_sod.cli.terminal import err
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import SodError

# Not `type` statements: typer does not look behind them.
Queue = Annotated[str, typer.Option("--queue", help="Only messages of this queue.")]
WorkId = Annotated[
    str,
    typer.Option("--id", help="Only messages of checks or sweeps whose id begins with this text."),
]
PoisonReason = Annotated[
    str, typer.Option("--reason", help="Only messages whose reason for failure contains this text.")
]
RedriveSince = Annotated[
    datetime | None,
    typer.Option("--since", help="Only messages that failed at or after this time (UTC)."),
]
ConfirmRedrive = Annotated[
    bool,
    typer.Option(
        "--yes", help="Send or discard the messages. Without it, the command only lists them."
    ),
]
Discard = Annotated[
    bool, typer.Option("--discard", help="Delete the messages instead of sending them again.")
]


COLUMNS = ("queue", "of", "given up", "reason", "against sending it again")
KEYS = ("queue", "workId", "givenUp", "reason", "against")


def redrive(
    *,
    queue: Queue = "",
    work_id: WorkId = "",
    reason: PoisonReason = "",
    since: RedriveSince = None,
    discard: Discard = False,
    yes: ConfirmRedrive = False,
    how: ListAs = ListFormat.TABLE,
) -> None:
    """Send messages that failed for good back to their queue; without --yes only list them.

    A check that failed is queued again under its own id. What cannot be sent again is kept, and
    named with the reason. Needs the app's storage.

    Exit code 0: nothing is left to do. 2: messages are left, and --yes was not given. 1: an
    error, or something could not be sent again.
    """
    moment = since.replace(tzinfo=UTC) if since else None
    wanted = Filter(queue=queue, work_id=work_id, reason=reason, since=moment)
    try:
        code = asyncio.run(_redrive(wanted, how, discard=discard, is_meant=yes))
    except SodError as error:
        err.print(f"entra-sod: {error}", style="red")
        code = ExitCode.ERROR
    raise typer.Exit(code)


async def _redrive(wanted: Filter, how: ListFormat, *, discard: bool, is_meant: bool) -> ExitCode:
    async with open_storage(os.environ) as storage:
        redriver = Redriver(storage=storage, clock=SystemClock())
        return await redrive_with(redriver, wanted, how, discard=discard, is_meant=is_meant)


async def redrive_with(
    redriver: Redriver,
    wanted: Filter,
    how: ListFormat = ListFormat.TABLE,
    *,
    discard: bool,
    is_meant: bool,
) -> ExitCode:
    """Look at the dead letters that are meant, and deal with them where that is meant."""
    cases = [case async for case in redriver.cases(wanted)]
    possible = cases if discard else [case for case in cases if not case.against]
    print_list(_list(cases), how, [_value(each) for each in cases])
    if possible and not is_meant:
        what = "forgotten" if discard else "sent again"
        err.print(f"{len(possible)} of {len(cases)} would be {what}: say --yes.")
        return ExitCode.CHANGES
    if not cases:
        return ExitCode.NOTHING
    done = await _redrive_one(redriver, possible, discard=discard)
    err.print(f"{done} of {len(cases)} {'forgotten' if discard else 'sent again'}")
    return ExitCode.NOTHING if done == len(cases) else ExitCode.ERROR


async def _redrive_one(redriver: Redriver, cases: Sequence[RedriveCase], *, discard: bool) -> int:
    done = 0
    for case in cases:
        if discard:
            await redriver.discard(case)
            done += 1
        else:
            done += await redriver.send(case)
    return done


def _list(cases: Sequence[RedriveCase]) -> PrintedList:
    return PrintedList(
        key="messages",
        columns=COLUMNS,
        rows=[list(_value(each).values()) for each in cases],
        ids=frozenset({"of"}),
        below={"queue": "of"},
        empty="no failed message matches",
    )


def _value(case: RedriveCase) -> Mapping[str, str]:
    letter = case.dead_letter
    work_id = case.message.id if case.message else letter.message_id
    cells = (letter.queue, work_id, letter.at, letter.reason, case.against)
    return dict(zip(KEYS, cells, strict=True))
