"""Who uses the command line, for what others read later."""

from __future__ import annotations

import getpass
import socket

from entra_sod.cli.session import Session
from entra_sod.core.errors import SodError


async def made_by(session: Session) -> str:
    """Return the name that the token for Graph is for, else the user and the machine."""
    try:
        return (await session.graph.caller()).name or user_and_host()
    except SodError:  # what is read or written next says what is wrong
        return user_and_host()


def user_and_host() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container whose user has no name
        return f"unknown@{socket.gethostname()}"
